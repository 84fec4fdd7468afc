"""The people: the lists with their sizes, and whoever is looked for, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

from nicegui import background_tasks, events, ui
from starlette.requests import Request as HttpRequest

from newsletter.errors import NewsletterError
from newsletter.expression import ExpressionError
from newsletter.store.directory import COUNTED, Found, Page, Search, count_people, find_people, people_in_all
from newsletter.store.subscribers import MembershipStatus, list_names, list_sizes
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame
from newsletter.studio.people.forms import ask_for_list, ask_for_person, show_fault
from newsletter.studio.people.lookups import STATUSES, Lookup
from newsletter.studio.people.tellings import REASONS, STANDINGS, count_words, day_words
from newsletter.studio.widgets import banner, button, chip, empty, field, say, select, use, words

_WRITTEN = "="
"""The choice of a segment that is written as an expression."""
_LISTS_SHOWN = 4
_PATIENCE = 0.3
"""Seconds that the page is held back to be complete; what takes longer comes later."""

Sizes = Mapping[str, Mapping[MembershipStatus, int]]


def add_head() -> None:
    """What the Subscribers pages load."""
    use("subscribers.css", "subscribers.js")


def add_pages(desk: Desk) -> None:
    """Add `/subscribers`."""
    kept = KeptSizes()

    @ui.page("/subscribers")
    async def page(request: HttpRequest) -> None:
        try:
            names = await asyncio.to_thread(_names, desk)
        except NewsletterError:
            names = []  # what is looked for fails too, and says why
        with frame(desk, request, title="Subscribers", place="subscribers") as actions:
            add_head()
            view = Directory(desk, Lookup.from_query(request.query_params), names, kept)
            with actions:
                button("Import", lambda: ui.navigate.to("/subscribers/import"), icon="upload_file")
                button("New list", view.start_list, icon="playlist_add")
                button("Add somebody", view.start_person, icon="person_add", kind="primary")
        ui.on("subscribers-address", view.went_back)
        found, counted = (background_tasks.create(work) for work in (view.show(view.lookup), view.count_lists()))
        await asyncio.wait({found, counted}, timeout=_PATIENCE)


class KeptSizes:
    """How many people there are, and of each status on each list, as they were counted last: that takes a while."""

    def __init__(self) -> None:
        self.everybody = 0
        self.sizes: Sizes = {}


class Directory:
    """The page: it follows its fields, and the browser's address follows it."""

    def __init__(self, desk: Desk, lookup: Lookup, names: list[str], kept: KeptSizes) -> None:
        self.lookup = lookup
        self._desk = desk
        self._client = ui.context.client
        self._asked = 0
        self._counted: tuple[Search, int] | None = None
        self._names = names
        self._kept = kept
        self._tile_of: dict[str, ui.element] = {}
        with ui.element("div").classes("wide subscribers"):
            self._tiles = ui.element("div").classes("subscribers-tiles")
            self._fields = self._make_fields(lookup)
            self._progress = ui.element("div").classes("subscribers-progress").props("aria-hidden=true")
            self._table = ui.element("section").classes("card subscribers-card").props('aria-label="People"')

    def _make_fields(self, lookup: Lookup) -> dict[str, Any]:
        segments = self._desk.workspace.settings.segments
        named = lookup.segment in segments or not lookup.segment
        with ui.element("div").classes("subscribers-filter").props("role=search"):
            text = field("Search", lookup.text, placeholder="Address or name")
            text.classes("subscribers-search").props("debounce=220 clearable type=search")
            with text.add_slot("append"):
                words("kbd", "/").props("aria-hidden=true")
            listed = select("List", self._list_options(lookup), lookup.list_name)
            status = select("Status", dict(STATUSES), lookup.status)
            choices = {"": "Any segment", **{name: name for name in segments}, _WRITTEN: "An expression …"}
            segment = select("Segment", choices, lookup.segment if named else _WRITTEN)
            written = "" if named else lookup.segment
            expression = field("Expression", written, placeholder='subscriber.region == "north"')
            expression.classes("subscribers-expression")
            expression.props("debounce=500 spellcheck=false hide-bottom-space input-class=mono")
            expression.set_visibility(not named)
        made = {"text": text, "list_name": listed, "status": status, "segment": segment, "expression": expression}
        for each in made.values():
            each.on_value_change(self._changed)
        return made

    def _list_options(self, lookup: Lookup) -> dict[str, str]:
        # A list that isn't there may still stand in the address.
        return {"": "Any list", **{name: name for name in (*self._names, *filter(None, (lookup.list_name,)))}}

    async def _changed(self) -> None:
        """Something else was typed or chosen."""
        value = {name: (each.value or "").strip() for name, each in self._fields.items()}
        written = value["segment"] == _WRITTEN
        self._fields["expression"].set_visibility(written)
        segment = value["expression"] if written else value["segment"]
        lookup = Lookup(value["text"], value["list_name"], value["status"], segment)
        if lookup != self.lookup.first:
            typed = replace(lookup, text="", segment="") == replace(self.lookup.first, text="", segment="")
            await self.show(lookup, in_history=not typed)

    async def went_back(self, event: events.GenericEventArguments) -> None:
        """The browser went back or forward to another address of this page."""
        lookup = Lookup.from_query(dict(parse_qsl(str(event.args).removeprefix("?"))))
        self.lookup = lookup
        named = lookup.segment in self._desk.workspace.settings.segments or not lookup.segment
        self._fields["text"].set_value(lookup.text)
        self._fields["list_name"].set_value(lookup.list_name)
        self._fields["status"].set_value(lookup.status)
        self._fields["expression"].set_value("" if named else lookup.segment)
        self._fields["segment"].set_value(lookup.segment if named else _WRITTEN)
        await self.show(lookup)

    async def show(self, lookup: Lookup, *, in_history: bool | None = None) -> None:
        """Find and show. The address becomes an entry of the browser's history, replaces the last one, or stays."""
        self.lookup = lookup
        self._mark_tile()
        self._asked += 1
        asked = self._asked
        if in_history is not None and self._client.has_socket_connection:
            (ui.navigate.history.push if in_history else ui.navigate.history.replace)(lookup.address)
        self._progress.classes(add="on")
        try:
            search = lookup.search(self._desk.workspace.settings.segments)
            page = await asyncio.to_thread(_read, self._desk, lookup, search)
        except (ExpressionError, NewsletterError) as error:
            if asked == self._asked:
                self._progress.classes(remove="on")
                self._show_failure(error)
            return
        if asked != self._asked:
            return  # something newer is on its way
        self._progress.classes(remove="on")
        show_fault(self._fields["expression"], None)
        self._table.clear()
        with self._table:
            total = self._draw(page)
        if total is not None:
            background_tasks.create(self._count(search, page, total, asked))

    def _show_failure(self, error: Exception) -> None:
        hint = getattr(error, "hint", None)
        sentence = f"{error}" + (f"; {hint}" if hint else "")
        is_written = self._fields["expression"].visible
        if is_written:
            # Whoever is typing keeps the table that they had.
            show_fault(self._fields["expression"], sentence)
        if is_written and self._table.default_slot.children:
            return
        self._table.clear()
        with self._table:
            if is_written:
                empty("rule", "Nobody is looked for", "The expression can't be read.")
            else:
                banner(f"Nobody can be looked for like this: {sentence}", "bad").classes("subscribers-failure")

    def _draw(self, page: Page) -> Any:
        """Draw a page of the table; gives the place for the number of hits, unless nobody was found."""
        if not page.people:
            _nobody(self.lookup, self._names)
            return None
        with ui.element("div").classes("subscribers-bar"):
            total = words("h2", " ", "num").props("aria-live=polite")
            ui.element("div").classes("grow")
            if self.lookup.list_name:
                _export_link(self.lookup.list_name)
        zone = self._desk.workspace.settings.publication.time_zone
        with ui.element("div").classes("subscribers-scroll"), ui.element("table").classes("table subscribers-table"):
            with ui.element("thead"), ui.element("tr"):
                for name in ("Address", "Name", "Lists", "Since", "Not mailed"):
                    words("th", name).props("scope=col")
            with ui.element("tbody"):
                for found in page.people:
                    _row(found, self.lookup.list_name, zone)
        if page.has_previous or page.has_next:
            with ui.element("nav").classes("subscribers-pages").props('aria-label="Pages"'):
                first, last = page.people[0].key, page.people[-1].key
                previous = button("Previous", lambda: self._turn(before=first), icon="chevron_left")
                following = button("Next", lambda: self._turn(after=last), icon="chevron_right")
                previous.set_enabled(page.has_previous)
                following.set_enabled(page.has_next)
        return total

    async def _turn(self, *, after: str = "", before: str = "") -> None:
        await self.show(replace(self.lookup.first, after=after, before=before), in_history=True)
        self._client.run_javascript('document.getElementById("content").scrollTo(0, 0)')

    async def _count(self, search: Search, page: Page, total: Any, asked: int) -> None:
        if self._counted is None or self._counted[0] != search:
            if not (page.has_previous or page.has_next):
                self._counted = (search, len(page.people))
            else:
                total.set_text("Counting …")
                try:
                    count = await asyncio.to_thread(_counted, self._desk, search)
                except NewsletterError:
                    return
                self._counted = (search, count)
        if asked == self._asked:
            total.set_text(hits(self._counted[1]))

    async def count_lists(self) -> None:
        """Show the lists' sizes: those that were read last, until they are read."""
        self._draw_tiles()
        try:
            self._kept.everybody, self._kept.sizes = await asyncio.to_thread(_sizes, self._desk)
        except NewsletterError as error:
            with self._client:
                say(str(error), "bad")
            return
        self._draw_tiles()

    def _draw_tiles(self) -> None:
        self._tiles.clear()
        self._tile_of = {}
        with self._tiles:
            if self._kept.everybody:
                self._tile_of[""] = _tile("Everybody", "", f"{self._kept.everybody:,}", "on any list or none")
            for name, by_status in self._kept.sizes.items():
                self._tile_of[name] = _tile(name, name, f"{by_status[MembershipStatus.ACTIVE]:,}", rest(by_status))
        self._mark_tile()

    def _mark_tile(self) -> None:
        for name, tile in self._tile_of.items():
            current = name == self.lookup.list_name
            tile.classes(add="current" if current else "", remove="" if current else "current")
            tile.props["aria-current"] = "true" if current else None

    async def refresh(self) -> None:
        """Show what has become of it all."""
        self._counted = None
        self._names = await asyncio.to_thread(_names, self._desk)
        self._fields["list_name"].set_options(self._list_options(self.lookup), value=self.lookup.list_name)
        await self.show(self.lookup)
        await self.count_lists()

    def start_person(self) -> None:
        """Ask for somebody new."""
        ask_for_person(self._desk, self._names, self.lookup.list_name, self.refresh)

    def start_list(self) -> None:
        """Ask for the name of a new list."""
        ask_for_list(self._desk, self.refresh)


