"""The history of one sending, and of one address in it, as lines for people."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from newsletter.delivery import DispatchState, OutcomeKind, Tally
from newsletter.dispatch.times import local_words
from newsletter.store.audience import Selection
from newsletter.store.calls import Calls
from newsletter.store.dispatches import Dispatch


class Line(NamedTuple):
    """When something happened, and what."""

    at: str
    what: str


def clock_words(moment: datetime, zone: str) -> str:
    """A point in time to the second, in a time zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%d %b %Y %H:%M:%S}"


def story_of(dispatch: Dispatch, calls: Calls, counted: Tally, zone: str) -> list[Line]:
    """What happened to a sending, in the order of time."""
    people = f"{counted.audience:,} people" if counted.audience != 1 else "1 person"
    lines = [Line(clock_words(dispatch.planned_at, zone), f"Planned for {people}: {audience_words(dispatch)}")]
    if dispatch.started_at is not None:
        lines.append(Line(clock_words(dispatch.started_at, zone), "Started"))
    if dispatch.send_at is not None:
        undo = f", can be undone until {local_words(dispatch.undo_until, zone)}" if dispatch.undo_until else ""
        lines.append(Line("", f"The provider is told to send it at {local_words(dispatch.send_at, zone)}{undo}"))
    if calls.first_at is not None and calls.last_at is not None:
        lines.append(Line(clock_words(calls.first_at, zone), f"The first of {calls_words(calls)}"))
        if calls.last_at != calls.first_at:
            lines.append(Line(clock_words(calls.last_at, zone), "The last call began"))
    if dispatch.stop_reason and dispatch.state is not DispatchState.COMPLETE:
        lines.append(Line("", f"{dispatch.state.value.capitalize()}: {dispatch.stop_reason}"))
    if dispatch.ended_at is not None:
        lines.append(Line(clock_words(dispatch.ended_at, zone), dispatch.state.value.capitalize()))
    return lines


def calls_words(calls: Calls) -> str:
    """How many calls there were, and what they came to."""
    total = sum(calls.outcomes.values())
    order: list[OutcomeKind | None] = [*OutcomeKind, None]
    parts = [
        f"{calls.outcomes[kind]:,} {kind.value if kind else 'without an answer'}"
        for kind in order
        if calls.outcomes.get(kind)
    ]
    return f"{total:,} {'call' if total == 1 else 'calls'}: {', '.join(parts)}"


def audience_words(dispatch: Dispatch) -> str:
    """Who was meant."""
    selection = Selection.from_json(dispatch.audience)
    parts = [f"the list {dispatch.list_name}"]
    if selection.segment:
        parts.append(f"only those for whom {selection.segment}")
    if selection.exclude_lists:
        parts.append(f"not on {', '.join(selection.exclude_lists)}")
    if selection.exclude_received:
        parts.append(f"without those who had {', '.join(selection.exclude_received)}")
    if selection.limit is not None:
        parts.append(f"at most {selection.limit:,}")
    if dispatch.audience.get("ramp"):
        parts.append("in a ramp")
    return ", ".join(parts)
