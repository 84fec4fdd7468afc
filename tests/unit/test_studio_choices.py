"""What is chosen on the Send page: what counts as a number, what is a fault and where, and when it goes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.dispatch.plan import UNDO_MARGIN
from newsletter.studio.sending.choices import UNDO_WINDOWS, Choices, typed_count

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
ZONE = "Europe/London"
FINE = Choices(list_name="members")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("4812", 4812),
        ("4,812", 4812),
        (" 4 812 ", 4812),
        ("4.812", 4812),
        ("4\u202f812", 4812),
        ("4'812", 4812),
        ("", None),
        ("all", None),
        ("4812 people", None),
        ("-4812", None),
        ("٤٨", None),
    ],
)
def test_a_number_is_digits_and_what_stands_between_them(words: str, count: int | None) -> None:
    assert typed_count(words) == count


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"list_name": ""}, "list_name"),
        ({"segment": "nobody-named-so"}, "segment"),
        ({"segment": 'subscriber.region = "north"'}, "segment"),
        ({"limit": "some"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"rate": "fast"}, "rate"),
        ({"ramp": True, "ramp_stop": "120"}, "ramp_stop"),
        ({"scheduled": True}, "day"),
        ({"scheduled": True, "day": "2026-03-31", "clock": "09:59"}, "day"),  # British summer time: a minute ago
        ({"scheduled": True, "day": "2026-04-04", "clock": "09:00"}, "day"),  # more than 72 hours ahead
    ],
)
def test_a_fault_stands_at_its_field(chosen: dict[str, object], field: str) -> None:
    faults = replace(FINE, **chosen).faults({"north": 'subscriber.region == "north"'}, ZONE, NOW)
    assert list(faults) == [field]


def test_what_is_fine_has_no_fault() -> None:
    chosen = Choices("members", "north", limit="1,000", rate="500/min", scheduled=True, day="2026-03-31", clock="10:01")
    assert chosen.faults({"north": 'subscriber.region == "north"'}, ZONE, NOW) == {}
    assert (chosen.limit_count(), chosen.speed().per_second) == (1000, 500 / 60)
    assert replace(FINE, ramp_stop="120").faults({}, ZONE, NOW) == {}, "a ramp that isn't chosen can't be wrong"


def test_a_fault_of_a_segment_says_which_words_are_wrong() -> None:
    typed = 'subscriber.region = "north"'
    fault = replace(FINE, segment=typed).faults({}, ZONE, NOW)["segment"]
    assert fault.offset is not None
    assert typed[fault.offset : fault.offset + fault.length] == "="
    assert "==" in (fault.hint or "")


@pytest.mark.parametrize("minutes", UNDO_WINDOWS)
def test_a_window_is_time_in_which_undoing_is_sure(minutes: int) -> None:
    """However short the window: the provider promises nothing in the last ten minutes, so it holds it for ten more."""
    chosen = replace(FINE, undo_minutes=minutes)
    send_at = chosen.send_at(ZONE, NOW)
    if minutes:
        assert send_at is not None
        assert send_at - UNDO_MARGIN - NOW == timedelta(minutes=minutes)
        assert f"holds it for {minutes + 10} minutes" in chosen.undo_words(ZONE, NOW)
    else:
        assert send_at is None
        assert "at once" in chosen.undo_words(ZONE, NOW)


@pytest.mark.parametrize(("clock", "words"), [("10:05", "doesn't promise"), ("12:00", "until Tue 31 Mar 2026 11:50")])
def test_a_time_is_the_publications_and_says_until_when_it_can_be_undone(clock: str, words: str) -> None:
    chosen = replace(FINE, scheduled=True, day="2026-03-31", clock=clock, undo_minutes=30)
    assert chosen.send_at(ZONE, NOW) == datetime(2026, 3, 31, int(clock[:2]) - 1, int(clock[3:]), tzinfo=UTC)
    assert words in chosen.undo_words(ZONE, NOW)
