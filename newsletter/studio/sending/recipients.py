"""Everybody of a sending, by what became of them, a page at a time; and the history of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from nicegui import ui

from newsletter.delivery import DeliveryStatus
from newsletter.dispatch.history import Chapter, history_of
from newsletter.errors import NewsletterError
from newsletter.store.deliveries import DeliveryRecord, deliveries_page
from newsletter.studio.desk import Desk
from newsletter.studio.people.tellings import Line, tell
from newsletter.studio.sending.story import clock_words
from newsletter.studio.widgets import Tone, button, chip, facts, say, sheet, sheet_buttons, words

PAGE = 50

_TONES: dict[DeliveryStatus, Tone] = {
    DeliveryStatus.ACCEPTED: "good",
    DeliveryStatus.DELIVERED: "good",
    DeliveryStatus.REFUSED: "bad",
    DeliveryStatus.BOUNCED: "bad",
    DeliveryStatus.DROPPED: "bad",
    DeliveryStatus.COMPLAINED: "bad",
    DeliveryStatus.UNCERTAIN: "warn",
    DeliveryStatus.DEFERRED: "warn",
    DeliveryStatus.PLANNED: "info",
    DeliveryStatus.SENDING: "info",
}


class People:
    """The list on a page: a button for each status, the table, and the way to the next page."""

    def __init__(self, desk: Desk, dispatch_id: int, counts: Mapping[DeliveryStatus, int]) -> None:
        self._desk = desk
        self._dispatch_id = dispatch_id
        self._client = ui.context.client
        self._counts = dict(counts)
        self._status: DeliveryStatus | None = None
        self._last = 0
        self._asked = 0
        self._starts = [0]
        """After which delivery each page begins that was looked at, up to this one."""
        self._filters = (
            ui.element("div").classes("sending-filters").props('role=group aria-label="What became of them"')
        )
        self._table = ui.element("div")
        with ui.element("div").classes("sending-pager"):
            self._where = words("span", "", "muted small num")
            ui.element("div").classes("grow")
            self._back = button("Earlier", self._go_back, icon="chevron_left")
            self._on = button("Later", self._go_on, icon="chevron_right")
        self._draw_filters()
        ui.timer(0, self.refresh, once=True)

    async def update(self, counts: Mapping[DeliveryStatus, int], *, again: bool) -> None:
        """Show how many there are of each by now; and read the page `again`."""
        if dict(counts) != self._counts:
            self._counts = dict(counts)
            self._draw_filters()
        if again:
            await self.refresh()

    async def refresh(self) -> None:
        """Read this page, and show it."""
        self._asked += 1
        asked = self._asked
        statuses = [self._status] if self._status else []

        def read() -> list[DeliveryRecord]:
            with self._desk.store.read() as connection:
                after = self._starts[-1]
                return deliveries_page(connection, self._dispatch_id, statuses, after=after, limit=PAGE + 1)

        try:
            found = await asyncio.to_thread(read)
        except NewsletterError as error:
            with self._client:
                say(error.message, "bad")
            return
        if asked != self._asked:
            return  # something newer is on its way
        more, shown = len(found) > PAGE, found[:PAGE]
        self._last = shown[-1].id if shown else self._starts[-1]
        self._table.clear()
        with self._table:
            self._draw(shown)
        first = (len(self._starts) - 1) * PAGE
        total = self._counts.get(self._status, 0) if self._status else sum(self._counts.values())
        self._where.text = f"{first + 1:,} to {first + len(shown):,} of {total:,}" if shown else ""
        self._back.set_enabled(len(self._starts) > 1)
        self._on.set_enabled(more)

    def _draw_filters(self) -> None:
        self._filters.clear()
        with self._filters:
            self._filter(None, "All", sum(self._counts.values()))
            for status in DeliveryStatus:
                if self._counts.get(status):
                    self._filter(status, status.value.capitalize(), self._counts[status])

    def _filter(self, status: DeliveryStatus | None, label: str, count: int) -> None:
        made = button(f"{label} {count:,}", lambda: self._choose(status))
        chosen = status is self._status
        made.classes("sending-filter" + (" on" if chosen else "")).props(f"aria-pressed={str(chosen).lower()}")

    async def _choose(self, status: DeliveryStatus | None) -> None:
        self._status, self._starts = status, [0]
        self._draw_filters()
        await self.refresh()

    async def _go_on(self) -> None:
        self._starts.append(self._last)
        await self.refresh()

    async def _go_back(self) -> None:
        self._starts = self._starts[:-1] or [0]
        await self.refresh()

    def _draw(self, people: list[DeliveryRecord]) -> None:
        if not people:
            words("p", "Nobody.", "muted")
            return
        with ui.element("div").classes("sending-scroll"), ui.element("table").classes("table"):
            with ui.element("thead"), ui.element("tr"):
                for label in ("Address", "Name", "Status", "Reason"):
                    words("th", label).props("scope=col")
            with ui.element("tbody"):
                for each in people:
                    with ui.element("tr"):
                        with ui.element("td"):
                            address = words("button", each.email, "sending-address").props("type=button")
                            address.on("click", lambda _, one=each: self._tell(one))
                        words("td", each.name)
                        with ui.element("td"):
                            chip(each.status.value, _TONES.get(each.status, "plain"))
                        words("td", each.reason or "", "muted")

    async def _tell(self, one: DeliveryRecord) -> None:
        """The history of one address in this sending."""

        def read() -> Chapter | None:
            with self._desk.store.read() as connection:
                chapters = history_of(connection, one.email)
            return next((each for each in chapters if each.delivery and each.delivery.id == one.id), None)

        chapter = await asyncio.to_thread(read)
        zone = self._desk.workspace.settings.publication.time_zone
        # At the page, and not in the table, which may be drawn anew meanwhile.
        with self._client, sheet("What became of one address") as dialog:
            words("p", one.email, "sending-whom")
            if chapter is None:
                words("p", f"{one.status.value.capitalize()}. They have been erased: nothing more is known.")
            else:
                told = tell(chapter)
                word = told.word[0].upper() + told.word[1:]
                words("p", f"{word}: {told.reason}" if told.reason else word)
                if told.lines:
                    facts([(clock_words(line.at, zone), _said(line)) for line in told.lines])
                if told.conditions or told.slots:
                    words("h3", "What they were to get")
                    facts([(condition, "yes" if held else "no") for condition, held in told.conditions])
                    facts([(f"{{{{ {expression} }}}}", value or "(empty)") for expression, value in told.slots])
            with sheet_buttons():
                button("Close", dialog.close)
        dialog.open()


def _said(line: Line) -> str:
    return f"{line.what} ({line.detail})" if line.detail else line.what