def hits(count: int) -> str:
    """A number of hits in words."""
    return f"More than {COUNTED:,} people" if count > COUNTED else count_words(count, "person", "people")


def rest(by_status: Mapping[MembershipStatus, int]) -> str:
    """Those of a list who aren't active, in words."""
    others = (MembershipStatus.PENDING, MembershipStatus.UNSUBSCRIBED)
    return ", ".join(f"{by_status[each]:,} {each}" for each in others if by_status[each]) or "active"


def _tile(title: str, list_name: str, number: str, line: str) -> ui.element:
    with ui.element("a").classes("subscribers-tile").props(f'href="{Lookup(list_name=list_name).address}"') as tile:
        words("span", title, "subscribers-tile-name ellipsis")
        words("span", number, "subscribers-tile-number num")
        words("span", line, "muted small")
    return tile


def _export_link(list_name: str) -> None:
    address = f"/subscribers/lists/{quote(list_name, safe='')}.csv"
    with ui.element("a").classes("subscribers-export").props(f'href="{address}" download'):
        ui.icon("sym_o_download").props("aria-hidden=true")
        words("span", f"Export {list_name} as CSV")


def _nobody(lookup: Lookup, names: list[str]) -> None:
    if lookup != Lookup():
        with empty("person_search", "Nobody is found", "Nobody fits all of this."):
            button("Look for everybody", lambda: ui.navigate.to("/subscribers"))
    elif not names:
        with empty("group", "Nobody is on a list yet", "Import a CSV file from anywhere, or add somebody."):
            button("Import a CSV file", lambda: ui.navigate.to("/subscribers/import"), icon="upload_file")
    else:
        empty("group", "Nobody is on a list yet", "Import a CSV file, or add somebody.")


