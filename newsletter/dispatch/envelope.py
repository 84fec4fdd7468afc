"""What a dispatch's messages carry besides the issue's content, and a call's messages made of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from newsletter.errors import DispatchError
from newsletter.esp import Message, Recipient
from newsletter.issue import RenderedIssue
from newsletter.personalise import UNSUBSCRIBE, escape
from newsletter.store.batches import Claim, ClaimedDelivery
from newsletter.unsubscribe import Signer

MIN_SECRET = 32
"""Characters of the secret that signs unsubscribe links."""

_ONE_CLICK = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
"""RFC 8058 §3.1; says that a POST to the address in List-Unsubscribe is enough."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Frozen with the plan. People leave by the provider's `unsubscribe_group`, or signed links below `public_url`."""

    from_email: str
    from_name: str
    reply_to: str | None = None
    categories: tuple[str, ...] = ()
    unsubscribe_group: int | None = None
    public_url: str | None = None
    track_opens: bool = False
    track_clicks: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "categories": tuple(value["categories"])})

    def check(self, secret: str | None) -> None:
        """Raises DispatchError when people could not leave."""
        if self.unsubscribe_group is None and self.public_url is None:
            raise DispatchError(
                "nobody could unsubscribe from this newsletter",
                hint="add `unsubscribe: {group_id: NUMBER}` to newsletter.yaml, or `public_url: https://…`",
            )
        if self.public_url is not None and len(secret or "") < MIN_SECRET:
            raise DispatchError(
                "unsubscribe links can't be signed",
                hint=f"set NEWSLETTER_SECRET in .env to at least {MIN_SECRET} random characters, and never change it",
            )

    def message(
        self, rendered: RenderedIssue, *, send_at: datetime | None = None, batch_id: str | None = None
    ) -> Message:
        """What the calls for a variant share."""
        return Message(
            from_email=self.from_email,
            from_name=self.from_name,
            reply_to=self.reply_to,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            headers=_ONE_CLICK if self.public_url else {},
            categories=self.categories,
            images=rendered.images,
            unsubscribe_group=self.unsubscribe_group if self.public_url is None else None,
            track_opens=self.track_opens,
            track_clicks=self.track_clicks,
            send_at=send_at,
            batch_id=batch_id,
        )


class Recipients:
    """Makes the personalisations of claims of one variant; what is the same for all is worked out once."""

    def __init__(self, envelope: Envelope, rendered: RenderedIssue, list_name: str, secret: str | None) -> None:
        self._url = f"{envelope.public_url}/unsubscribe/" if envelope.public_url else None
        self._signer = Signer(secret or "", list_name) if self._url else None
        slots = list(enumerate(rendered.slots))
        self._filled = [(number, slot.token) for number, slot in slots if slot.expression != UNSUBSCRIBE]
        # A signed token needs no escaping anywhere, so its address is escaped without it.
        self._links = [
            (slot.token, escape(self._url or "", slot.place)) for _, slot in slots if slot.expression == UNSUBSCRIBE
        ]

    def of(self, claim: Claim, people: Sequence[ClaimedDelivery]) -> Sequence[Recipient]:
        """A recipient for each of `people`, in their order."""
        dispatch, attempt = str(claim.dispatch_id), claim.attempt_id
        recipients = []
        for number, subscriber_id, email, name, values in people:
            substitutions = {token: values[index] for index, token in self._filled}
            headers = {}
            if self._signer is not None:
                signed = self._signer.token(subscriber_id)
                for token, address in self._links:
                    substitutions[token] = address + signed
                headers = {"List-Unsubscribe": f"<{self._url}{signed}>"}
            ids = {"nl_dispatch": dispatch, "nl_delivery": str(number), "nl_attempt": attempt}
            recipients.append(Recipient(email, name, substitutions, headers, ids))
        return recipients
