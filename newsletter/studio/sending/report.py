"""The page of one sending: while it runs, and the report after it. The issue's file may be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from nicegui import background_tasks, ui
from starlette.requests import Request as HttpRequest

from newsletter.dispatch.times import local_words
from newsletter.errors import NewsletterError
from newsletter.store.calls import Calls, calls_of
from newsletter.store.dispatches import Dispatch, dispatches_of
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame
from newsletter.studio.sending.chart import add_sending_assets
from newsletter.studio.sending.progress import SendingCard, phase_tone
from newsletter.studio.sending.recipients import People
from newsletter.studio.sending.resolving import Uncertain
from newsletter.studio.sending.sendable import file_of
from newsletter.studio.sending.standing import Phase, Standing, equation, read_standing
from newsletter.studio.sending.story import story_of
from newsletter.studio.widgets import banner, card, chip, empty, facts, words


def add_pages(desk: Desk) -> None:
    """Add `/dispatch/{number}`."""

    @ui.page("/dispatch/{number}")
    async def page(request: HttpRequest, number: int) -> None:
        try:
            standing = await asyncio.to_thread(_standing, desk, number)
            path = await asyncio.to_thread(file_of, desk.root, standing.dispatch.issue_slug) if standing else None
        except NewsletterError as error:
            with frame(desk, request, title="Sending", place="issues"):
                banner(error.message, "bad")
            return
        stem = path.stem if path is not None else None
        title = stem or (standing.dispatch.issue_slug if standing else "Sending")
        with frame(desk, request, title=title, place="issues", stem=stem, tab="send" if stem else None):
            add_sending_assets()
            if standing is None:
                empty("search_off", "There is no such sending", "A rehearsal leaves nothing behind when it has ended.")
                return
            with ui.element("div").classes("wide sending-report"):
                report = Report(desk, standing, gone=stem is None)
        await ui.context.client.connected()
        await report.open()


def _standing(desk: Desk, number: int) -> Standing | None:
    return read_standing(desk.store, desk.sends, number, datetime.now(UTC))


class Report:
    """What became of one sending; it follows the tables."""

    def __init__(self, desk: Desk, standing: Standing, *, gone: bool) -> None:
        self._desk = desk
        self._client = ui.context.client
        self._standing = standing
        self._phase: Phase | None = None
        self._people: People | None = None
        dispatch = standing.dispatch
        if gone and not dispatch.rehearsal:
            banner("The issue's file is gone. What was sent is kept here.", "plain")
        card_shown = SendingCard(desk, standing, link=False, changed=self._changed)
        self._uncertain = Uncertain(desk, dispatch, card_shown.look)
        if dispatch.rehearsal:
            return
        with card("How it went"):
            self._story = ui.element("div")
        with card("Other sendings of this issue") as self._others:
            self._other_rows = ui.element("div")
        self._others.set_visibility(False)
        with card("Everybody it was for"):
            self._people = People(desk, dispatch.id, standing.counts)

    async def open(self) -> None:
        """Read what takes longer."""
        await self._update(self._standing)

    def _changed(self, standing: Standing | None) -> None:
        if standing is None:
            with self._client:
                ui.navigate.reload()
            return
        background_tasks.create(self._update(standing))

    async def _update(self, standing: Standing) -> None:
        if self._people is None:
            return
        with self._client:
            await self._uncertain.update(standing.tally.uncertain)
            await self._people.update(standing.counts, again=not standing.is_at_work)
            if standing.phase is not self._phase:
                self._phase = standing.phase
                await self._tell(standing)

    async def _tell(self, standing: Standing) -> None:
        zone, dispatch = self._desk.workspace.settings.publication.time_zone, standing.dispatch

        def read() -> tuple[Calls, list[Dispatch]]:
            with self._desk.store.read() as connection:
                others = [each for each in dispatches_of(connection, dispatch.issue_slug) if each.id != dispatch.id]
                return calls_of(connection, dispatch.id), others[::-1]

        calls, others = await asyncio.to_thread(read)
        standings = await asyncio.to_thread(standings_of, self._desk, others)
        if standing.phase is not self._phase:
            return  # something newer is on its way
        lines = story_of(dispatch, calls, standing.tally, zone)
        self._story.clear()
        with self._story:
            facts([(line.at, line.what) for line in lines])
        self._others.set_visibility(bool(others))
        self._other_rows.clear()
        with self._other_rows:
            sendings_table(standings, zone)


def standings_of(desk: Desk, sendings: Sequence[Dispatch]) -> list[Standing]:
    """Where sendings stand now; those that are gone meanwhile are left out. Raises StoreError."""
    found = (_standing(desk, each.id) for each in sendings)
    return [each for each in found if each is not None]


def sendings_table(sendings: Sequence[Standing], zone: str) -> None:
    """A row for each sending, with the way to its report."""
    with ui.element("div").classes("sending-scroll"), ui.element("table").classes("table"):
        with ui.element("thead"), ui.element("tr"):
            for label in ("Sent", "List", "State", "What became of them"):
                words("th", label).props("scope=col")
            with ui.element("th").props("scope=col"):
                words("span", "More about it", "sending-unseen")
        with ui.element("tbody"):
            for each in sendings:
                dispatch = each.dispatch
                with ui.element("tr"):
                    words("td", local_words(dispatch.started_at or dispatch.planned_at, zone))
                    words("td", dispatch.list_name)
                    with ui.element("td"):
                        chip(each.phase.value, "warn" if each.tally.uncertain else phase_tone(each.phase))
                    words("td", equation(each.tally), "num-left")
                    with ui.element("td"):
                        words("a", "Report").props(f'href="/dispatch/{dispatch.id}"')
