"""The fields of the Send page: who gets it, when, and how fast. They give `Choices`, and show faults at their place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from newsletter.studio.sending.choices import RAMP_WAITS, UNDO_WINDOWS, Choices, Fault
from newsletter.studio.sending.planning import Known
from newsletter.studio.widgets import field, heading, select, words

_WRITTEN = "="
"""The choice of a segment that is written as an expression."""


class ChoiceFields:
    """The fields on a page; `changed` is called when something else is chosen."""

    def __init__(
        self, known: Known, segments: dict[str, str], zone: str, chosen: Choices, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._changed = changed
        self._zone = zone
        self._fields: dict[str, Any] = {}
        self._audience(known, segments, chosen)
        self._time(chosen)
        with ui.expansion("More").classes("sending-more").props("dense"), ui.element("div").classes("stack"):
            self._more(known, chosen)
        self._show_parts()

    def choices(self) -> Choices:
        """What is chosen."""
        value = {name: each.value for name, each in self._fields.items()}
        written = value["segment"] == _WRITTEN
        return Choices(
            list_name=value["list_name"] or "",
            segment=(value["expression"] or "").strip() if written else value["segment"] or "",
            exclude_lists=tuple(value["exclude_lists"] or ()),
            exclude_received=tuple(value["exclude_received"] or ()),
            limit=value["limit"] or "",
            scheduled=value["when"] == "at",
            day=value["day"] or "",
            clock=value["clock"] or "",
            undo_minutes=int(value["undo_minutes"] or 0),
            ramp=bool(value["ramp"]),
            ramp_wait=int(value["ramp_wait"] or 0),
            ramp_stop=value["ramp_stop"] or "",
            rate=value["rate"] or "",
            rehearsal=bool(value["rehearsal"]),
        )

    def show(self, faults: dict[str, Fault]) -> None:
        """Show faults at their fields, and what the choices mean in words."""
        for name in ("list_name", "limit", "rate", "ramp_stop", "day"):
            fault = faults.get(name)
            self._fields[name].props["error"] = fault is not None
            self._fields[name].props["error-message"] = _sentence(fault) if fault else None
        self._segment_fault.clear()
        if fault := faults.get("segment"):
            with self._segment_fault:
                _underlined(self.choices().segment, fault)
        self._undo_words.text = "" if "day" in faults else self.choices().undo_words(self._zone, datetime.now(UTC))

    async def _on_change(self) -> None:
        self._show_parts()
        await self._changed()

    def _show_parts(self) -> None:
        value = {name: each.value for name, each in self._fields.items()}
        self._fields["expression"].set_visibility(value["segment"] == _WRITTEN)
        self._moment.set_visibility(value["when"] == "at")
        self._fields["undo_minutes"].set_visibility(value["when"] == "now")
        self._ramp_fields.set_visibility(bool(value["ramp"]))

    def _add(self, name: str, made: Any) -> Any:
        self._fields[name] = made
        if isinstance(made, ui.input | ui.select):
            made.props("hide-bottom-space no-error-icon")
        made.on_value_change(self._on_change)
        return made

    def _audience(self, known: Known, segments: dict[str, str], chosen: Choices) -> None:
        heading("Who gets it")
        lists = {name: f"{name} · {size:,}" for name, size in known.sizes.items()}
        self._add("list_name", select("List", lists, chosen.list_name or None))
        named = {name: f"{name} · {expression}" for name, expression in segments.items()}
        options = {"": "Everybody on it", **named, _WRITTEN: "Only those for whom …"}
        given = chosen.segment
        self._add("segment", select("Of the list", options, given if given in options else _WRITTEN))
        expression = field("Those for whom this holds", "" if given in options else given)
        expression.props(f"debounce=350 input-class=mono placeholder='{_EXAMPLE}' autogrow type=textarea rows=1")
        self._add("expression", expression)
        self._segment_fault = ui.element("div").classes("sending-fault").props("role=alert")

    def _time(self, chosen: Choices) -> None:
        heading("When")
        when = ui.radio({"now": "Now", "at": "At a time"}, value="at" if chosen.scheduled else "now")
        self._add("when", when.props('inline dense aria-label="When"').classes("sending-radio"))
        with ui.element("div").classes("sending-moment") as self._moment:
            self._add("day", field("Day", chosen.day).props("type=date"))
            self._add("clock", field("Time", chosen.clock, hint=f"In {self._zone}").props("type=time"))
        windows = {
            minutes: f"{minutes} minutes; it goes out {minutes + 10} minutes after"
            if minutes
            else "None: it goes out at once"
            for minutes in UNDO_WINDOWS
        }
        self._add("undo_minutes", select("Time to undo it", windows, chosen.undo_minutes))
        self._undo_words = words("p", "", "muted small")

    def _more(self, known: Known, chosen: Choices) -> None:
        lists = list(known.sizes)
        self._add("exclude_lists", _several("Not those on these lists", lists, chosen.exclude_lists))
        self._add(
            "exclude_received", _several("Not those who had these issues", list(known.sent), chosen.exclude_received)
        )
        limit = field("At most so many people", chosen.limit, hint="The first by address; the others can follow later")
        self._add("limit", limit.props("debounce=350 inputmode=numeric"))
        rate = field("Rate", chosen.rate, hint="500/min, 20/s; as fast as the provider takes it when empty")
        self._add("rate", rate.props("debounce=350"))
        self._add("ramp", ui.switch("Ramp: a hundredth first, then a tenth, then the rest", value=chosen.ramp))
        with ui.element("div").classes("sending-moment") as self._ramp_fields:
            waits = {minutes: f"{minutes} minutes" if minutes else "no time" for minutes in RAMP_WAITS}
            self._add("ramp_wait", select("Wait for bounces", waits, chosen.ramp_wait))
            stop = field("Stop at % gone wrong", chosen.ramp_stop)
            self._add("ramp_stop", stop.props("debounce=350 inputmode=decimal"))
        self._add("rehearsal", ui.switch("Rehearsal: the whole sending, to a sandbox", value=chosen.rehearsal))
        words("p", "A rehearsal mails nobody and counts as nothing.", "muted small")


_EXAMPLE = 'subscriber.region == "north"'


def _several(label: str, options: list[str], chosen: tuple[str, ...]) -> ui.select:
    made = select(label, options, [each for each in chosen if each in options], multiple=True)
    return made.props("use-chips stack-label" + ("" if options else " disable"))


def _sentence(fault: Fault) -> str:
    return fault.message + (f" ({fault.hint})" if fault.hint else "")


def _underlined(typed: str, fault: Fault) -> None:
    """The expression with the wrong words marked, what is wrong with them, and what to write."""
    if fault.offset is not None and typed:
        begin = min(fault.offset, len(typed))
        end = min(len(typed), begin + max(1, fault.length))
        with ui.element("p").classes("mono sending-snippet"):
            words("span", typed[:begin])
            words("mark", typed[begin:end] or " ")
            words("span", typed[end:])
    words("p", fault.message, "sending-fault-words")
    if fault.hint:
        words("p", fault.hint, "muted small")
