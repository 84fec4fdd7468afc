"""Mails that were accepted and wait: for their `send_at`, or for somebody who paused their batch.

All times are passed in, and nothing here waits: whoever runs the clock asks `due` what goes out now.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Literal

from newsletter.sandbox.message import Call

MAX_HELD_BATCHES = 10
"""Batches that may be paused or cancelled at once."""
UNSURE = timedelta(minutes=10)
"""A pause or cancellation is promised to work only when it comes this long before the mails go out."""
PAUSE_EXPIRES = timedelta(hours=72)

Status = Literal["pause", "cancel"]


class StatusError(Exception):
    """A status can't be set or changed. `field` is the culprit in the request, `is_missing` when there is no status."""

    def __init__(self, message: str, field: str | None = None, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.field, self.is_missing = field, is_missing


@dataclass(frozen=True, slots=True)
class Held:
    """Mails of one call that go out at the same time: the `indices` of its personalizations."""

    due_at: datetime
    call: Call
    indices: tuple[int, ...]

    @property
    def batch_id(self) -> str | None:
        batch_id: str | None = self.call.body.get("batch_id")
        return batch_id


@dataclass(frozen=True, slots=True)
class _Set:
    status: Status
    since: datetime


class _Fate(Enum):
    WAITS = auto()
    GOES_OUT = auto()
    IS_DROPPED = auto()


class Schedule:
    """The batches of an account and what is held for later. Safe to use from several threads.

    `late_cancel` says what a pause or cancellation in the last ten minutes does: it `works`, or it is accepted and
    `fails`. A cancelled batch's mails are dropped when their time comes; until then it can be reinstated.
    """

    def __init__(self, late_cancel: Literal["works", "fails"] = "works") -> None:
        self._late_cancel_works = late_cancel == "works"
        self._lock = threading.Lock()
        self._batch_ids: set[str] = set()
        self._statuses: dict[str, _Set] = {}
        self._held: list[Held] = []
        self._cancelled = 0

    def new_batch(self) -> str:
        """The id of a new batch."""
        batch_id = secrets.token_urlsafe(32)
        with self._lock:
            self._batch_ids.add(batch_id)
        return batch_id

    @property
    def batch_ids(self) -> frozenset[str]:
        """The ids that were made here."""
        with self._lock:
            return frozenset(self._batch_ids)

    @property
    def waiting(self) -> list[Held]:
        """What is held, the next to go out first."""
        with self._lock:
            return sorted(self._held, key=lambda held: held.due_at)

    @property
    def cancelled(self) -> int:
        """Mails that were cancelled in time, and so never went out."""
        with self._lock:
            return self._cancelled

    def statuses(self) -> dict[str, Status]:
        """The paused and cancelled batches, in the order in which they became so."""
        with self._lock:
            return {batch_id: each.status for batch_id, each in self._statuses.items()}

    def hold(self, call: Call, now_at: datetime) -> None:
        """Take the mails of `call`, those that are due at once included."""
        with self._lock:
            self._held += _groups(call, now_at)

    def due(self, now_at: datetime) -> list[Held]:
        """What goes out now, the longest due first; it is no longer held, and neither is what was cancelled."""
        with self._lock:
            fates = [(held, self._fate(held, now_at)) for held in self._held]
            self._held = [held for held, fate in fates if fate is _Fate.WAITS]
            self._cancelled += sum(len(held.indices) for held, fate in fates if fate is _Fate.IS_DROPPED)
            going = [held for held, fate in fates if fate is _Fate.GOES_OUT]
        return sorted(going, key=lambda held: held.due_at)

    def set_status(self, batch_id: str, status: Status, now_at: datetime) -> None:
        """Pause or cancel a batch that is neither. Raises StatusError."""
        with self._lock:
            if batch_id not in self._batch_ids:
                raise StatusError("There is no such batch.", "batch_id")
            if batch_id in self._statuses:
                raise StatusError("The batch is paused or cancelled already: update its status.", "batch_id")
            if len(self._statuses) >= MAX_HELD_BATCHES:
                raise StatusError(f"The maximum of {MAX_HELD_BATCHES} paused or cancelled batches is reached.")
            self._statuses[batch_id] = _Set(status, now_at)

    def update_status(self, batch_id: str, status: Status, now_at: datetime) -> None:
        """Make a paused batch cancelled, or the other way round. Raises StatusError."""
        with self._lock:
            self._existing(batch_id)
            self._statuses[batch_id] = _Set(status, now_at)

    def delete_status(self, batch_id: str) -> None:
        """Let a paused or cancelled batch go out after all. Raises StatusError."""
        with self._lock:
            self._existing(batch_id)
            del self._statuses[batch_id]

    def clear(self) -> None:
        """Forget what is held; batches and their statuses stay."""
        with self._lock:
            self._held.clear()
            self._cancelled = 0

    def _existing(self, batch_id: str) -> None:
        if batch_id not in self._statuses:
            raise StatusError("The batch is neither paused nor cancelled.", "batch_id", is_missing=True)

    def _fate(self, held: Held, now_at: datetime) -> _Fate:
        if now_at < held.due_at:
            return _Fate.WAITS
        change = self._statuses.get(held.batch_id or "")
        if change is None or not (self._late_cancel_works or held.due_at - change.since >= UNSURE):
            return _Fate.GOES_OUT
        if change.status == "cancel" or now_at - held.due_at > PAUSE_EXPIRES:
            return _Fate.IS_DROPPED
        return _Fate.WAITS


def _groups(call: Call, now_at: datetime) -> Iterator[Held]:
    """The mails of `call` by when they are due; a personalization's `send_at` goes before the message's."""
    shared = call.body.get("send_at", 0)
    groups: dict[datetime, list[int]] = {}
    for index, personalization in enumerate(call.body["personalizations"]):
        send_at = datetime.fromtimestamp(max(0, personalization.get("send_at", shared)), UTC)
        groups.setdefault(max(send_at, now_at), []).append(index)
    for due_at, indices in groups.items():
        yield Held(due_at, call, tuple(indices))
