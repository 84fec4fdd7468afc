"""Settling what is uncertain: the operator's decision, kept beside each delivery; the attempts stay as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Select, func, insert, select, update

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.store.deliveries import DeliveryRecord, deliveries_of, effective_status
from newsletter.store.tables import batches, deliveries

_AT_ONCE = 500


def uncertain_deliveries(connection: Connection, dispatch_id: int) -> Iterator[DeliveryRecord]:
    """Those of a dispatch of whom it isn't known whether they were mailed."""
    return deliveries_of(connection, dispatch_id, [DeliveryStatus.UNCERTAIN])


def assume_sent(connection: Connection, dispatch_id: int, numbers: Iterable[int], reason: str) -> int:
    """Count uncertain deliveries as accepted, with `reason` (whose decision it was); gives how many."""
    settled = 0
    for chunk in _chunks(numbers):
        settled += connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(_still_uncertain(dispatch_id, chunk)))
            .values(status=DeliveryStatus.ACCEPTED.value, reason=reason)
        ).rowcount
    return settled


def plan_again(connection: Connection, dispatch_id: int, numbers: Iterable[int], reason: str) -> int:
    """Put uncertain deliveries into new batches, to be sent once more; gives how many.

    Their old batches keep their attempts, so that an event that proves an old attempt is still understood.
    """
    planned = 0
    for chunk in _chunks(numbers):
        rows = connection.execute(
            select(deliveries.c.id, deliveries.c.batch_id, batches.c.variant, batches.c.mail_batch_id)
            .join(batches, batches.c.id == deliveries.c.batch_id)
            .where(deliveries.c.id.in_(_still_uncertain(dispatch_id, chunk)))
        ).all()
        groups: dict[tuple[str, str | None], list[tuple[int, int]]] = {}
        for number, batch_id, variant, mail_batch_id in rows:
            groups.setdefault((variant, mail_batch_id), []).append((number, batch_id))
        for (variant, mail_batch_id), members in groups.items():
            new = connection.execute(
                select(func.max(batches.c.id) + 1).where(batches.c.dispatch_id == dispatch_id)
            ).scalar_one()
            connection.execute(
                insert(batches).values(
                    id=new,
                    dispatch_id=dispatch_id,
                    variant=variant,
                    size=len(members),
                    stage=0,
                    mail_batch_id=mail_batch_id,
                    state=BatchState.PLANNED.value,
                )
            )
            ids = [number for number, _ in members]
            connection.execute(
                update(deliveries).where(deliveries.c.id.in_(ids)).values(batch_id=new, status=None, reason=reason)
            )
            for old in {batch_id for _, batch_id in members}:
                moved = sum(batch_id == old for _, batch_id in members)
                connection.execute(update(batches).where(batches.c.id == old).values(size=batches.c.size - moved))
            planned += len(members)
    return planned


def _still_uncertain(dispatch_id: int, numbers: list[int]) -> Select[tuple[int]]:
    return (
        select(deliveries.c.id)
        .join(batches, batches.c.id == deliveries.c.batch_id)
        .where(
            deliveries.c.dispatch_id == dispatch_id,
            deliveries.c.id.in_(numbers),
            effective_status == DeliveryStatus.UNCERTAIN.value,
        )
    )


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for number in numbers:
        chunk.append(number)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
