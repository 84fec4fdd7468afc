"""What can be done about a sending: pause, resume, cancel, undo; what can't be taken back asks first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from nicegui import ui

from newsletter.dispatch.control import Undone, cancel, pause, undo
from newsletter.dispatch.plan import UNDO_MARGIN
from newsletter.errors import NewsletterError
from newsletter.store.dispatches import discard_plan
from newsletter.studio.desk import Desk
from newsletter.studio.sending.choices import RAMP_WAITS, Choices
from newsletter.studio.sending.standing import Phase, Standing, Undo
from newsletter.studio.widgets import button, field, say, select, sheet, sheet_buttons, words


class SendControls:
    """The row of buttons of one sending. `look` is called after each act."""

    def __init__(self, desk: Desk, standing: Standing, look: Callable[[], Awaitable[None]]) -> None:
        self._desk = desk
        self._standing = standing
        self._look = look
        self._client = ui.context.client
        self._drawn: tuple[object, ...] | None = None
        self._row = ui.element("div").classes("sending-controls")

    def show(self, standing: Standing) -> None:
        """Offer what can be done now."""
        self._standing = standing
        planned = standing.phase is Phase.PLANNED
        offered = (planned, standing.can_pause, standing.can_resume, standing.can_cancel, standing.undo)
        if offered == self._drawn:
            return
        self._drawn = offered
        self._row.clear()
        with self._row:
            if planned:
                button("Discard the plan", self._discard, icon="delete")
            if standing.can_resume:
                button("Resume", self._resume, icon="play_arrow", kind="primary")
                self._rate = field("Rate", self._last_rate(), placeholder="as fast as it goes")
                self._rate.props('aria-label="Rate, such as 500/min"').classes("sending-rate")
                if standing.dispatch.audience.get("ramp"):
                    self._ramp_stop = field("Ramp: stop at % gone wrong", Choices().ramp_stop).classes("sending-rate")
                    waits = {minutes: f"{minutes} minutes" if minutes else "no time" for minutes in RAMP_WAITS}
                    self._ramp_wait = select("Ramp: wait for bounces", waits, 0).classes("sending-rate")
            if standing.can_pause:
                button("Pause", self._pause, icon="pause")
            if standing.undo is not Undo.NO:
                button("Undo", self._ask_undo, icon="undo", kind="danger")
            if standing.can_cancel:
                rehearsal = standing.dispatch.rehearsal
                button(
                    "End the rehearsal" if rehearsal else "Cancel the rest",
                    self._cancel if rehearsal else self._ask_cancel,
                    icon="cancel",
                    kind="danger",
                )

    def _last_rate(self) -> str:
        run = self._desk.sends.of(self._standing.dispatch.id)
        rate = run.speed.per_second if run is not None else None
        return f"{round(rate * 60)}/min" if rate else ""

    async def _do(self, act: Callable[[], Any]) -> Any:
        """Act in a thread; say what went wrong, and look again. None when it failed."""
        result = None
        try:
            result = await asyncio.to_thread(act)
        except NewsletterError as error:
            self._say(error.message + (f": {error.hint}" if error.hint else ""), "bad")
        await self._look()
        return result

    def _say(self, message: str, tone: Literal["good", "bad", "info"] = "good") -> None:
        # The button that was pressed may have gone meanwhile: the page says it.
        with self._client:
            say(message, tone)

    async def _discard(self) -> None:
        def act() -> None:
            with self._desk.store.write() as connection:
                discard_plan(connection, self._standing.dispatch.id)

        await self._do(act)

    async def _pause(self) -> None:
        await self._do(lambda: pause(self._desk.store, self._standing.dispatch))

    async def _resume(self) -> None:
        desk, dispatch = self._desk, self._standing.dispatch
        chosen = Choices(list_name=dispatch.list_name, rate=self._rate.value or "")
        fields = {"rate": self._rate}
        if dispatch.audience.get("ramp"):
            chosen = replace(
                chosen, ramp=True, ramp_stop=self._ramp_stop.value or "", ramp_wait=int(self._ramp_wait.value or 0)
            )
            fields["ramp_stop"] = self._ramp_stop
        faults = chosen.faults({}, "UTC", datetime.now(UTC))
        for name, shown in fields.items():
            shown.props["error"] = name in faults
            shown.props["error-message"] = faults[name].message if name in faults else None
        if not faults:
            speed, ramp = chosen.speed(), chosen.stages()
            await self._do(lambda: desk.sends.begin(desk.workspace, desk.store, dispatch.id, speed, ramp))

    def _ask_cancel(self) -> None:
        left = self._standing.left
        with self._client, sheet("Cancel the rest?") as dialog:
            words("p", f"{left:,} have not been handed over and will not get it. What the provider has isn’t touched.")
            words("p", "They can be reached by sending the issue anew.", "muted")
            with sheet_buttons():
                button("Keep it", dialog.close)
                button("Cancel the rest", lambda: self._after(dialog, self._cancel), kind="danger")
        dialog.open()

    async def _cancel(self) -> None:
        now = datetime.now(UTC)
        count = await self._do(lambda: cancel(self._desk.store, self._standing.dispatch, now=now))
        if count is not None:
            self._say(f"Cancelled: {count:,} will not get it.")

    def _ask_undo(self) -> None:
        standing = self._standing
        people = standing.tally.accepted + standing.left + standing.tally.uncertain
        with self._client, sheet("Undo this sending?") as dialog:
            if standing.undo is Undo.SURE:
                words("p", f"The provider calls off what it holds: {people:,} will not get it.")
            else:
                words("p", "It goes out in less than ten minutes, and the provider doesn’t promise to call it off.")
                words("p", f"{people:,} become uncertain: they may get it all the same, and are listed by name.")
            words("p", "Those who don’t get it can be reached by sending the issue anew.", "muted")
            with sheet_buttons():
                button("Keep it", dialog.close)
                button("Undo it", lambda: self._after(dialog, self._undo), kind="danger")
        dialog.open()

    async def _undo(self) -> None:
        desk, dispatch = self._desk, self._standing.dispatch

        def act() -> Undone:
            with desk.workspace.open_provider() as provider:
                return undo(desk.store, provider, dispatch, now=datetime.now(UTC), margin=UNDO_MARGIN)

        undone = await self._do(act)
        if undone is None:
            return
        for failure in undone.failures:
            self._say(f"The provider did not call off a part of it: {failure}", "bad")
        if undone.uncertain:
            self._say(f"{undone.uncertain:,} may get it all the same: settle them in the report.", "info")
        self._say(f"Undone: {undone.cancelled:,} will not get it.")

    async def _after(self, dialog: ui.dialog, act: Callable[[], Awaitable[None]]) -> None:
        dialog.close()
        await act()
