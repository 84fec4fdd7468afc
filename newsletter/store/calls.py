"""The calls that were made for a dispatch, and who makes them: what somebody who looks on wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select

from newsletter.delivery import BatchState, OutcomeKind
from newsletter.store.ids import part_ids
from newsletter.store.presence import is_alive
from newsletter.store.tables import attempts, batches


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls came to each outcome. None are those that are under way, or whose sender ended before it knew;
    `first_at` and `last_at` are when the first and the last one began."""

    outcomes: dict[OutcomeKind | None, int]
    first_at: datetime | None
    last_at: datetime | None


def calls_of(connection: Connection, dispatch_id: int) -> Calls:
    """The calls of a dispatch in numbers."""
    query = select(
        attempts.c.outcome,
        func.count().label("count"),
        func.min(attempts.c.started_at),
        func.max(attempts.c.started_at),
    ).where(_of(dispatch_id))
    rows = connection.execute(query.group_by(attempts.c.outcome)).all()
    outcomes = {OutcomeKind(row[0]) if row[0] else None: row[1] for row in rows}
    return Calls(outcomes, min((row[2] for row in rows), default=None), max((row[3] for row in rows), default=None))


def accepted_at(connection: Connection, dispatch_id: int) -> list[tuple[datetime, int]]:
    """When the provider accepted calls of a dispatch, and for how many recipients each, in the order of time."""
    accepted = and_(
        _of(dispatch_id), attempts.c.outcome == OutcomeKind.ACCEPTED.value, attempts.c.ended_at.is_not(None)
    )
    query = select(attempts.c.ended_at, func.sum(attempts.c.recipients)).where(accepted)
    rows = connection.execute(query.group_by(attempts.c.ended_at).order_by(attempts.c.ended_at))
    return [(moment, int(recipients)) for moment, recipients in rows]


def is_being_sent(connection: Connection, dispatch_id: int) -> bool:
    """Whether a sender that has taken batches of a dispatch is alive, in whatever program."""
    senders = select(batches.c.claimed_by).where(
        batches.c.dispatch_id == dispatch_id, batches.c.claimed_by.is_not(None)
    )
    under_way = senders.where(batches.c.state == BatchState.SENDING.value)
    for query in (under_way, senders):
        if any(is_alive(connection, sender) for sender in connection.scalars(query.distinct()).all()):
            return True
    return False


def _of(dispatch_id: int) -> ColumnElement[bool]:
    own = part_ids(dispatch_id)
    return attempts.c.batch_id.between(own.start, own.stop - 1)
