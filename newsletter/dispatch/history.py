"""All that happened between us and one address: each dispatch, whether it was for them and why, attempts, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.delivery import NEVER_MAILED, DispatchState
from newsletter.issue import Place
from newsletter.store.audience import Selection, is_selected
from newsletter.store.deliveries import (
    AttemptRecord,
    DeliveryRecord,
    EventRecord,
    attempts_of,
    deliveries_to,
    events_of,
)
from newsletter.store.dispatches import Dispatch, dispatches_of, renderings
from newsletter.store.subscribers import MembershipStatus, standing_on, subscriber_by_address
from newsletter.subscriber import Subscriber


@dataclass(frozen=True)
class Chapter:
    """One dispatch, as it concerns one address. `delivery` is None when it wasn't for them: `why_not` says why.

    `conditions` are those of the issue's `when:`s, with whether they held; `slots` are the values by expression.
    """

    dispatch: Dispatch
    delivery: DeliveryRecord | None
    why_not: str | None = None
    conditions: Mapping[str, bool] | None = None
    slots: Mapping[str, str] | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()


def history_of(connection: Any, email: str) -> list[Chapter]:
    """What each dispatch was to a normalised address, oldest first."""
    person = subscriber_by_address(connection, email)
    deliveries = {each.dispatch_id: each for each in deliveries_to(connection, email)}
    chapters = []
    for dispatch in dispatches_of(connection):
        delivery = deliveries.get(dispatch.id)
        if delivery is None:
            chapters.append(Chapter(dispatch, None, _why_not(connection, dispatch, person, list(deliveries.values()))))
        else:
            chapters.append(_chapter(connection, dispatch, delivery))
    return chapters


def _chapter(connection: Any, dispatch: Dispatch, delivery: DeliveryRecord) -> Chapter:
    conditions, slots = None, None
    if delivery.variant is not None:
        rendered = renderings(connection, dispatch)[delivery.variant]
        conditions = {
            condition: bit == "1" for condition, bit in zip(rendered.conditions, delivery.variant, strict=True)
        }
        slots = {}
        for slot, value in zip(rendered.slots, delivery.values or (), strict=False):
            if slot.place is Place.TEXT or slot.expression not in slots:
                slots[slot.expression] = value
    return Chapter(
        dispatch,
        delivery,
        None,
        conditions,
        slots,
        tuple(attempts_of(connection, delivery.batch_id)),
        tuple(events_of(connection, delivery.id)),
    )


def _why_not(connection: Any, dispatch: Dispatch, person: Subscriber | None, deliveries: list[DeliveryRecord]) -> str:
    """As far as it can be told from what is known today."""
    if any(each.issue_slug == dispatch.issue_slug and each.status not in NEVER_MAILED for each in deliveries):
        return "they have, or may have, the issue by another sending"
    if person is None:
        return "nobody of this address is known"
    standing = standing_on(connection, dispatch.list_name, person.id)
    if standing is None:
        return f"they aren't on the list {dispatch.list_name}"
    if standing.changed_at > dispatch.planned_at:
        return f"their standing on {dispatch.list_name} changed after it was planned: now {standing.status}"
    if standing.status is not MembershipStatus.ACTIVE:
        return f"they were {standing.status} on {dispatch.list_name}"
    selection = Selection.from_json(dispatch.audience)
    if not is_selected(connection, selection, person.id):
        return f"they weren't among those chosen ({_words(selection)})"
    if selection.limit is not None:
        return f"it was limited to {selection.limit:,}, and they came after those"
    if dispatch.state is DispatchState.PLANNED:
        return "it was planned before they could be in it"
    return "they didn't match when it was planned"


def _words(selection: Selection) -> str:
    parts = [f"segment {selection.segment}"] if selection.segment else []
    parts += [f"not on {name}" for name in selection.exclude_lists]
    parts += [f"without those who had {slug}" for slug in selection.exclude_received]
    return ", ".join(parts)
