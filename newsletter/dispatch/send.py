"""Sending: claim, POST, record, by several threads, until nothing is left that may be sent. Resuming is the same."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.delivery import UNFINISHED, BatchState, DispatchState, NextStep, OutcomeKind, Tally
from newsletter.dispatch.envelope import Envelope, Recipients
from newsletter.dispatch.pace import Pace
from newsletter.dispatch.ramp import Ramp
from newsletter.errors import DispatchError, StoreError
from newsletter.esp import (
    Accepted,
    Message,
    NotAuthorised,
    NotSent,
    Outcome,
    Provider,
    RecipientsRefused,
    RequestRefused,
    Throttled,
    Uncertain,
)
from newsletter.issue import RenderedIssue
from newsletter.store import Store
from newsletter.store.batches import (
    Claim,
    ClaimedDelivery,
    batch_counts,
    claim_batch,
    look_again,
    record_outcome,
    settle_orphans,
    stop_dispatch,
    take_out,
)
from newsletter.store.deliveries import dispatch_tally
from newsletter.store.dispatches import Dispatch, change_state, dispatch_by_id, renderings
from newsletter.store.presence import new_sender_id

_LOOK_SECONDS = 0.25
"""How often progress is reported, and a thread looks again that waits for others."""
_RECORD_TRIES = 5
_OBJECTS_PER_COLLECTION = 100_000

_KINDS: Mapping[type, OutcomeKind] = {
    Accepted: OutcomeKind.ACCEPTED,
    NotSent: OutcomeKind.NOT_SENT,
    Throttled: OutcomeKind.THROTTLED,
    RecipientsRefused: OutcomeKind.RECIPIENTS_REFUSED,
    RequestRefused: OutcomeKind.REQUEST_REFUSED,
    NotAuthorised: OutcomeKind.NOT_AUTHORISED,
    Uncertain: OutcomeKind.UNCERTAIN,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a sending stands: `per_second` is recipients settled by this sender, `seconds_left` an estimate."""

    state: DispatchState
    tally: Tally
    per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """How hard to push: calls at once, and recipients a second (as fast as the provider takes them when None)."""

    connections: int = 8
    per_second: float | None = None


def start(store: Store, dispatch_id: int, *, now: datetime) -> Dispatch:
    """Let a plan be sent, or one go on that was stopped or paused. Raises DispatchError when it can't be."""
    startable = UNFINISHED | {DispatchState.PLANNED}
    with store.write() as connection:
        dispatch = dispatch_by_id(connection, dispatch_id)
        if dispatch is None:
            raise DispatchError("this plan was replaced by a newer one", hint="look at it, and send that")
        started = dispatch.started_at or now
        if not change_state(
            connection, dispatch_id, DispatchState.SENDING, since=startable, started_at=started, ended_at=None
        ):
            raise DispatchError(f"this sending is {dispatch.state}: it can't go on")
        settle_orphans(connection, dispatch_id, now=now)
        changed = dispatch_by_id(connection, dispatch_id)
    assert changed is not None
    return changed


def send(
    store: Store,
    provider: Provider,
    dispatch: Dispatch,
    *,
    secret: str | None = None,
    speed: Speed = Speed(),
    ramp: Ramp | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    stopped: threading.Event | None = None,
) -> Progress:
    """Send what is planned of a started dispatch; gives where it stands when nothing is left, or when it had to stop.

    `report` is called now and then, from this thread. Setting `stopped` (or KeyboardInterrupt) lets the calls under
    way end and claims no more; a second KeyboardInterrupt is raised at once, and what was under way is uncertain.
    Raises StoreError when the database fails: no byte is sent that isn't claimed on the disk.
    """
    sender = Sender(store, provider, dispatch, secret, speed, ramp, stopped or threading.Event())
    with store.presence(sender.name), _rare_collections():
        threads = [threading.Thread(target=sender.work, daemon=True) for _ in range(speed.connections)]
        for thread in threads:
            thread.start()
        _watch(sender, threads, report)
    if sender.failure is not None:
        raise sender.failure
    return sender.finish(now=datetime.now(UTC))


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage less often: a call makes thousands of objects, none of them in a cycle, and a
    third of the time went into looking through them."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_PER_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _watch(sender: Sender, threads: list[threading.Thread], report: Callable[[Progress], None]) -> None:
    """Report until all threads have ended."""
    interrupted = False
    while any(thread.is_alive() for thread in threads):
        try:
            if not sender.ended.wait(_LOOK_SECONDS):
                report(sender.progress())
            else:
                for thread in threads:
                    thread.join()
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            sender.stopped.set()
        except Exception:  # whoever listens failed: no call may outlive the presence that stands for it
            sender.stopped.set()
            for thread in threads:
                thread.join()
            raise


