"""The last step of the Send page: the number of recipients is typed, and the plan is frozen and sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from nicegui import ui

from newsletter.dispatch.plan import Plan, UnrenderableError
from newsletter.errors import DispatchError, NewsletterError
from newsletter.source import read_source
from newsletter.studio.desk import Desk
from newsletter.studio.sending.choices import Choices, typed_count
from newsletter.studio.sending.planning import Outlook
from newsletter.studio.widgets import banner, button, field, words


class Confirmation:
    """The field and the button. The button can be pressed when what was typed is the plan's number of recipients.

    `outdated` is called with a newer plan, or None when everything is to be read again: then nothing was sent.
    """

    def __init__(self, desk: Desk, path: Path, outdated: Callable[[Plan | None], Awaitable[None]]) -> None:
        self._desk = desk
        self._path = path
        self._outdated = outdated
        self._client = ui.context.client
        self._outlook: Outlook | None = None
        self._offered: int | None = None
        """The number of recipients that was shown last: what is typed for one isn't meant for another."""
        self._choices = Choices()
        self._text = ""
        self._looked_at: int | None = None
        self._told = ui.element("div").props("role=alert")
        self._stoppers = ui.element("ul").classes("sending-notes")
        with ui.element("div").classes("sending-confirm"):
            self._typed = field("Type the number of recipients").props("inputmode=numeric autocomplete=off")
            self._typed.classes("sending-typed").on_value_change(self._allow)
            self._typed.on("keydown.enter", self._send)
            self._button = button("Send", self._send, icon="send", kind="primary")
        self._progress = words("p", "", "muted").props("role=status")
        self._meaning = words("p", "", "muted small")
        self._allow()
        ui.timer(0.3, self._show_progress)

    def offer(self, outlook: Outlook, choices: Choices, text: str) -> None:
        """Let this plan be confirmed, of an issue whose file holds `text`."""
        self._outlook, self._choices, self._text = outlook, choices, text
        if self._offered not in (None, outlook.plan.recipients):
            self._typed.value = ""
        self._offered = outlook.plan.recipients
        rehearsal = outlook.order.rehearsal
        self._typed.set_visibility(not rehearsal)
        self._button.text = "Rehearse" if rehearsal else "Schedule" if choices.scheduled else "Send"
        self._meaning.text = _meaning(outlook, choices)
        self._stoppers.clear()
        with self._stoppers:
            for reason in outlook.stoppers:
                with ui.element("li").classes("sending-note bad"):
                    ui.icon("sym_o_block").props("aria-hidden=true")
                    words("span", reason)
        self._allow()

    def withdraw(self) -> None:
        """Let nothing be confirmed."""
        self._outlook = None
        self._allow()

    def tell(self, message: str) -> None:
        """Say something in place of what was said before; nothing when it is empty."""
        self._told.clear()
        if message:
            with self._told:
                banner(message, "bad")

    def _allow(self) -> None:
        outlook = self._outlook
        may = outlook is not None and not outlook.stoppers and self._looked_at is None
        if may and outlook is not None and not outlook.order.rehearsal:
            may = typed_count(self._typed.value or "") == outlook.plan.recipients
        self._button.set_enabled(may)

    def _show_progress(self) -> None:
        if self._looked_at is None:
            self._progress.text = ""
        else:
            self._progress.text = (
                f"Freezing the plan … {self._looked_at:,} people" if self._looked_at else "Freezing the plan …"
            )

    async def _send(self) -> None:
        outlook, choices = self._outlook, self._choices
        if outlook is None or not self._button.enabled:
            return
        self._looked_at = 0
        self._allow()
        self.tell("")
        try:
            plan = await self._frozen(outlook, choices)
        except UnrenderableError as error:
            await self._replan(error.plan, _words(error))
            return
        except NewsletterError as error:
            await self._replan(None, _words(error))
            return
        finally:
            self._looked_at = None
            self._allow()
        if plan is None:
            await self._replan(None, "The issue changed while you looked. Nothing was sent. Look at the plan again.")
        elif plan.dispatch is None:
            message = (
                f"The list changed while you looked: the plan has {plan.recipients:,} recipients now. "
                "Nothing was sent. Look at it, and type the number anew."
            )
            await self._replan(plan, message)
        elif not self._client.is_deleted:
            ui.navigate.to(f"/dispatch/{plan.dispatch.id}")

    async def _frozen(self, outlook: Outlook, choices: Choices) -> Plan | None:
        """The plan, frozen and being sent; without a dispatch when its number isn't what was typed. None when the file
        holds something else by now."""
        desk, workspace = self._desk, self._desk.workspace
        count = typed_count(self._typed.value or "")
        zone = workspace.settings.publication.time_zone
        try:
            send_at = choices.send_at(zone, datetime.now(UTC))
            speed, ramp = choices.speed(), choices.stages()
        except ValueError as error:
            raise NewsletterError(str(error)) from None
        order = replace(outlook.order, send_at=send_at)

        def watch(looked_at: int) -> None:
            if desk.sends.is_closed:
                raise DispatchError("the Studio is being closed", hint="nothing was sent")
            self._looked_at = looked_at

        def confirmed() -> Plan | None:
            source, _ = read_source(self._path, self._path.name)
            if source is None or source.text != self._text:
                return None
            return desk.sends.confirmed(workspace, desk.store, order, count, speed, ramp, watch)

        return await asyncio.to_thread(confirmed)

    async def _replan(self, plan: Plan | None, message: str) -> None:
        self._typed.value = ""
        self.tell(message)
        await self._outdated(plan)


def _meaning(outlook: Outlook, choices: Choices) -> str:
    if outlook.order.rehearsal:
        return "The whole sending goes to a sandbox on this machine. Nobody is mailed, and nothing is counted."
    if choices.scheduled or choices.undo_minutes:
        return "It is handed over to the provider at once, which holds it until it is due. Nobody gets it twice."
    return "It goes out at once, and can't be called back; it can be paused. Nobody gets it twice."


def _words(error: NewsletterError) -> str:
    text = error.message + (f": {error.hint}" if error.hint else "")
    return text[0].upper() + text[1:] + "."