def _row(found: Found, list_name: str, zone: str) -> None:
    person = found.subscriber
    with ui.element("tr"):
        with ui.element("td"):
            words("a", person.email, "subscribers-address").props(f'href="/subscribers/{person.id}"')
        words("td", person.name)
        with ui.element("td"), ui.element("div").classes("subscribers-chips"):
            for membership in found.lists[:_LISTS_SHOWN]:
                word, tone = STANDINGS[membership.status]
                active = membership.status is MembershipStatus.ACTIVE
                chip(membership.list_name if active else f"{membership.list_name}: {word}", "info" if active else tone)
            if len(found.lists) > _LISTS_SHOWN:
                words("span", f"and {len(found.lists) - _LISTS_SHOWN} more", "muted small")
        on_list = next((each.changed_at for each in found.lists if each.list_name == list_name), person.created_at)
        words("td", day_words(on_list, zone) if on_list else "", "num muted")
        with ui.element("td"):
            if found.suppression is not None:
                chip(REASONS[found.suppression][0], "bad")


def _names(desk: Desk) -> list[str]:
    with desk.store.read() as connection:
        return list_names(connection)


def _read(desk: Desk, lookup: Lookup, search: Search) -> Page:
    with desk.store.read() as connection:
        return find_people(connection, search, after=lookup.after or None, before=lookup.before or None)


def _counted(desk: Desk, search: Search) -> int:
    with desk.store.read() as connection:
        return count_people(connection, search)


def _sizes(desk: Desk) -> tuple[int, Sizes]:
    with desk.store.read() as connection:
        return people_in_all(connection), list_sizes(connection)
