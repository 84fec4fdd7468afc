"""A ramp: a hundredth of the audience first, then a tenth, then the rest, and between them a look at what came back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from newsletter.delivery import DeliveryStatus
from newsletter.store.batches import next_stage, stop_dispatch, unsettled_before
from newsletter.store.deliveries import status_counts

DEFAULT_THRESHOLD = 0.05

_BAD = {
    DeliveryStatus.REFUSED: "refused",
    DeliveryStatus.BOUNCED: "bounced",
    DeliveryStatus.DROPPED: "dropped",
    DeliveryStatus.COMPLAINED: "complained",
}


class Ramp:
    """Opens one stage after the other. A stage waits `pause` seconds after the one before it is settled, so that
    bounces can come in, and stops the dispatch when more than `threshold` (a share) of what was sent went wrong.
    """

    def __init__(
        self, threshold: float = DEFAULT_THRESHOLD, pause: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._open = 0
        self._settled_since: float | None = None

    def may_go_on(self, connection: Any, dispatch_id: int) -> bool:
        """Whether the next planned batch may be claimed now. May stop the dispatch, with the figures as the reason."""
        stage = next_stage(connection, dispatch_id)
        with self._lock:
            if stage is None or stage <= self._open:
                return True
            if unsettled_before(connection, dispatch_id, stage):
                return False
            if self._settled_since is None:
                self._settled_since = self._clock()
            if self._clock() - self._settled_since < self._pause:
                return False
            if reason := self._too_bad(connection, dispatch_id, stage):
                stop_dispatch(connection, dispatch_id, reason)
                return False
            self._open, self._settled_since = stage, None
            return True

    def _too_bad(self, connection: Any, dispatch_id: int, stage: int) -> str | None:
        counts = status_counts(connection, dispatch_id, stage)
        sent = sum(counts.values()) - counts[DeliveryStatus.SUPPRESSED] - counts[DeliveryStatus.CANCELLED]
        bad = {word: counts[status] for status, word in _BAD.items() if counts[status]}
        if sum(bad.values()) <= self._threshold * sent:
            return None
        listed = ", ".join(f"{count:,} {word}" for word, count in bad.items())
        return f"the ramp stopped it: of the first {sent:,}, {listed}"
