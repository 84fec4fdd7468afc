"""Holding, calling off and undoing a dispatch, from any program that can open the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.delivery import UNFINISHED, BatchState, DispatchState
from newsletter.errors import DispatchError
from newsletter.esp import BatchId, Cancelled, NotSent, Provider, Throttled, Uncertain
from newsletter.store import Store
from newsletter.store.batches import batch_counts, cancel_planned, settle_orphans
from newsletter.store.dispatches import Dispatch, change_state
from newsletter.store.mail_batches import assign_mail_batches, call_off, mail_batches

UNDO_GROUPS = 8
"""The provider keeps at most ten cancelled batches at once; two are left for others."""
_TRIES = 5
_LOOK_SECONDS = 0.5
_LOOKS = 120
"""A minute in all: a call waits for its answer for half of that at most."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo came to: deliveries that will certainly not arrive, that may, and why groups weren't called off."""

    cancelled: int
    uncertain: int
    failures: tuple[str, ...]


def pause(store: Store, dispatch: Dispatch) -> None:
    """Let no batch be claimed until it is resumed; calls under way end. Raises DispatchError when it isn't sending."""
    with store.write() as connection:
        if not change_state(connection, dispatch.id, DispatchState.PAUSED, since={DispatchState.SENDING}):
            raise DispatchError(f"it isn't sending: it is {dispatch.state}")


def cancel(store: Store, dispatch: Dispatch, *, now: datetime) -> int:
    """Call off what nobody has claimed; gives how many deliveries that were. What is under way isn't held back."""
    with store.write() as connection:
        since = UNFINISHED | {DispatchState.PLANNED}
        if not change_state(connection, dispatch.id, DispatchState.CANCELLED, since=since, ended_at=now):
            raise DispatchError(f"there is nothing to cancel: it is {dispatch.state}")
        settle_orphans(connection, dispatch.id, now=now)
        return cancel_planned(connection, dispatch.id, "cancelled")


def prepare_undo(
    store: Store, provider: Provider, dispatch: Dispatch, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Give each batch of a scheduled dispatch a mail batch id of the provider, by which it can be called off.

    Does nothing for batches that have one. Raises DispatchError when the provider gives none.
    """
    with store.read() as connection:
        missing = mail_batches(connection, dispatch.id).get(None, 0)
    if not missing:
        return
    ids = [_new_id(provider, sleep) for _ in range(min(UNDO_GROUPS, missing))]
    with store.write() as connection:
        assign_mail_batches(connection, dispatch.id, ids)


def _new_id(provider: Provider, sleep: Callable[[float], None]) -> str:
    outcome = provider.new_batch_id()
    for attempt in range(_TRIES):
        match outcome:
            case BatchId(value):
                return value
            case NotSent() | Throttled() | Uncertain():
                # An id that was made and not heard of costs nothing.
                sleep(0.5 * 2**attempt)
                outcome = provider.new_batch_id()
            case _:
                break
    raise DispatchError(f"the provider gave no batch id, so it could not be undone: {getattr(outcome, 'reason', '')}")


def undo(
    store: Store,
    provider: Provider,
    dispatch: Dispatch,
    *,
    now: datetime,
    margin: timedelta,
    sleep: Callable[[float], None] = time.sleep,
) -> Undone:
    """Call off what was scheduled and hasn't gone out, and what is still planned.

    What is due in less than `margin` may go out all the same: it becomes uncertain, and so does what the provider
    doesn't call off. Raises DispatchError when the dispatch wasn't scheduled or is past its time, and when calls that
    are under way don't end: then it can be undone again.
    """
    if dispatch.send_at is None:
        raise DispatchError("it was sent at once: it can't be undone", hint="next time: --undo-window 20m")
    if now >= dispatch.send_at:
        raise DispatchError(f"it went out at {dispatch.send_at:%Y-%m-%d %H:%M} UTC: it can't be undone any more")
    with store.write() as connection:
        since = set(DispatchState) - {DispatchState.CANCELLED}
        change_state(connection, dispatch.id, DispatchState.CANCELLED, since=since, ended_at=now)
        settle_orphans(connection, dispatch.id, now=now)
        cancelled = cancel_planned(connection, dispatch.id, "undone before it was sent")
        groups = mail_batches(connection, dispatch.id)
    _let_calls_end(store, dispatch, now, sleep)
    sure = now < dispatch.send_at - margin
    uncertain, failures = 0, []
    for batch_id in filter(None, groups):
        reason = _call_off(provider, batch_id, sleep)
        if reason:
            failures.append(reason)
        with store.write() as connection:
            count = call_off(connection, dispatch.id, batch_id, sure=sure and not reason)
        if sure and not reason:
            cancelled += count
        else:
            uncertain += count
    return Undone(cancelled, uncertain, tuple(dict.fromkeys(failures)))


def _let_calls_end(store: Store, dispatch: Dispatch, now: datetime, sleep: Callable[[float], None]) -> None:
    """Wait for the answers of calls under way: one accepted after its group was called off might never go out."""
    for _ in range(_LOOKS):
        with store.write() as connection:
            settle_orphans(connection, dispatch.id, now=now)
            if not batch_counts(connection, dispatch.id).get(BatchState.SENDING):
                return
        sleep(_LOOK_SECONDS)
    raise DispatchError("calls are still under way: they could not be called off yet", hint="run undo again")


def _call_off(provider: Provider, batch_id: str, sleep: Callable[[float], None]) -> str | None:
    """Why the provider did not call a group off; None when it did."""
    for attempt in range(_TRIES):
        outcome = provider.cancel_scheduled(batch_id)
        match outcome:
            case Cancelled():
                return None
            case NotSent() | Throttled() | Uncertain() if attempt < _TRIES - 1:
                sleep(0.5 * 2**attempt)
            case _:
                return str(outcome.reason)
    return "the provider didn't answer"
