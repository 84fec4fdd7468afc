"""The sendings that this Studio does, each in a thread of its own: they outlive the page that began them.

What is true stands in the tables. Here is only who is at work, and what has failed.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from newsletter.delivery import DispatchState
from newsletter.dispatch.control import prepare_undo
from newsletter.dispatch.plan import Order, Plan, Watcher, freeze
from newsletter.dispatch.ramp import Ramp
from newsletter.dispatch.send import Progress, Speed, send, start
from newsletter.errors import DispatchError, NewsletterError
from newsletter.outbox import rehearsal_host
from newsletter.store.calls import is_being_sent
from newsletter.store.dispatches import (
    Dispatch,
    change_state,
    discard_dispatch,
    discard_plan,
    dispatch_by_id,
)

if TYPE_CHECKING:
    from newsletter.esp import Provider
    from newsletter.store import Store
    from newsletter.workspace import Workspace

CLOSED = "the Studio was closed; calls under way had ended"
"""Why a sending is paused that the Studio was doing when it was told to end."""
_MOST_POINTS = 600


class RunningSend:
    """One sending that is, or was, done here. `progress` is where it stood when it was last heard of; `points` are
    seconds since it began with how many had been accepted by then. `failure` says why it broke off."""

    def __init__(self, dispatch: Dispatch, speed: Speed, ramp: Ramp | None) -> None:
        self.dispatch = dispatch
        self.speed = speed
        self.ramp = ramp
        self.progress: Progress | None = None
        self.failure: NewsletterError | None = None
        self.points: list[tuple[float, int]] = []
        self._began = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it is at work, be it only to end the calls under way."""
        return self._thread is None or self._thread.is_alive()

    def stop(self) -> None:
        """Have no further call begin. What is left stays planned, and the dispatch is paused."""
        self._stopped.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; False when it isn't there after so many seconds."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.is_alive

    def begin(self, store: Store, provider: Provider, secret: str | None, held: ExitStack) -> None:
        """Send the started dispatch in a thread; `held` is closed when that ends."""
        name = f"sending {self.dispatch.id}"
        # A daemon: whoever ends the program a second time doesn't wait for an answer any more.
        self._thread = threading.Thread(target=self._run, args=(store, provider, secret, held), name=name, daemon=True)
        self._thread.start()

    def _run(self, store: Store, provider: Provider, secret: str | None, held: ExitStack) -> None:
        with held:
            try:
                done = send(
                    store,
                    provider,
                    self.dispatch,
                    secret=secret,
                    speed=self.speed,
                    ramp=self.ramp,
                    report=self._report,
                    stopped=self._stopped,
                )
                self._report(done)
                if self._stopped.is_set() and done.tally.planned:
                    self._pause(store)
            except NewsletterError as error:
                self.failure = error
            except Exception as error:  # a thread has nobody to raise it to: the page tells
                self.failure = NewsletterError(f"sending broke off: {type(error).__name__}", hint="resume it")
            finally:
                self._stopped.set()
                if self.dispatch.rehearsal:
                    with suppress(NewsletterError), store.write() as connection:
                        discard_dispatch(connection, self.dispatch.id)

    def _pause(self, store: Store) -> None:
        with store.write() as connection:
            change_state(
                connection, self.dispatch.id, DispatchState.PAUSED, since={DispatchState.SENDING}, reason=CLOSED
            )

    def _report(self, progress: Progress) -> None:
        self.progress = progress
        if not self.points or self.points[-1][1] != progress.tally.accepted:
            self.points.append((time.monotonic() - self._began, progress.tally.accepted))
        if len(self.points) > _MOST_POINTS:
            self.points = [*self.points[:-1:2], self.points[-1]]


class Sends:
    """All of them, by dispatch: at most one at a time for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, RunningSend] = {}
        self._starting: set[int] = set()
        self._closed = False

    def of(self, dispatch_id: int) -> RunningSend | None:
        """The newest sending of a dispatch that was begun here; it may have ended."""
        return self._known.get(dispatch_id)

    @property
    def is_closed(self) -> bool:
        """Whether the Studio is being ended: what takes long should end soon."""
        return self._closed

    def begin(
        self, workspace: Workspace, store: Store, dispatch_id: int, speed: Speed, ramp: Ramp | None
    ) -> RunningSend:
        """Start to send a plan, or go on with what was paused, stopped or interrupted.

        Raises DispatchError when it is being sent already or can't be started, and ProviderError.
        """
        with self._lock:
            if self._closed:
                raise DispatchError("the Studio is being closed", hint="start it again, and resume")
            known = self._known.get(dispatch_id)
            if dispatch_id in self._starting or (known is not None and known.is_alive):
                raise DispatchError("this is being sent already", hint="wait until it has ended")
            self._starting.add(dispatch_id)
        try:
            run = self._started(workspace, store, dispatch_id, speed, ramp)
            with self._lock:
                self._known[dispatch_id] = run
                if self._closed:
                    run.stop()
            return run
        finally:
            with self._lock:
                self._starting.discard(dispatch_id)

    def _started(
        self, workspace: Workspace, store: Store, dispatch_id: int, speed: Speed, ramp: Ramp | None
    ) -> RunningSend:
        with store.read() as connection:
            dispatch = dispatch_by_id(connection, dispatch_id)
            elsewhere = is_being_sent(connection, dispatch_id)
        if elsewhere:
            raise DispatchError("this is being sent by another program", hint="wait until it has ended, or pause it")
        with ExitStack() as held:
            if dispatch is not None and dispatch.rehearsal:
                workspace = held.enter_context(rehearsal_host(workspace))
            provider = held.enter_context(workspace.open_provider())
            if dispatch is not None and dispatch.send_at is not None:
                prepare_undo(store, provider, dispatch)
            started = start(store, dispatch_id, now=datetime.now(UTC))
            stages = (ramp or Ramp()) if started.audience.get("ramp") else None
            run = RunningSend(started, speed, stages)
            run.begin(store, provider, workspace.secret, held.pop_all())
        return run

    def confirmed(
        self,
        workspace: Workspace,
        store: Store,
        order: Order,
        count: int | None,
        speed: Speed,
        ramp: Ramp | None,
        watch: Watcher | None = None,
    ) -> Plan:
        """Freeze a plan and send it, when it has the `count` of recipients that somebody typed (a rehearsal asks for
        none). The Plan has no dispatch when the count differs: then nothing is kept, and nothing was sent.

        Raises as `freeze` and `begin` do; nothing is kept of a plan that can't be started.
        """
        plan = freeze(store, order, now=datetime.now(UTC), secret=workspace.secret, watch=watch)
        assert plan.dispatch is not None
        if not order.rehearsal and plan.recipients != count:
            with store.write() as connection:
                discard_plan(connection, plan.dispatch.id)
            return replace(plan, dispatch=None)
        try:
            self.begin(workspace, store, plan.dispatch.id, speed, ramp)
        except NewsletterError:
            with store.write() as connection:
                discard_plan(connection, plan.dispatch.id)
            raise
        return plan

    def close(self) -> None:
        """Have no further call begin, and wait until those under way have ended."""
        with self._lock:
            self._closed = True
            known = list(self._known.values())
        for run in known:
            run.stop()
        for run in known:
            run.wait()
