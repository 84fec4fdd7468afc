"""What becomes of a dispatch, its batches and its deliveries: the states, and the transitions as data.

The promise behind it: never sent twice on its own, never lost silently, and whatever can't be known is listed by
name. A batch is claimed in a committed transaction, sent in one call, and recorded; `CONSEQUENCES` says what each
outcome of the call makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DispatchState(StrEnum):
    """Where one sending of an issue stands."""

    PLANNED = "planned"
    """Content, audience and batches are frozen; nothing has been claimed."""
    SENDING = "sending"
    """Batches are claimed one after another; also after a sender was killed, until it is run again."""
    PAUSED = "paused"
    """Somebody holds it: calls under way are finished, no batch is claimed until it is resumed."""
    STOPPED = "stopped"
    """The provider refused in a way that the next batch would meet too, or a ramp met too many refusals or bounces;
    running it again goes on."""
    CANCELLED = "cancelled"
    """Called off: what had not been claimed will not be sent."""
    COMPLETE = "complete"
    """No batch is left to send. Some deliveries may be refused or uncertain: the tally says how many."""


class BatchState(StrEnum):
    """Where the deliveries of one API call stand."""

    PLANNED = "planned"
    """Nothing of it has been accepted, and nothing of it is under way: it may be claimed."""
    SENDING = "sending"
    """A sender has claimed it; what became of the call is not recorded yet."""
    ACCEPTED = "accepted"
    """The provider took the whole call."""
    REFUSED = "refused"
    """The provider refused the call, and would refuse it again."""
    UNCERTAIN = "uncertain"
    """The call went out and no clear answer came, or its sender is gone. Never sent again by itself."""
    CANCELLED = "cancelled"
    """It will not be sent: called off, or nobody was left in it when it was claimed."""


class DeliveryStatus(StrEnum):
    """Where one subscriber's copy stands. The first seven are ours, the rest come from the provider's events."""

    PLANNED = "planned"
    """Waiting for its batch to be claimed."""
    SUPPRESSED = "suppressed"
    """Not sent, because the address was suppressed or had left the list; the reason stands beside it."""
    SENDING = "sending"
    """In a call that is under way."""
    ACCEPTED = "accepted"
    """The provider took it; nothing has been heard since."""
    REFUSED = "refused"
    """The provider refused it; the reason stands beside it."""
    UNCERTAIN = "uncertain"
    """It may have been accepted or not; only an event, or a person's decision, can settle it."""
    CANCELLED = "cancelled"
    """Called off before it was sent."""
    DEFERRED = "deferred"
    """The receiving server asked the provider to try again later."""
    DELIVERED = "delivered"
    """The receiving server took it."""
    BOUNCED = "bounced"
    """The receiving server refused it, at once or later."""
    DROPPED = "dropped"
    """The provider took it and then did not send it, e.g. because the address is on its own suppression list."""
    COMPLAINED = "complained"
    """The reader reported it as spam."""


UNFINISHED = frozenset({DispatchState.SENDING, DispatchState.PAUSED, DispatchState.STOPPED})
"""States of a dispatch that was started and can go on."""

NEVER_MAILED = frozenset({DeliveryStatus.SUPPRESSED, DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED})
"""Statuses that certainly sent nothing: a later dispatch of the same issue may reach these people."""


class OutcomeKind(StrEnum):
    """What one API call came to; the rows of the table."""

    ACCEPTED = "accepted"
    NOT_SENT = "not sent"
    THROTTLED = "throttled"
    RECIPIENTS_REFUSED = "recipients refused"
    REQUEST_REFUSED = "request refused"
    NOT_AUTHORISED = "not authorised"
    UNCERTAIN = "uncertain"


class NextStep(StrEnum):
    """What the sender does after recording an outcome."""

    GO_ON = "go on"
    """Claim the next batch."""
    WAIT = "wait"
    """Wait, then claim again: until the provider's reset when it named one, else with backoff and jitter."""
    STOP = "stop"
    """Stop the dispatch and say why: the next batch would meet the same refusal."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an outcome makes of the batch (and so of the deliveries that follow it), and what comes next."""

    batch: BatchState
    next_step: NextStep


