"""Where a sending stands, in the words of its page, and what can be done about it: read from the tables each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from newsletter.delivery import DeliveryStatus, DispatchState, Tally, tally
from newsletter.errors import StoreError
from newsletter.store.batches import settle_orphans
from newsletter.store.calls import is_being_sent
from newsletter.store.deliveries import status_counts
from newsletter.store.dispatches import Dispatch, dispatch_by_id

if TYPE_CHECKING:
    from newsletter.store import Store
    from newsletter.studio.sending.running import RunningSend, Sends

_RATE_OVER = 10.0
"""Seconds over which the rate is taken."""
_BREAK, _BREAK_TIMES = 30.0, 20
"""Seconds without an accepted call, and times the usual gap, beyond which nobody can have been sending."""


class Phase(StrEnum):
    """Where a sending stands for whoever looks on; the words are for people."""

    PLANNED = "planned"
    """Frozen, and never started."""
    SENDING = "sending"
    """This Studio sends it."""
    ELSEWHERE = "sending elsewhere"
    """Another program sends it."""
    ENDING = "pausing"
    """No further call begins; those under way are being finished."""
    INTERRUPTED = "interrupted"
    """Its sender is gone before it was done."""
    PAUSED = "paused"
    STOPPED = "stopped"
    """The provider refused, or a ramp met too much: see the reason."""
    CANCELLED = "cancelled"
    HELD = "held by the provider"
    """All is handed over, and goes out later."""
    COMPLETE = "complete"


AT_WORK = frozenset({Phase.SENDING, Phase.ELSEWHERE, Phase.ENDING})
"""Phases in which the numbers change by themselves."""


class Undo(StrEnum):
    """Whether what was handed over can be called off."""

    NO = "no"
    SURE = "sure"
    UNSURE = "unsure"
    """The provider takes a cancellation, and promises nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A sending as it is now."""

    dispatch: Dispatch
    counts: Mapping[DeliveryStatus, int]
    tally: Tally
    phase: Phase
    undo: Undo

    @property
    def to_send(self) -> int:
        """How many were to get it."""
        return self.tally.audience - self.tally.suppressed - self.tally.cancelled

    @property
    def left(self) -> int:
        """How many are planned or under way."""
        return self.tally.planned + self.tally.sending

    @property
    def done(self) -> int:
        """How many have been handed over, for better or worse."""
        return self.tally.accepted + self.tally.refused + self.tally.uncertain

    @property
    def is_at_work(self) -> bool:
        """Whether the numbers change by themselves."""
        return self.phase in AT_WORK

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done about it, but to settle what is uncertain."""
        return self.phase in (Phase.COMPLETE, Phase.CANCELLED, Phase.HELD) and self.undo is Undo.NO

    @property
    def can_pause(self) -> bool:
        return self.phase in (Phase.SENDING, Phase.ELSEWHERE) and not self.dispatch.rehearsal

    @property
    def can_resume(self) -> bool:
        return self.phase in (Phase.INTERRUPTED, Phase.PAUSED, Phase.STOPPED)

    @property
    def can_cancel(self) -> bool:
        """Whether something is left that can be called off before it is handed over. Undoing does that too."""
        return (
            (self.is_at_work or self.can_resume)
            and self.undo is Undo.NO
            and self.dispatch.state is not DispatchState.CANCELLED
        )


def phase_of(dispatch: Dispatch, counted: Tally, now: datetime, *, here: bool, elsewhere: bool) -> Phase:
    """The phase of a dispatch; `here` and `elsewhere` say whether this program sends it, or another."""
    match dispatch.state:
        case DispatchState.PLANNED:
            return Phase.PLANNED
        case DispatchState.SENDING if here:
            return Phase.SENDING
        case DispatchState.SENDING:
            return Phase.ELSEWHERE if elsewhere else Phase.INTERRUPTED
        case DispatchState.PAUSED:
            return Phase.ENDING if here or (elsewhere and counted.sending) else Phase.PAUSED
        case DispatchState.STOPPED:
            return Phase.ENDING if here else Phase.STOPPED
        case DispatchState.CANCELLED:
            return Phase.CANCELLED
        case DispatchState.COMPLETE:
            held = dispatch.send_at is not None and now < dispatch.send_at and counted.accepted
            return Phase.HELD if held else Phase.COMPLETE


def undo_of(dispatch: Dispatch, counted: Tally, now: datetime) -> Undo:
    """Whether a dispatch can be undone now."""
    something = counted.accepted + counted.uncertain + counted.planned + counted.sending
    if dispatch.send_at is None or now >= dispatch.send_at or not something or dispatch.rehearsal:
        return Undo.NO
    if dispatch.state is DispatchState.PLANNED:
        return Undo.NO
    if dispatch.state is DispatchState.CANCELLED and not (counted.accepted or counted.uncertain):
        return Undo.NO
    return Undo.SURE if dispatch.undo_until is not None and now < dispatch.undo_until else Undo.UNSURE


