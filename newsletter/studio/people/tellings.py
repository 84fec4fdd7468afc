"""People's statuses and histories in words: what a status means, what was sent, what the provider said, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from newsletter.delivery import DeliveryStatus, EventKind, OutcomeKind
from newsletter.dispatch.history import Chapter
from newsletter.personalise import UNSUBSCRIBE
from newsletter.store.deliveries import AttemptRecord, EventRecord
from newsletter.store.subscribers import MembershipStatus
from newsletter.store.suppressions import SuppressionReason

if TYPE_CHECKING:
    from newsletter.studio.widgets import Tone

STANDINGS: Mapping[MembershipStatus, tuple[str, Tone]] = {
    MembershipStatus.ACTIVE: ("active", "good"),
    MembershipStatus.PENDING: ("pending", "warn"),
    MembershipStatus.UNSUBSCRIBED: ("unsubscribed", "plain"),
}

REASONS: Mapping[SuppressionReason, tuple[str, str]] = {
    SuppressionReason.BOUNCE: ("bounced", "The receiving server said that there is no such mailbox."),
    SuppressionReason.COMPLAINT: ("complained", "They reported a mail as spam."),
    SuppressionReason.UNSUBSCRIBE: ("left everything", "They left everything, not only one list."),
    SuppressionReason.MANUAL: ("blocked by hand", "Somebody of the organisation entered it."),
    SuppressionReason.INVALID: ("not an address", "The provider says that it can't be an address."),
}
"""Why an address must not be mailed: a word, and a sentence."""

_DELIVERIES: Mapping[DeliveryStatus, tuple[str, Tone]] = {
    DeliveryStatus.PLANNED: ("waits to be sent", "info"),
    DeliveryStatus.SUPPRESSED: ("not sent", "plain"),
    DeliveryStatus.SENDING: ("being sent", "info"),
    DeliveryStatus.ACCEPTED: ("accepted by the provider", "good"),
    DeliveryStatus.REFUSED: ("refused by the provider", "bad"),
    DeliveryStatus.UNCERTAIN: ("uncertain", "warn"),
    DeliveryStatus.CANCELLED: ("called off", "plain"),
    DeliveryStatus.DEFERRED: ("put off by their server", "warn"),
    DeliveryStatus.DELIVERED: ("delivered", "good"),
    DeliveryStatus.BOUNCED: ("bounced", "bad"),
    DeliveryStatus.DROPPED: ("dropped by the provider", "bad"),
    DeliveryStatus.COMPLAINED: ("reported as spam", "bad"),
}

_NOT_FOR_THEM: tuple[str, Tone] = ("not for them", "plain")

_OUTCOMES: Mapping[OutcomeKind, tuple[str, Tone]] = {
    OutcomeKind.ACCEPTED: ("Handed to the provider, which accepted it", "good"),
    OutcomeKind.NOT_SENT: ("The provider couldn't be reached; nothing was sent", "warn"),
    OutcomeKind.THROTTLED: ("The provider asked to wait; nothing was sent", "warn"),
    OutcomeKind.RECIPIENTS_REFUSED: ("The provider refused some addresses of the call; nothing was sent", "warn"),
    OutcomeKind.REQUEST_REFUSED: ("The provider refused the call", "bad"),
    OutcomeKind.NOT_AUTHORISED: ("The provider refused the key; nothing was sent", "bad"),
    OutcomeKind.UNCERTAIN: ("No clear answer came: it may have been sent", "warn"),
}

_EVENTS: Mapping[EventKind, tuple[str, Tone]] = {
    EventKind.PROCESSED: ("The provider took it in hand", "plain"),
    EventKind.DEFERRED: ("Their server asked to try again later", "warn"),
    EventKind.DELIVERED: ("Their server took it", "good"),
    EventKind.BOUNCED: ("Their server refused it", "bad"),
    EventKind.DROPPED: ("The provider did not send it", "bad"),
    EventKind.COMPLAINED: ("They reported it as spam", "bad"),
    EventKind.OPENED: ("They opened it", "plain"),
    EventKind.CLICKED: ("They followed a link", "plain"),
    EventKind.UNSUBSCRIBED: ("They unsubscribed", "warn"),
}


@dataclass(frozen=True)
class Line:
    """Something that happened: when, what, what was said of it, and how good that is."""

    at: datetime
    what: str
    detail: str
    tone: Tone


@dataclass(frozen=True)
class Telling:
    """What a sending was to a person. `reason` says why it is so; `lines` are what happened, in its order."""

    issue: str
    list_name: str
    planned_at: datetime
    word: str
    tone: Tone
    reason: str
    lines: tuple[Line, ...] = ()
    conditions: tuple[tuple[str, bool], ...] = ()
    slots: tuple[tuple[str, str], ...] = ()


def tell(chapter: Chapter) -> Telling:
    """A chapter of somebody's history in words."""
    dispatch, delivery = chapter.dispatch, chapter.delivery
    word, tone = _NOT_FOR_THEM if delivery is None else _DELIVERIES[delivery.status]
    reason = chapter.why_not if delivery is None else _reason(delivery.reason)
    lines = [*map(_attempt, chapter.attempts), *map(_event, chapter.events)]
    if reason in {line.detail for line in lines}:
        reason = None  # an event says it
    return Telling(
        issue=dispatch.issue_slug,
        list_name=dispatch.list_name,
        planned_at=dispatch.planned_at,
        word=word,
        tone=tone,
        reason=reason or "",
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        conditions=tuple((chapter.conditions or {}).items()),
        slots=tuple(pair for pair in (chapter.slots or {}).items() if pair[0] != UNSUBSCRIBE),
    )


def _reason(reason: str | None) -> str | None:
    """Why a delivery stands as it does; the reason of a suppression is only a word."""
    if reason not in set(SuppressionReason):
        return reason
    sentence = REASONS[SuppressionReason(reason)][1]
    return f"the address must not be mailed: {sentence[0].lower()}{sentence[1:]}"


def _attempt(attempt: AttemptRecord) -> Line:
    if attempt.outcome is None:
        return Line(attempt.started_at, "Handed to the provider; no answer is known", attempt.detail or "", "warn")
    what, tone = _OUTCOMES[OutcomeKind(attempt.outcome)]
    said = [attempt.detail or "", f"as {attempt.message_id}" if attempt.message_id else ""]
    return Line(attempt.started_at, what, ", ".join(filter(None, said)), tone)


def _event(event: EventRecord) -> Line:
    what, tone = _EVENTS[EventKind(event.kind)]
    return Line(event.occurred_at, what, event.detail or "", tone)


def day_words(moment: datetime, time_zone: str) -> str:
    """`31 Mar 2026`, in the publication's time zone."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%b %Y}"


def moment_words(moment: datetime, time_zone: str) -> str:
    """`31 Mar 2026, 09:00`, in the publication's time zone."""
    return f"{day_words(moment, time_zone)}, {moment.astimezone(ZoneInfo(time_zone)):%H:%M}"


def count_words(count: int, one: str, many: str) -> str:
    """`1 person`, `1,200 people`."""
    return f"{count:,} {one if count == 1 else many}"


def list_words(names: Sequence[str]) -> str:
    """`members`, `members and press`, `members, press and friends`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
