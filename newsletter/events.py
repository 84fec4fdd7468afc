"""The provider's reports taken in: SendGrid's words into ours, statuses, suppressions, people who leave. Idempotent.

SendGrid posts arrays of events, repeats them, and sends them out of order (sendgrid/docs: Event Webhook reference).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.delivery import EventKind
from newsletter.store import Store
from newsletter.store.deliveries import delivery_by_id
from newsletter.store.events import Event, add_events
from newsletter.store.forgotten import PLACEHOLDER
from newsletter.store.subscribers import MembershipStatus, change_membership
from newsletter.store.suppressions import SuppressionReason, suppress, suppressions_of

_KINDS: Mapping[str, EventKind] = {
    "processed": EventKind.PROCESSED,
    "deferred": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.DROPPED,
    "spamreport": EventKind.COMPLAINED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
"""SendGrid's words and the field's."""

_NUMBER = re.compile(r"[0-9]{1,19}")
_SOURCE = "sendgrid event"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of reports: how many were `new`; the others were known, or aren't about a delivery of ours."""

    new: int
    passed_over: int


def parse_events(reports: Iterable[Mapping[str, Any]]) -> list[Event]:
    """SendGrid's events in our words; those that carry no id of ours, or no word that we know, are left out."""
    parsed = []
    for report in reports:
        kind, number = _KINDS.get(str(report.get("event"))), str(report.get("nl_delivery", ""))
        try:
            occurred_at = datetime.fromtimestamp(int(report["timestamp"]), UTC)
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            continue
        if kind is None or _NUMBER.fullmatch(number) is None:
            continue
        reason = report.get("reason") or report.get("response")
        parsed.append(
            Event(
                id=_identity(report, kind, number),
                delivery_id=int(number),
                attempt_id=str(report["nl_attempt"]) if report.get("nl_attempt") else None,
                kind=kind,
                occurred_at=occurred_at,
                detail=_detail(report, kind, str(reason) if reason else None),
            )
        )
    return parsed


def _identity(report: Mapping[str, Any], kind: EventKind, number: str) -> str:
    """What is the same when SendGrid repeats an event: not its own id, which may differ, but what it says."""
    said = (kind.value, number, report.get("nl_attempt"), report.get("timestamp"), report.get("url"))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def _detail(report: Mapping[str, Any], kind: EventKind, reason: str | None) -> str | None:
    if kind is EventKind.CLICKED:
        return str(report.get("url") or "") or None
    if kind is EventKind.BOUNCED and report.get("type") == "blocked":
        return f"blocked: {reason or 'no reason given'}"
    return reason


def take(store: Store, reports: Sequence[Mapping[str, Any]], *, now: datetime) -> Taken:
    """Store SendGrid's events, bring deliveries up to date, and suppress whom they say must not be mailed.

    A report that carries an attempt's ids proves that it was accepted, so what was uncertain is settled by it.
    """
    parsed = parse_events(reports)
    new = 0
    for start in range(0, len(parsed), _AT_ONCE):
        with store.write() as connection:
            added = add_events(connection, parsed[start : start + _AT_ONCE], now=now)
            for event in added:
                _follow(connection, event)
        new += len(added)
    return Taken(new, len(reports) - new)


def _follow(connection: Any, event: Event) -> None:
    """Suppress an address that bounced or complained; take somebody off the list they left."""
    reason = _suppression(event)
    if reason is None and event.kind is not EventKind.UNSUBSCRIBED:
        return
    delivery = delivery_by_id(connection, event.delivery_id)
    if delivery is None or delivery.email == PLACEHOLDER:
        return
    if event.kind is EventKind.UNSUBSCRIBED:
        left = MembershipStatus.UNSUBSCRIBED
        change_membership(
            connection, delivery.list_name, delivery.subscriber_id, left, source=_SOURCE, now=event.occurred_at
        )
    elif reason is not None and reason not in {each.reason for each in suppressions_of(connection, delivery.email)}:
        suppress(connection, delivery.email, reason, source=_SOURCE, since_at=event.occurred_at, detail=event.detail)


def _suppression(event: Event) -> SuppressionReason | None:
    match event.kind:
        case EventKind.COMPLAINED:
            return SuppressionReason.COMPLAINT
        case EventKind.BOUNCED if not (event.detail or "").startswith("blocked:"):
            return SuppressionReason.BOUNCE
        case EventKind.DROPPED if (event.detail or "").lower() == "invalid":
            return SuppressionReason.INVALID
        case _:
            return None