def read_standing(store: Store, sends: Sends, dispatch_id: int, now: datetime) -> Standing | None:
    """A dispatch as it stands; None when there is none of this number. What a sender that is gone had in its hands
    becomes uncertain. Of a rehearsal that has ended no rows are left: it is told from memory. Raises StoreError."""
    run = sends.of(dispatch_id)
    here = run is not None and run.is_alive
    with store.read() as connection:
        dispatch = dispatch_by_id(connection, dispatch_id)
        if dispatch is None:
            return _remembered(run) if run is not None and run.dispatch.rehearsal else None
        counts = status_counts(connection, dispatch_id)
        open_calls = counts[DeliveryStatus.SENDING] > 0
        unfinished = dispatch.state is DispatchState.SENDING or open_calls
        elsewhere = unfinished and not here and is_being_sent(connection, dispatch_id)
    if open_calls and not here and not elsewhere:
        counts = _settled(store, dispatch_id, now) or counts
    counted = tally(counts)
    phase = phase_of(dispatch, counted, now, here=here, elsewhere=elsewhere)
    return Standing(dispatch, counts, counted, phase, undo_of(dispatch, counted, now))


def _remembered(run: RunningSend) -> Standing | None:
    if run.progress is None:
        return None
    counted, state = run.progress.tally, run.progress.state
    counts = {DeliveryStatus(name): getattr(counted, name) for name in Tally.__slots__}
    phase = Phase.COMPLETE if state is DispatchState.COMPLETE else Phase.CANCELLED
    return Standing(run.dispatch, counts, counted, phase, Undo.NO)


def _settled(store: Store, dispatch_id: int, now: datetime) -> dict[DeliveryStatus, int] | None:
    try:
        with store.write() as connection:
            settle_orphans(connection, dispatch_id, now=now)
            return status_counts(connection, dispatch_id)
    except StoreError:
        return None  # it can be read and not written: then it is told as it is


def phase_words(standing: Standing, moment: str = "") -> str:
    """A sentence about the phase; `moment` is the time to send at, in words, when there is one."""
    match standing.phase:
        case Phase.PLANNED:
            return "Planned, and never started. While it is kept, those in it count as about to get the issue."
        case Phase.SENDING:
            return "Being sent. You can close this page: the Studio goes on."
        case Phase.ELSEWHERE:
            return "Being sent by another program on this database."
        case Phase.ENDING:
            return "No further call begins; those under way are being finished."
        case Phase.INTERRUPTED:
            return "Interrupted: whoever was sending it is gone. Nobody gets it twice when you resume it."
        case Phase.PAUSED:
            return f"Paused{_because(standing)}. It goes on when you resume it."
        case Phase.STOPPED:
            return f"Stopped{_because(standing)}. When that is mended, resume it."
        case Phase.CANCELLED if standing.dispatch.rehearsal:
            return "The rehearsal was ended early: nobody was mailed."
        case Phase.CANCELLED:
            return "Cancelled. Those who were not mailed can be reached by sending the issue anew."
        case Phase.HELD:
            return f"Handed over. The provider sends it at {moment}."
        case Phase.COMPLETE:
            if standing.dispatch.rehearsal:
                return "A rehearsal: nobody was mailed."
            uncertain = standing.tally.uncertain
            return f"Complete. {uncertain:,} are uncertain: settle them in the report." if uncertain else "Complete."


def _because(standing: Standing) -> str:
    return f": {standing.dispatch.stop_reason}" if standing.dispatch.stop_reason else ""


def equation(counted: Tally) -> str:
    """The sum that always holds: where everybody of the audience stands."""
    parts = [f"{getattr(counted, name):,} {name}" for name in Tally.__slots__ if getattr(counted, name)]
    return " + ".join(parts or ["0"]) + f" = {counted.audience:,} in the audience"


@dataclass(slots=True)
class Pulse:
    """How fast it goes, out of what was seen in the last seconds."""

    seen: list[tuple[float, int]] = field(default_factory=list)

    def note(self, clock: float, done: int) -> None:
        """Note how many are done at a time of a steady clock."""
        self.seen = [each for each in self.seen if clock - each[0] <= _RATE_OVER]
        self.seen.append((clock, done))

    @property
    def per_second(self) -> float | None:
        """Recipients a second; None when too little was seen."""
        (began, first), (ended, last) = self.seen[0], self.seen[-1]
        return (last - first) / (ended - began) if ended - began >= 1 else None

    def seconds_left(self, left: int) -> float | None:
        """An estimate of how long `left` more will take; None when it can't be told."""
        rate = self.per_second
        return left / rate if rate else None


def duration_words(seconds: float) -> str:
    """`45 s`, `3 min`, `1 h 20 min`."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def countdown_words(left: timedelta) -> str:
    """Minutes and seconds, `0:00` when nothing is left."""
    minutes, seconds = divmod(max(0, int(left.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def curve(began: datetime, calls: Sequence[tuple[datetime, int]]) -> list[tuple[float, int]]:
    """Accepted recipients against seconds of work since it `began`, out of the calls that were accepted. A time in
    which nothing was accepted for far longer than usual, as when it was paused, is left out.
    """
    moments = [began, *(moment for moment, _ in calls)]
    gaps = [max(0.0, (later - earlier).total_seconds()) for earlier, later in pairwise(moments)]
    longest = max(_BREAK, _BREAK_TIMES * median(gaps)) if gaps else 0.0
    at, total, points = 0.0, 0, [(0.0, 0)]
    for gap, (_, recipients) in zip(gaps, calls, strict=True):
        at += gap if gap <= longest else 0.0
        total += recipients
        points.append((at, total))
    return points


def thinned(points: list[tuple[float, int]], most: int = 300) -> list[tuple[float, int]]:
    """At most so many of the points, the first and the last among them."""
    step = -(-len(points) // most)
    return [*points[:-1:step], points[-1]] if step > 1 else list(points)
