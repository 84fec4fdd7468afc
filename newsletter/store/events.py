"""What the provider reported, each report once, and what follows for the delivery it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.delivery import DeliveryStatus, EventKind, fold
from newsletter.store.deliveries import effective_status
from newsletter.store.forgotten import PLACEHOLDER
from newsletter.store.tables import batches, deliveries, events


@dataclass(frozen=True, slots=True)
class Event:
    """One report: `id` is the provider's, `attempt_id` names the call that carried the delivery."""

    id: str
    delivery_id: int
    attempt_id: str | None
    kind: EventKind
    occurred_at: datetime
    detail: str | None = None


def add_events(connection: Connection, reports: Sequence[Event], *, now: datetime) -> list[Event]:
    """Store those of `reports` that are new and speak of a delivery that is known, and bring the statuses up to date.

    Gives the new ones. The result is the same in whatever order, and however often, reports come in.
    """
    told_of = select(deliveries.c.id, deliveries.c.email).where(
        deliveries.c.id.in_({each.delivery_id for each in reports})
    )
    known = dict(connection.execute(told_of).all())
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = []
    for each in reports:
        if each.delivery_id not in known:
            continue
        added = connection.scalar(
            insert(events)
            .values(
                id=each.id,
                delivery_id=each.delivery_id,
                attempt_id=each.attempt_id,
                kind=each.kind.value,
                occurred_at=each.occurred_at,
                received_at=now,
                # What a server said may name the mailbox, and somebody who was erased stays erased.
                detail=each.detail if known[each.delivery_id] != PLACEHOLDER else None,
            )
            .on_conflict_do_nothing()
            .returning(events.c.id)
        )
        if added is not None:
            new.append(each)
    for number in {each.delivery_id for each in new}:
        _fold(connection, number)
    return new


def _fold(connection: Connection, delivery_id: int) -> None:
    """The delivery's status out of what we know and all that was reported of it."""
    query = (
        select(effective_status.label("status"))
        .select_from(deliveries)
        .join(batches, batches.c.id == deliveries.c.batch_id, isouter=True)
        .where(deliveries.c.id == delivery_id)
    )
    status = DeliveryStatus(connection.execute(query).scalar_one())
    reported = select(events.c.kind, events.c.detail).where(events.c.delivery_id == delivery_id)
    rows = connection.execute(reported.order_by(events.c.occurred_at, events.c.id)).all()
    folded = fold(status, [EventKind(row.kind) for row in rows])
    if folded is not status:
        detail = next((row.detail for row in reversed(rows) if row.detail and row.kind == folded.value), None)
        connection.execute(
            update(deliveries).where(deliveries.c.id == delivery_id).values(status=folded.value, reason=detail)
        )
