"""What became of whom: tallies that add up to the audience, everybody of a dispatch, and all about one address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from newsletter.delivery import DeliveryStatus, Tally, tally
from newsletter.store.ids import part_ids
from newsletter.store.tables import attempts, batches, deliveries, dispatches, events
from newsletter.subscriber import address_key

_PAGE = 2000

effective_status = func.coalesce(deliveries.c.status, batches.c.state)
"""A delivery has its batch's state until it has a status of its own."""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery as it stands."""

    id: int
    dispatch_id: int
    issue_slug: str
    list_name: str
    subscriber_id: int
    email: str
    name: str
    status: DeliveryStatus
    reason: str | None
    variant: str | None
    values: Sequence[str] | None
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One API call that was to carry a delivery: its outcome is None while it is under way or can't be known."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str | None
    message_id: str | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that the provider reported of a delivery."""

    kind: str
    occurred_at: datetime
    detail: str | None


def dispatch_tally(connection: Connection, dispatch_id: int) -> Tally:
    """How many deliveries of a dispatch stand where. Quick at any size: batches are counted, not people."""
    return tally(status_counts(connection, dispatch_id))


def status_counts(
    connection: Connection, dispatch_id: int, before_stage: int | None = None
) -> dict[DeliveryStatus, int]:
    """How many deliveries of a dispatch have each status; of the stages of a ramp before `before_stage`, if given."""
    counts = dict.fromkeys(DeliveryStatus, 0)
    by_batch = select(batches.c.state, func.sum(batches.c.size)).where(batches.c.dispatch_id == dispatch_id)
    own = (
        select(deliveries.c.status, batches.c.state, func.count())
        .join(batches, batches.c.id == deliveries.c.batch_id, isouter=True)
        .where(deliveries.c.dispatch_id == dispatch_id, deliveries.c.status.is_not(None))
    )
    if before_stage is not None:
        by_batch = by_batch.where(batches.c.stage < before_stage)
        own = own.where(batches.c.stage < before_stage)
    for state, size in connection.execute(by_batch.group_by(batches.c.state)):
        counts[DeliveryStatus(state)] += int(size)
    for status, state, count in connection.execute(own.group_by(deliveries.c.status, batches.c.state)):
        counts[DeliveryStatus(status)] += count
        if state is not None:
            counts[DeliveryStatus(state)] -= count
    return counts


def deliveries_of(
    connection: Connection, dispatch_id: int, statuses: Sequence[DeliveryStatus] = ()
) -> Iterator[DeliveryRecord]:
    """Everybody of a dispatch, or those of some statuses, in the order of the plan, read a page at a time."""
    query = _records()
    if statuses:
        query = query.where(effective_status.in_([status.value for status in statuses]))
    own = part_ids(dispatch_id)
    last = own.start - 1
    query = query.where(deliveries.c.id < own.stop).order_by(deliveries.c.id).limit(_PAGE)
    while rows := connection.execute(query.where(deliveries.c.id > last)).all():
        yield from map(_record, rows)
        last = rows[-1].id


def deliveries_page(
    connection: Connection, dispatch_id: int, statuses: Sequence[DeliveryStatus] = (), *, after: int = 0, limit: int
) -> list[DeliveryRecord]:
    """At most `limit` of `deliveries_of`, those that follow the delivery `after`. Quick for rare statuses too."""
    own = part_ids(dispatch_id)
    query = _records().where(deliveries.c.id.between(max(own.start, after + 1), own.stop - 1))
    if statuses:
        values = [status.value for status in statuses]
        in_state = select(batches.c.id).where(batches.c.dispatch_id == dispatch_id, batches.c.state.in_(values))
        query = query.where(
            or_(
                and_(deliveries.c.dispatch_id == dispatch_id, deliveries.c.status.in_(values)),
                and_(deliveries.c.status.is_(None), deliveries.c.batch_id.in_(in_state)),
            )
        )
    return [_record(row) for row in connection.execute(query.order_by(deliveries.c.id).limit(limit))]


def deliveries_to(connection: Connection, email: str) -> list[DeliveryRecord]:
    """Every delivery to a normalised address, oldest dispatch first."""
    key = address_key(email)
    query = _records().where(deliveries.c.address_key == key, dispatches.c.rehearsal.is_(False))
    return [_record(row) for row in connection.execute(query.order_by(dispatches.c.planned_at, deliveries.c.id))]


def delivery_by_id(connection: Connection, number: int) -> DeliveryRecord | None:
    row = connection.execute(_records().where(deliveries.c.id == number)).one_or_none()
    return _record(row) if row else None


def attempts_of(connection: Connection, batch_id: int | None) -> list[AttemptRecord]:
    """The calls made for a batch, oldest first."""
    query = select(attempts).where(attempts.c.batch_id == batch_id).order_by(attempts.c.started_at, attempts.c.id)
    return [
        AttemptRecord(row.id, row.started_at, row.ended_at, row.outcome, row.detail, row.message_id)
        for row in connection.execute(query)
    ]


def events_of(connection: Connection, delivery_id: int) -> list[EventRecord]:
    """What the provider reported of a delivery, in the order in which it happened."""
    query = select(events).where(events.c.delivery_id == delivery_id).order_by(events.c.occurred_at, events.c.id)
    return [EventRecord(row.kind, row.occurred_at, row.detail) for row in connection.execute(query)]


def _records() -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.dispatch_id,
            dispatches.c.issue_slug,
            dispatches.c.list_name,
            deliveries.c.subscriber_id,
            deliveries.c.email,
            deliveries.c.name,
            effective_status.label("shown"),
            # A reason belongs to a status of its own; one that was taken back stays as a note.
            deliveries.c.reason,
            batches.c.variant,
            deliveries.c["values"].label("filled"),
            deliveries.c.batch_id,
        )
        .join(dispatches, dispatches.c.id == deliveries.c.dispatch_id)
        .join(batches, batches.c.id == deliveries.c.batch_id, isouter=True)
    )


def _record(row: Row[Any]) -> DeliveryRecord:
    return DeliveryRecord(
        row.id,
        row.dispatch_id,
        row.issue_slug,
        row.list_name,
        row.subscriber_id,
        row.email,
        row.name,
        DeliveryStatus(row.shown),
        row.reason,
        row.variant,
        row.filled,
        row.batch_id,
    )