class Sender:
    """What the threads of one sending share."""

    def __init__(
        self,
        store: Store,
        provider: Provider,
        dispatch: Dispatch,
        secret: str | None,
        speed: Speed,
        ramp: Ramp | None,
        stopped: threading.Event,
    ) -> None:
        self.name = new_sender_id()
        self.stopped = stopped
        self.ended = threading.Event()
        """Set when the last thread ends."""
        self.failure: BaseException | None = None
        self._store = store
        self._provider = provider
        self._dispatch = dispatch
        self._pace = Pace(speed.connections, speed.per_second)
        self._ramp = ramp
        self._lock = threading.Lock()
        self._threads = speed.connections
        self._settled = 0
        self._began = time.monotonic()
        self._envelope = Envelope.from_json(dispatch.envelope)
        with store.read() as connection:
            self._renderings: dict[str, RenderedIssue] = renderings(connection, dispatch)
        self._messages: dict[tuple[str, str | None], Message] = {}
        self._recipients = {
            variant: Recipients(self._envelope, rendered, dispatch.list_name, secret)
            for variant, rendered in self._renderings.items()
        }

    def work(self) -> None:
        """One thread: claim, send, record, until there is nothing to claim any more."""
        try:
            while self._pace.enter(self.stopped):
                try:
                    more = self._one_call()
                finally:
                    self._pace.leave()
                if not more:
                    break
        except BaseException as error:  # whatever it is, the thread that waits has to hear of it
            self.failure = self.failure or error
            self.stopped.set()
        finally:
            with self._lock:
                self._threads -= 1
                if self._threads == 0:
                    self.ended.set()

    def _one_call(self) -> bool:
        """Take one batch through. False when this thread has nothing more to do."""
        with self._store.write() as connection:
            if self._ramp is not None and not self._ramp.may_go_on(connection, self._dispatch.id):
                claim = None
            else:
                claim = claim_batch(connection, self._dispatch.id, self.name, now=datetime.now(UTC))
        if claim is None:
            return self._something_may_come()
        people = self._may_be_mailed(claim)
        if not people:
            return True
        self._pace.spend(len(people))
        outcome = self._provider.send(self._message(claim), self._recipients[claim.variant].of(claim, people))
        next_step = self._record(claim, people, outcome)
        match outcome:
            case Throttled(_, retry_at):
                self._pace.throttled(retry_at)
            case NotSent(reason):
                if not self._pace.unreachable():
                    with self._store.write() as connection:
                        stop_dispatch(connection, self._dispatch.id, reason)
                    return False
            case _:
                self._pace.answered()
                with self._lock:
                    self._settled += len(people)
        return next_step is not NextStep.STOP

    def _may_be_mailed(self, claim: Claim) -> list[ClaimedDelivery]:
        """Those of a claimed batch who are neither suppressed nor gone by now."""
        with self._store.read() as connection:
            people, gone = look_again(connection, claim)
        if gone or not people:
            with self._store.write() as connection:
                take_out(connection, claim, gone, left=len(people))
        return people

    def _something_may_come(self) -> bool:
        """Whether batches are planned that can't be claimed yet: a stage of a ramp, or another's that came back."""
        with self._store.read() as connection:
            dispatch = dispatch_by_id(connection, self._dispatch.id)
            planned = batch_counts(connection, self._dispatch.id).get(BatchState.PLANNED, 0)
        if not planned or dispatch is None or dispatch.state is not DispatchState.SENDING:
            return False
        self.stopped.wait(_LOOK_SECONDS)
        return True

    def _message(self, claim: Claim) -> Message:
        key = (claim.variant, claim.mail_batch_id)
        with self._lock:
            if key not in self._messages:
                self._messages[key] = self._envelope.message(
                    self._renderings[claim.variant], send_at=self._dispatch.send_at, batch_id=claim.mail_batch_id
                )
            return self._messages[key]

    def _record(self, claim: Claim, people: Sequence[ClaimedDelivery], outcome: Outcome) -> NextStep:
        detail = getattr(outcome, "reason", None)
        message_id = outcome.message_id if isinstance(outcome, Accepted) else None
        refused = None
        if isinstance(outcome, RecipientsRefused):
            refused = {people[number].id: reason for number, reason in outcome.reasons.items()}
        for last in (False,) * (_RECORD_TRIES - 1) + (True,):
            # The answer is known now and will never be again: a busy database is asked more than once.
            with suppress(*() if last else (StoreError,)), self._store.write() as connection:
                return record_outcome(
                    connection,
                    claim,
                    _KINDS[type(outcome)],
                    now=datetime.now(UTC),
                    detail=detail,
                    message_id=message_id,
                    refused=refused,
                ).next_step
            time.sleep(_LOOK_SECONDS)
        raise AssertionError("the last try returns or raises")

    def progress(self) -> Progress:
        """Where it stands, as the tables say."""
        with self._store.read() as connection:
            dispatch = dispatch_by_id(connection, self._dispatch.id)
            counted = dispatch_tally(connection, self._dispatch.id)
        per_second = self._settled / max(0.001, time.monotonic() - self._began)
        left = counted.planned + counted.sending
        return Progress(
            dispatch.state if dispatch else DispatchState.CANCELLED,
            counted,
            per_second,
            left / per_second if per_second else None,
        )

    def finish(self, *, now: datetime) -> Progress:
        """Note that it is complete, when nothing is planned and nobody has anything under way."""
        with self._store.write() as connection:
            settle_orphans(connection, self._dispatch.id, now=now)
            counts = batch_counts(connection, self._dispatch.id)
            if not counts.get(BatchState.PLANNED) and not counts.get(BatchState.SENDING):
                since = {DispatchState.SENDING}
                change_state(connection, self._dispatch.id, DispatchState.COMPLETE, since=since, ended_at=now)
        return self.progress()
