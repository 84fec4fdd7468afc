"""A sending while it runs: the numbers, the chart of accepted against time, and what can be done about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from newsletter.dispatch.times import local_words
from newsletter.errors import NewsletterError
from newsletter.store.calls import accepted_at
from newsletter.studio.desk import Desk
from newsletter.studio.sending.chart import AcceptedChart
from newsletter.studio.sending.controls import SendControls
from newsletter.studio.sending.standing import (
    Phase,
    Pulse,
    Standing,
    Undo,
    countdown_words,
    curve,
    duration_words,
    equation,
    phase_words,
    read_standing,
)
from newsletter.studio.widgets import Tone, banner, heading, words

_IDLE_TICKS = 4
"""Seconds between two looks at a sending that isn't at work: another program may go on with it."""

_TONES: dict[Phase, Tone] = {
    Phase.PLANNED: "info",
    Phase.SENDING: "info",
    Phase.ELSEWHERE: "info",
    Phase.ENDING: "info",
    Phase.INTERRUPTED: "warn",
    Phase.PAUSED: "warn",
    Phase.STOPPED: "bad",
    Phase.CANCELLED: "plain",
    Phase.HELD: "good",
    Phase.COMPLETE: "good",
}
_PARTS = (("accepted", "good"), ("refused", "bad"), ("uncertain", "warn"), ("left", "rest"))


def phase_tone(phase: Phase) -> Tone:
    """The tone of a phase's chip."""
    return _TONES[phase]


class SendingCard:
    """One sending on a page, looked at again each second while it is at work. `changed` is told when the phase or the
    sums are others than before; it gets None when the plan was discarded."""

    def __init__(
        self,
        desk: Desk,
        standing: Standing,
        *,
        link: bool = True,
        changed: Callable[[Standing | None], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._standing = standing
        self._changed = changed
        self._pulse = Pulse()
        self._ticks = 0
        self._looked_at = time.monotonic()
        self._zone = desk.workspace.settings.publication.time_zone
        self._figures: dict[str, Any] = {}
        with ui.element("section").classes("card sending-live").props('aria-label="The sending"') as self._box:
            with ui.element("div").classes("sending-live-head"):
                heading(f"To {standing.dispatch.list_name}")
                self._chip = words("span", "", "chip")
                ui.element("div").classes("grow")
                if link:
                    words("a", "Report").props(f'href="/dispatch/{standing.dispatch.id}"')
            self._sentence = words("p", "").props("role=status")
            self._failure = ui.element("div").classes("sending-failure")
            self._draw_figures()
            self._chart = AcceptedChart(standing.to_send)
            self._sum = words("p", "", "muted small num").mark("equation")
            self._countdown = words("p", "", "sending-countdown")
            self._controls = SendControls(desk, standing, self.look)
        self._show()
        ui.timer(0, self._draw_curve, once=True)
        ui.timer(1.0, self._tick)

    def _draw_figures(self) -> None:
        with ui.element("div").classes("sending-meter").props('role=img aria-label="How far it is"') as self._meter:
            self._bars = {name: ui.element("div").classes(tone) for name, tone in _PARTS}
        with ui.element("dl").classes("sending-figures"):
            for name, label in (
                ("accepted", "Accepted"), ("refused", "Refused"), ("uncertain", "Uncertain"), ("left", "Left"),
                ("rate", "Rate"), ("eta", "Time left"),
            ):  # fmt: skip
                with ui.element("div").classes(f"sending-tile {name}"):
                    words("dt", label)
                    self._figures[name] = words("dd", "", "num").mark(f"figure-{name}")

    async def _draw_curve(self) -> None:
        dispatch = self._standing.dispatch
        run = self._desk.sends.of(dispatch.id)
        if dispatch.rehearsal:
            self._chart.show(list(run.points) if run else [], self._standing.to_send)
        elif dispatch.started_at is not None:
            began = dispatch.started_at

            def read() -> list[tuple[float, int]]:
                with self._desk.store.read() as connection:
                    return curve(began, accepted_at(connection, dispatch.id))

            self._chart.show(await asyncio.to_thread(read), self._standing.to_send)

    async def _tick(self) -> None:
        self._ticks += 1
        if self._standing.is_at_work or self._standing.undo is not Undo.NO or self._ticks % _IDLE_TICKS == 0:
            await self.look()

    async def look(self) -> None:
        """Read where it stands now, and show that."""
        store, sends, number = self._desk.store, self._desk.sends, self._standing.dispatch.id
        try:
            standing = await asyncio.to_thread(read_standing, store, sends, number, datetime.now(UTC))
        except NewsletterError:
            return  # the database is busy: the next look tells
        if standing is None:
            if not self._box.is_deleted:
                self._box.delete()
                self._changed(None)
            return
        before, self._standing = self._standing, standing
        self._show()
        now = time.monotonic()
        worked = now - self._looked_at if before.is_at_work or standing.is_at_work else 0.0
        self._looked_at = now
        self._chart.add(worked, standing.tally.accepted, standing.to_send)
        if (before.phase, before.undo, before.counts) != (standing.phase, standing.undo, standing.counts):
            self._changed(standing)

    def _show(self) -> None:
        standing = self._standing
        counted, dispatch = standing.tally, standing.dispatch
        self._pulse.note(time.monotonic(), standing.done)
        moment = local_words(dispatch.send_at, self._zone) if dispatch.send_at else ""
        self._chip.text = standing.phase.value
        self._chip.classes(replace=f"chip {phase_tone(standing.phase)}")
        self._sentence.text = phase_words(standing, moment)
        self._show_failure()
        for name, value in (
            ("accepted", counted.accepted),
            ("refused", counted.refused),
            ("uncertain", counted.uncertain),
            ("left", standing.left),
        ):
            self._figures[name].text = f"{value:,}"
            self._bars[name].style(f"width: {value / max(1, standing.to_send):.3%}")
        self._meter.props["aria-label"] = f"{standing.done:,} of {standing.to_send:,} are done"
        rate = self._pulse.per_second if standing.is_at_work else None
        left = self._pulse.seconds_left(standing.left) if standing.is_at_work else None
        self._figures["rate"].text = "–" if rate is None else f"{rate:,.0f}/s"
        self._figures["eta"].text = "–" if left is None else duration_words(left)
        self._sum.text = equation(counted)
        self._show_countdown()
        self._controls.show(standing)

    def _show_failure(self) -> None:
        run = self._desk.sends.of(self._standing.dispatch.id)
        failure = run.failure if run is not None and not self._standing.is_at_work else None
        text = "" if failure is None else failure.message + (f": {failure.hint}" if failure.hint else "")
        if text != getattr(self, "_failure_shown", ""):
            self._failure_shown = text
            self._failure.clear()
            if text:
                with self._failure:
                    banner(f"It broke off: {text}", "bad")

    def _show_countdown(self) -> None:
        dispatch, now = self._standing.dispatch, datetime.now(UTC)
        if dispatch.send_at is None or dispatch.undo_until is None or now >= dispatch.send_at:
            self._countdown.text = ""
        elif now < dispatch.undo_until:
            left = countdown_words(dispatch.undo_until - now)
            self._countdown.text = (
                f"It can be undone for {left} more, until {local_words(dispatch.undo_until, self._zone)}."
            )
        else:
            left = countdown_words(dispatch.send_at - now)
            self._countdown.text = f"It goes out in {left}. The provider doesn't promise any more to call it off."
