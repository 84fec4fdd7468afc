"""Where a sending stands, in the words of its page, and what can be done about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.delivery import DispatchState, Tally
from newsletter.store.dispatches import Dispatch
from newsletter.studio.sending.standing import (
    Phase,
    Pulse,
    Standing,
    Undo,
    countdown_words,
    curve,
    duration_words,
    equation,
    phase_of,
    phase_words,
    thinned,
    undo_of,
)

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(minutes=30)
HALF = Tally(planned=40, sending=10, accepted=50)
DONE = Tally(accepted=100)


def dispatch(state: DispatchState, send_at: datetime | None = None, **changes: Any) -> Dispatch:
    values: dict[str, Any] = {
        "id": 7, "issue_slug": "spring", "list_name": "members", "rehearsal": False, "audience": {}, "envelope": {},
        "send_at": send_at, "undo_until": send_at - timedelta(minutes=10) if send_at else None, "state": state,
        "stop_reason": None, "planned_at": NOW, "started_at": NOW, "ended_at": None,
    }  # fmt: skip
    return Dispatch(**values | changes)


@pytest.mark.parametrize(
    ("state", "counted", "send_at", "here", "elsewhere", "phase"),
    [
        (DispatchState.PLANNED, HALF, None, False, False, Phase.PLANNED),
        (DispatchState.SENDING, HALF, None, True, False, Phase.SENDING),
        (DispatchState.SENDING, HALF, None, False, True, Phase.ELSEWHERE),
        (DispatchState.SENDING, HALF, None, False, False, Phase.INTERRUPTED),
        (DispatchState.PAUSED, HALF, None, True, False, Phase.ENDING),
        (DispatchState.PAUSED, HALF, None, False, True, Phase.ENDING),
        (DispatchState.PAUSED, HALF, None, False, False, Phase.PAUSED),
        (DispatchState.STOPPED, HALF, None, True, False, Phase.ENDING),
        (DispatchState.STOPPED, HALF, None, False, False, Phase.STOPPED),
        (DispatchState.CANCELLED, DONE, None, True, False, Phase.CANCELLED),
        (DispatchState.COMPLETE, DONE, None, False, False, Phase.COMPLETE),
        (DispatchState.COMPLETE, DONE, LATER, False, False, Phase.HELD),
        (DispatchState.COMPLETE, DONE, NOW, False, False, Phase.COMPLETE),
    ],
)
def test_the_phase(
    state: DispatchState, counted: Tally, send_at: datetime | None, here: bool, elsewhere: bool, phase: Phase
) -> None:
    assert phase_of(dispatch(state, send_at), counted, NOW, here=here, elsewhere=elsewhere) is phase


@pytest.mark.parametrize(
    ("state", "counted", "send_at", "undo"),
    [
        (DispatchState.COMPLETE, DONE, None, Undo.NO),
        (DispatchState.COMPLETE, DONE, LATER, Undo.SURE),
        (DispatchState.COMPLETE, DONE, SOON, Undo.UNSURE),
        (DispatchState.COMPLETE, DONE, NOW, Undo.NO),
        (DispatchState.SENDING, HALF, LATER, Undo.SURE),
        (DispatchState.PAUSED, HALF, SOON, Undo.UNSURE),
        (DispatchState.PLANNED, HALF, LATER, Undo.NO),
        (DispatchState.CANCELLED, HALF, LATER, Undo.SURE),  # what was handed over before it was cancelled
        (DispatchState.CANCELLED, Tally(cancelled=100), LATER, Undo.NO),
        (DispatchState.COMPLETE, Tally(refused=100), LATER, Undo.NO),
    ],
)
def test_undoing_is_offered_while_there_is_something_to_call_off(
    state: DispatchState, counted: Tally, send_at: datetime | None, undo: Undo
) -> None:
    assert undo_of(dispatch(state, send_at), counted, NOW) is undo


@pytest.mark.parametrize(
    ("phase", "undo", "offered"),
    [
        (Phase.SENDING, Undo.NO, {"pause", "cancel"}),
        (Phase.ELSEWHERE, Undo.NO, {"pause", "cancel"}),
        (Phase.ENDING, Undo.NO, {"cancel"}),
        (Phase.INTERRUPTED, Undo.NO, {"resume", "cancel"}),
        (Phase.PAUSED, Undo.NO, {"resume", "cancel"}),
        (Phase.STOPPED, Undo.NO, {"resume", "cancel"}),
        (Phase.SENDING, Undo.SURE, {"pause"}),  # undoing calls off what is planned, too
        (Phase.COMPLETE, Undo.NO, set()),
        (Phase.HELD, Undo.SURE, set()),
        (Phase.CANCELLED, Undo.NO, set()),
        (Phase.PLANNED, Undo.NO, set()),  # it is discarded, which leaves no trace
    ],
)
def test_what_can_be_done(phase: Phase, undo: Undo, offered: set[str]) -> None:
    standing = Standing(dispatch(DispatchState.SENDING), {}, HALF, phase, undo)
    can = {"pause": standing.can_pause, "resume": standing.can_resume, "cancel": standing.can_cancel}
    assert {name for name, may in can.items() if may} == offered


def test_why_it_stopped_is_said() -> None:
    stopped = dispatch(DispatchState.STOPPED, stop_reason="the key was refused")
    assert "the key was refused" in phase_words(Standing(stopped, {}, HALF, Phase.STOPPED, Undo.NO))


def test_the_sum_adds_up() -> None:
    counted = Tally(1, 2, 3, 4, 5, 6, 7)
    words = equation(counted)
    left, _, right = words.partition(" = ")
    assert sum(int(part.split()[0]) for part in left.split(" + ")) == int(right.split()[0]) == counted.audience
    assert equation(Tally(accepted=4812)) == "4,812 accepted = 4,812 in the audience"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    pulse = Pulse()
    pulse.note(0.0, 0)
    assert pulse.per_second is None
    for second in range(1, 31):
        pulse.note(float(second), 100 * second if second <= 20 else 2000 + 10 * (second - 20))
    assert pulse.per_second == pytest.approx(10)
    assert pulse.seconds_left(100) == pytest.approx(10)
    for second in range(31, 45):
        pulse.note(float(second), 2100)
    assert pulse.per_second == 0
    assert pulse.seconds_left(100) is None, "what stands still has no end"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (45.4, "45 s"), (89, "89 s"), (180, "3 min"), (4800, "1 h 20 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0:00"), (9, "0:09"), (754, "12:34"), (3671, "1:01:11")])
def test_countdowns(seconds: int, words: str) -> None:
    assert countdown_words(timedelta(seconds=seconds)) == words


def test_a_pause_is_left_out_of_the_curve_and_a_slow_pace_is_not() -> None:
    def at(seconds: float) -> datetime:
        return NOW + timedelta(seconds=seconds)

    paused = curve(NOW, [*((at(second), 10) for second in range(1, 11)), (at(3600), 10), (at(3601), 10)])
    assert paused[-1] == (11.0, 120)
    slow = curve(NOW, [(at(600 * number), 500) for number in range(1, 5)])
    assert slow[-1] == (2400.0, 2000)


def test_the_curve_begins_at_nothing_and_ends_with_all() -> None:
    calls = [(NOW + timedelta(seconds=second), 50) for second in range(1, 1000)]
    points = curve(NOW, calls)
    assert (points[0], points[-1]) == ((0.0, 0), (999.0, 49_950))
    fewer = thinned(points, 100)
    assert len(fewer) <= 101
    assert (fewer[0], fewer[-1]) == (points[0], points[-1])
    assert thinned(points[:5], 100) == points[:5]
