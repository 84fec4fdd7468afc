"""Batches on their way: claimed before a byte goes out, recorded when the answer is known, settled when nobody is left.

Each function is one step of the delivery promise, and has to be committed before the next one is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, exists, func, select, update

from newsletter.delivery import (
    CONSEQUENCES,
    BatchState,
    Consequence,
    DeliveryStatus,
    DispatchState,
    NextStep,
    OutcomeKind,
)
from newsletter.store.bulk import rows_as_json
from newsletter.store.ids import new_attempt_id
from newsletter.store.presence import is_alive
from newsletter.store.subscribers import MembershipStatus
from newsletter.store.tables import attempts, batches, deliveries, dispatches, memberships, suppressions

_LEFT = "left the list"


class ClaimedDelivery(NamedTuple):
    """One personalisation of a call: `values` fill the slots of the batch's variant, in their order."""

    id: int
    subscriber_id: int
    email: str
    name: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is ours to send, once, as the attempt `attempt_id`."""

    batch_id: int
    dispatch_id: int
    list_name: str
    attempt_id: str
    variant: str
    mail_batch_id: str | None


def claim_batch(connection: Connection, dispatch_id: int, sender: str, *, now: datetime) -> Claim | None:
    """Take the next planned batch and note the attempt.

    None when there is none to take: the dispatch isn't `sending`, no batch is planned, or a stage of the ramp is
    still under way. `look_again` has to follow the commit, before anything is sent.
    """
    batch = _next_planned(connection, dispatch_id)
    if batch is None:
        return None
    attempt = new_attempt_id()
    _move(connection, batch.id, BatchState.SENDING, attempt_id=attempt, claimed_by=sender, claimed_at=now)
    connection.execute(
        attempts.insert().values(
            id=attempt, batch_id=batch.id, recipients=batch.size, claimed_by=sender, started_at=now
        )
    )
    return Claim(batch.id, dispatch_id, batch.list_name, attempt, batch.variant, batch.mail_batch_id)


def _next_planned(connection: Connection, dispatch_id: int) -> Any:
    query = (
        select(
            batches.c.id,
            batches.c.variant,
            batches.c.size,
            batches.c.stage,
            batches.c.mail_batch_id,
            dispatches.c.list_name,
        )
        .join(dispatches, dispatches.c.id == batches.c.dispatch_id)
        .where(
            batches.c.dispatch_id == dispatch_id,
            batches.c.state == BatchState.PLANNED.value,
            dispatches.c.state == DispatchState.SENDING.value,
        )
        .order_by(batches.c.id)
        .limit(1)
        .with_for_update(of=batches, skip_locked=True)
    )
    batch = connection.execute(query).one_or_none()
    if batch is not None and batch.stage > 0 and unsettled_before(connection, dispatch_id, batch.stage):
        return None
    return batch


def next_stage(connection: Connection, dispatch_id: int) -> int | None:
    """The stage of the next batch to be claimed; None when nothing is planned."""
    planned = and_(batches.c.dispatch_id == dispatch_id, batches.c.state == BatchState.PLANNED.value)
    return connection.scalar(select(batches.c.stage).where(planned).order_by(batches.c.id).limit(1))


def unsettled_before(connection: Connection, dispatch_id: int, stage: int) -> bool:
    """Whether something of an earlier stage of the ramp is planned or under way."""
    waiting = (BatchState.PLANNED.value, BatchState.SENDING.value)
    query = select(batches.c.id).where(
        batches.c.dispatch_id == dispatch_id, batches.c.stage < stage, batches.c.state.in_(waiting)
    )
    return connection.execute(query.limit(1)).first() is not None


def look_again(connection: Connection, claim: Claim) -> tuple[list[ClaimedDelivery], dict[int, str]]:
    """Those of a claimed batch who may be mailed now; and those who may not (any more), by id, with the reason.

    The latter are to be handed to `take_out`.
    """
    evidence = suppressions.c.address_key == deliveries.c.address_key
    query = (
        select(
            deliveries.c.id,
            deliveries.c.subscriber_id,
            deliveries.c.email,
            deliveries.c.name,
            deliveries.c["values"],
            memberships.c.status.label("membership"),
            exists().where(evidence).label("suppressed"),
        )
        .join(
            memberships,
            and_(memberships.c.subscriber_id == deliveries.c.subscriber_id, memberships.c.list_name == claim.list_name),
            isouter=True,
        )
        .where(deliveries.c.batch_id == claim.batch_id, deliveries.c.status.is_(None))
        .order_by(deliveries.c.id)
    )
    people: list[ClaimedDelivery] = []
    gone: dict[int, str] = {}
    active = MembershipStatus.ACTIVE.value
    for number, subscriber_id, email, name, values, membership, suppressed in rows_as_json(connection, query):
        if membership == active and not suppressed:
            people.append(ClaimedDelivery(number, subscriber_id, email, name, values or ()))
        else:
            gone[number] = _LEFT
    if gone:
        reasons = select(deliveries.c.id, suppressions.c.reason).join(suppressions, evidence)
        gone |= dict(connection.execute(reasons.where(deliveries.c.id.in_(gone))).all())
    return people, gone


def take_out(connection: Connection, claim: Claim, gone: Mapping[int, str], *, left: int) -> None:
    """Suppress those of a claimed batch who may not be mailed; call the batch off when nobody is `left`."""
    for number, reason in gone.items():
        set_status(connection, [number], DeliveryStatus.SUPPRESSED, reason)
    if left == 0:
        ours = and_(batches.c.id == claim.batch_id, batches.c.attempt_id == claim.attempt_id)
        connection.execute(update(batches).where(ours).values(state=BatchState.CANCELLED.value))
        connection.execute(
            update(attempts).where(attempts.c.id == claim.attempt_id).values(detail="nobody was left to be mailed")
        )


def record_outcome(
    connection: Connection,
    claim: Claim,
    kind: OutcomeKind,
    *,
    now: datetime,
    detail: str | None = None,
    message_id: str | None = None,
    refused: Mapping[int, str] | None = None,
) -> Consequence:
    """Note what became of a claimed call; gives what follows from it.

    `detail` says why; `refused` has the reasons of those deliveries (by id) that the provider named. An answer that
    comes after the batch was taken for uncertain corrects that; one that comes after an operator's decision is kept
    with the attempt only.
    """
    connection.execute(
        update(attempts)
        .where(attempts.c.id == claim.attempt_id)
        .values(ended_at=now, outcome=kind.value, detail=detail, message_id=message_id)
    )
    consequence = CONSEQUENCES[kind]
    ours = and_(
        batches.c.id == claim.batch_id,
        batches.c.attempt_id == claim.attempt_id,
        batches.c.state.in_([BatchState.SENDING.value, BatchState.UNCERTAIN.value]),
    )
    state = consequence.batch
    if state is BatchState.PLANNED and _is_cancelled(connection, claim.dispatch_id):
        state = BatchState.CANCELLED
    if connection.execute(update(batches).where(ours).values(state=state.value)).rowcount == 0:
        return consequence
    for number, reason in (refused or {}).items():
        set_status(connection, [number], DeliveryStatus.REFUSED, reason)
    if state in (BatchState.REFUSED, BatchState.CANCELLED):
        _follow(connection, claim.batch_id, DeliveryStatus(state.value), detail)
    if state is BatchState.PLANNED:
        _reopen(connection, claim.dispatch_id)
    if consequence.next_step is NextStep.STOP:
        stop_dispatch(connection, claim.dispatch_id, detail or kind.value)
    return consequence


def _reopen(connection: Connection, dispatch_id: int) -> None:
    """Let a dispatch that was taken for complete go on: a sender that was taken for dead says that nothing was sent."""
    complete = and_(dispatches.c.id == dispatch_id, dispatches.c.state == DispatchState.COMPLETE.value)
    reason = "a call that was uncertain turned out not to have been sent"
    connection.execute(
        update(dispatches).where(complete).values(state=DispatchState.STOPPED.value, stop_reason=reason, ended_at=None)
    )


def _is_cancelled(connection: Connection, dispatch_id: int) -> bool:
    state = connection.scalar(select(dispatches.c.state).where(dispatches.c.id == dispatch_id))
    return bool(state == DispatchState.CANCELLED.value)


def stop_dispatch(connection: Connection, dispatch_id: int, reason: str) -> None:
    """Let no batch be claimed any more until somebody runs it again; the first reason stays."""
    connection.execute(
        update(dispatches)
        .where(dispatches.c.id == dispatch_id, dispatches.c.state == DispatchState.SENDING.value)
        .values(state=DispatchState.STOPPED.value, stop_reason=reason)
    )


def settle_orphans(connection: Connection, dispatch_id: int | None = None, *, now: datetime) -> int:
    """Make uncertain what is in the hands of senders that are gone; gives how many batches those were."""
    sending = batches.c.state == BatchState.SENDING.value
    if dispatch_id is not None:
        sending = and_(sending, batches.c.dispatch_id == dispatch_id)
    senders = connection.scalars(select(batches.c.claimed_by).where(sending).distinct()).all()
    settled = 0
    for sender in senders:
        if sender is None or is_alive(connection, sender):
            continue
        theirs = and_(sending, batches.c.claimed_by == sender)
        connection.execute(
            update(attempts)
            .where(attempts.c.id.in_(select(batches.c.attempt_id).where(theirs)))
            .values(ended_at=now, detail="its sender ended before it knew the answer")
        )
        settled += connection.execute(update(batches).where(theirs).values(state=BatchState.UNCERTAIN.value)).rowcount
    return settled


def cancel_planned(connection: Connection, dispatch_id: int, reason: str) -> int:
    """Call off every batch that nobody has claimed; gives how many deliveries that were."""
    planned = and_(batches.c.dispatch_id == dispatch_id, batches.c.state == BatchState.PLANNED.value)
    cancelled = 0
    for number in connection.scalars(select(batches.c.id).where(planned)).all():
        # Between the two, somebody may have claimed it: then it is theirs.
        if _move(connection, number, BatchState.CANCELLED):
            cancelled += _follow(connection, number, DeliveryStatus.CANCELLED, reason)
    return cancelled


def batch_counts(connection: Connection, dispatch_id: int) -> dict[BatchState, int]:
    """How many batches of a dispatch are in each state."""
    query = select(batches.c.state, func.count()).where(batches.c.dispatch_id == dispatch_id).group_by(batches.c.state)
    return {BatchState(state): count for state, count in connection.execute(query)}


def set_status(connection: Connection, numbers: Sequence[int], status: DeliveryStatus, reason: str | None) -> None:
    """Give deliveries a status of their own."""
    connection.execute(
        update(deliveries).where(deliveries.c.id.in_(numbers)).values(status=status.value, reason=reason)
    )


def _move(connection: Connection, batch_id: int, state: BatchState, **columns: Any) -> bool:
    """Take a planned batch elsewhere; False when it isn't planned any more."""
    planned = and_(batches.c.id == batch_id, batches.c.state == BatchState.PLANNED.value)
    return connection.execute(update(batches).where(planned).values(state=state.value, **columns)).rowcount == 1


def _follow(connection: Connection, batch_id: int, status: DeliveryStatus, reason: str | None) -> int:
    """Write a batch's end beside each of its deliveries, so that another dispatch may reach these people."""
    following = and_(deliveries.c.batch_id == batch_id, deliveries.c.status.is_(None))
    return connection.execute(update(deliveries).where(following).values(status=status.value, reason=reason)).rowcount
