"""The provider's batch ids, by which scheduled calls are called off: shared by groups of our batches."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, select, update

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.store.tables import batches, deliveries


def mail_batches(connection: Connection, dispatch_id: int) -> dict[str | None, int]:
    """How many batches of a dispatch have each of the provider's ids; None counts those that have none."""
    query = select(batches.c.mail_batch_id, func.count()).where(batches.c.dispatch_id == dispatch_id)
    return dict(connection.execute(query.group_by(batches.c.mail_batch_id)).all())


def assign_mail_batches(connection: Connection, dispatch_id: int, ids: Sequence[str]) -> None:
    """Spread `ids` over those batches that have none, neighbours together."""
    without = and_(batches.c.dispatch_id == dispatch_id, batches.c.mail_batch_id.is_(None))
    numbers = connection.scalars(select(batches.c.id).where(without).order_by(batches.c.id)).all()
    for index, mail_batch_id in enumerate(ids):
        first, beyond = len(numbers) * index // len(ids), len(numbers) * (index + 1) // len(ids)
        if beyond > first:
            group = batches.c.id.between(numbers[first], numbers[beyond - 1])
            connection.execute(update(batches).where(without, group).values(mail_batch_id=mail_batch_id))


def call_off(connection: Connection, dispatch_id: int, mail_batch_id: str, *, sure: bool) -> int:
    """Note that the provider was told to call a group off; gives how many deliveries that concerns.

    When that is `sure`, they are cancelled, whether their call had been accepted or its answer was never heard;
    otherwise they are uncertain.
    """
    gone = (BatchState.ACCEPTED.value, BatchState.UNCERTAIN.value)
    group = and_(
        batches.c.dispatch_id == dispatch_id, batches.c.mail_batch_id == mail_batch_id, batches.c.state.in_(gone)
    )
    of_group = and_(deliveries.c.batch_id.in_(select(batches.c.id).where(group)), deliveries.c.status.is_(None))
    if sure:
        values = {"status": DeliveryStatus.CANCELLED.value, "reason": "undone before it went out"}
        count = connection.execute(update(deliveries).where(of_group).values(**values)).rowcount
        connection.execute(update(batches).where(group).values(state=BatchState.CANCELLED.value))
    else:
        values = {"reason": "undone when it may have been on its way"}
        count = connection.execute(update(deliveries).where(of_group).values(**values)).rowcount
        connection.execute(update(batches).where(group).values(state=BatchState.UNCERTAIN.value))
    return count
