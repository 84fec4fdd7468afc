"""How fast calls may go out, for all threads of a sender together: a rate, the provider's 429s, and its absence."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

GIVE_UP_AFTER = 8
"""Times in a row that the provider can't be reached before the dispatch stops."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_LONGEST_RESET = 900.0
"""Seconds; a provider that names a later time is asked again after these."""


class Pace:
    """Threads take turns: `enter` before a claim, one of the other methods after the call.

    `per_second` is recipients; None leaves it to the provider. After a 429 fewer calls run at once, and one more for
    every round of accepted ones, up to `connections`.
    """

    def __init__(
        self,
        connections: int,
        per_second: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connections = connections
        self._per_second = per_second
        self._clock = clock
        self._jitter = jitter
        self._changed = threading.Condition()
        self._allowed = float(connections)
        self._running = 0
        self._not_before = clock()
        self._failures = 0

    @property
    def allowed(self) -> int:
        """Calls that may run at once now."""
        return int(self._allowed)

    def enter(self, stopped: threading.Event) -> bool:
        """Wait for one's turn. False when `stopped` was set meanwhile; otherwise `leave` has to follow."""
        with self._changed:
            while not stopped.is_set():
                wait = self._not_before - self._clock()
                if wait <= 0 and self._running < self.allowed:
                    self._running += 1
                    return True
                # Woken by whoever leaves; looks up by itself for `stopped`, which tells nobody.
                self._changed.wait(min(max(wait, 0.01), 0.2) if wait > 0 else 0.2)
        return False

    def spend(self, recipients: int) -> None:
        """Count what is about to be sent against the rate."""
        if self._per_second is not None:
            with self._changed:
                self._not_before = max(self._not_before, self._clock()) + recipients / self._per_second

    def leave(self) -> None:
        """One's turn is over."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def answered(self) -> None:
        """The provider took a call or refused it: it is there, and not too busy."""
        with self._changed:
            self._failures = 0
            self._allowed = min(self._connections, self._allowed + 1 / max(1.0, self._allowed))

    def throttled(self, retry_at: datetime | None, now: datetime | None = None) -> None:
        """A 429: nobody calls before `retry_at` (UTC), or before a pause that grows, and then fewer at once."""
        with self._changed:
            self._allowed = max(1.0, self._allowed / 2)
            self._failures += 1
            pause = self._pause()
            if retry_at is not None:
                pause = min(_LONGEST_RESET, max(0.0, (retry_at - (now or datetime.now(UTC))).total_seconds()))
                pause += self._jitter() * 0.2
            self._hold(pause)

    def unreachable(self) -> bool:
        """No connection: everybody waits a pause that grows. False when it is time to give up."""
        with self._changed:
            self._failures += 1
            self._hold(self._pause())
            return self._failures < GIVE_UP_AFTER

    def _pause(self) -> float:
        """Seconds: doubled with each failure in a row, the half of them by chance (so that senders don't march)."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._failures - 1))
        return longest * (0.5 + self._jitter() / 2)

    def _hold(self, pause: float) -> None:
        self._not_before = max(self._not_before, self._clock() + pause)