CONSEQUENCES: Mapping[OutcomeKind, Consequence] = MappingProxyType(
    {
        OutcomeKind.ACCEPTED: Consequence(BatchState.ACCEPTED, NextStep.GO_ON),
        OutcomeKind.NOT_SENT: Consequence(BatchState.PLANNED, NextStep.WAIT),
        OutcomeKind.THROTTLED: Consequence(BatchState.PLANNED, NextStep.WAIT),
        # Those that were named become refused one by one; the rest of the batch is planned again without them.
        OutcomeKind.RECIPIENTS_REFUSED: Consequence(BatchState.PLANNED, NextStep.GO_ON),
        OutcomeKind.REQUEST_REFUSED: Consequence(BatchState.REFUSED, NextStep.STOP),
        OutcomeKind.NOT_AUTHORISED: Consequence(BatchState.PLANNED, NextStep.STOP),
        OutcomeKind.UNCERTAIN: Consequence(BatchState.UNCERTAIN, NextStep.GO_ON),
    }
)


class EventKind(StrEnum):
    """What a provider reports about a delivery later, in the words of the field."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"


_SHOWN_BY_EVENT: Mapping[EventKind, DeliveryStatus] = MappingProxyType(
    {
        EventKind.PROCESSED: DeliveryStatus.ACCEPTED,
        EventKind.DEFERRED: DeliveryStatus.DEFERRED,
        EventKind.DELIVERED: DeliveryStatus.DELIVERED,
        EventKind.BOUNCED: DeliveryStatus.BOUNCED,
        EventKind.DROPPED: DeliveryStatus.DROPPED,
        EventKind.COMPLAINED: DeliveryStatus.COMPLAINED,
        # Facts beside the status. Still, there was something to open: they prove that it had been accepted.
        EventKind.OPENED: DeliveryStatus.ACCEPTED,
        EventKind.CLICKED: DeliveryStatus.ACCEPTED,
        EventKind.UNSUBSCRIBED: DeliveryStatus.ACCEPTED,
    }
)

_RANK: Mapping[DeliveryStatus, int] = MappingProxyType(
    {
        # Whatever we believed gives way to what the provider proves.
        DeliveryStatus.PLANNED: 0,
        DeliveryStatus.SUPPRESSED: 0,
        DeliveryStatus.SENDING: 0,
        DeliveryStatus.REFUSED: 0,
        DeliveryStatus.UNCERTAIN: 0,
        DeliveryStatus.CANCELLED: 0,
        DeliveryStatus.ACCEPTED: 1,
        DeliveryStatus.DEFERRED: 2,
        DeliveryStatus.DELIVERED: 3,
        # A server may take a message and bounce it afterwards; never the other way round.
        DeliveryStatus.BOUNCED: 4,
        DeliveryStatus.DROPPED: 5,
        DeliveryStatus.COMPLAINED: 6,
    }
)


def fold(status: DeliveryStatus, events: Iterable[EventKind]) -> DeliveryStatus:
    """The status after `events`, which providers repeat and send out of order.

    The highest rank wins, so the result is the same for any order and any number of repetitions.
    """
    return max((status, *(_SHOWN_BY_EVENT[event] for event in events)), key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries stand where. At any moment their sum is the audience: nobody is lost."""

    planned: int = 0
    suppressed: int = 0
    sending: int = 0
    accepted: int = 0
    """Taken by the provider, whatever events have said since."""
    refused: int = 0
    uncertain: int = 0
    cancelled: int = 0

    @property
    def audience(self) -> int:
        return (
            self.planned
            + self.suppressed
            + self.sending
            + self.accepted
            + self.refused
            + self.uncertain
            + self.cancelled
        )


def tally(counts: Mapping[DeliveryStatus, int]) -> Tally:
    """A Tally of `counts` by status; what events added to an accepted delivery counts as accepted."""
    sums: dict[str, int] = {}
    for status, count in counts.items():
        counted_as = status if _RANK[status] == 0 else DeliveryStatus.ACCEPTED
        sums[counted_as.value] = sums.get(counted_as.value, 0) + count
    return Tally(**sums)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    totals = dict.fromkeys(Tally.__slots__, 0)
    for each in tallies:
        for name in totals:
            totals[name] += getattr(each, name)
    return Tally(**totals)
