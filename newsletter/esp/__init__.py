"""The email service provider: one short protocol, and its types beside it.

`Provider.send` makes one API call and returns an `Outcome`, a value for each row of the delivery promise's table; it
raises only for misuse, and so do the calls about batches, which are the provider's means to take scheduled mail back.
Nothing here knows a database or an issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.issue.rendered import InlineImage

MAX_RECIPIENTS = 1000
"""Personalisations, and recipients in all, of one call (SendGrid v3 Mail Send)."""


@dataclass(frozen=True, slots=True)
class Message:
    """What all recipients of a call share. `html`, `text` and `subject` may hold tokens that recipients fill.

    `headers` go out as they are; `categories` are for the provider's statistics (at most 10, ASCII);
    `unsubscribe_group` is the provider's id of the group that people leave by its link, when that way is used.
    With `send_at`, which is aware and at most 72 hours ahead, the provider holds the mail until then; what has a
    `batch_id` can be cancelled meanwhile.
    """

    from_email: str
    from_name: str
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    images: tuple[InlineImage, ...] = ()
    unsubscribe_group: int | None = None
    track_opens: bool = False
    track_clicks: bool = False
    batch_id: str | None = None
    send_at: datetime | None = None


class Recipient(NamedTuple):
    """One personalisation: one address, the values for the message's tokens, its own headers, and opaque ids."""

    email: str
    name: str = ""
    substitutions: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    custom_args: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """202: the provider took the whole call."""

    message_id: str | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request went out (no connection, DNS, TLS refused): safe to try again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """429: nothing was sent; try again at `retry_at` (UTC), or with backoff when the provider didn't say."""

    reason: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecipientsRefused:
    """400 that names personalisations: nothing was sent; `reasons` by index of the recipient in the call."""

    reasons: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """400 otherwise, 413, 415: nothing was sent, and the same call would be refused again."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAuthorised:
    """401, 403: the key, its scope, the sender or the account's credit; nothing was sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request went out, in part or whole, and no clear answer came: it may have been accepted."""

    reason: str


Outcome = Accepted | NotSent | Throttled | RecipientsRefused | RequestRefused | NotAuthorised | Uncertain


@dataclass(frozen=True, slots=True)
class BatchId:
    """A new batch. An id that is never used costs nothing, so whoever is uncertain may ask for another."""

    value: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The provider holds a cancellation of the batch: what had not gone out will not."""


@dataclass(frozen=True, slots=True)
class NotCancelled:
    """The provider said no: too many batches are cancelled already, there is no such batch, somebody paused it."""

    reason: str


BatchOutcome = BatchId | NotSent | Throttled | RequestRefused | NotAuthorised | Uncertain
CancelOutcome = Cancelled | NotCancelled | NotSent | Throttled | NotAuthorised | Uncertain


class Provider(Protocol):
    """Whoever takes a call for delivery."""

    def send(self, message: Message, recipients: Sequence[Recipient]) -> Outcome:
        """Make one call for at most `MAX_RECIPIENTS` recipients whose addresses differ, whatever their case.

        Raises ValueError for other recipients, and for a `send_at` without a time zone.
        """
        ...

    def new_batch_id(self) -> BatchOutcome:
        """Have a batch made, whose id messages may then carry."""
        ...

    def cancel_scheduled(self, batch_id: str) -> CancelOutcome:
        """Cancel what is scheduled in a batch and hasn't gone out. Safe to repeat: what is cancelled stays so."""
        ...
