"""A field in which a reader is found by address or name as one types: as whom an issue is shown, or sent."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from newsletter.errors import NewsletterError
from newsletter.store.suggest import suggest_people
from newsletter.studio.desk import Desk
from newsletter.studio.widgets import use, words
from newsletter.subscriber import Subscriber

SAMPLE = "Sample reader"
MOST = 20
"""At most so many are offered."""


class ReaderPicker:
    """The field. `on_choice` is told, or awaited, who is chosen: a subscriber, or None for the sample reader."""

    def __init__(self, desk: Desk, on_choice: Callable[[Subscriber | None], Any], label: str = "As whom") -> None:
        self.person: Subscriber | None = None
        self._desk, self._on_choice = desk, on_choice
        self._offered: list[Subscriber | None] = []
        self._options: list[ui.element] = []
        self._words: str | None = None
        self._marked = 0
        self._is_open = False
        self._is_setting = False
        use("reader_picker.css")
        with ui.element("div").classes("reader_picker"):
            self._field = ui.input(label, value=SAMPLE, on_change=self._typed)
            self._field.props("outlined dense stack-label debounce=150 autocomplete=off spellcheck=false")
            self._field.props("role=combobox aria-autocomplete=list aria-expanded=false").classes("field")
            with self._field.add_slot("prepend"):
                ui.icon("sym_o_person_search").props("aria-hidden=true")
            self._list = ui.element("ul").classes("reader_picker-list").props('role=listbox aria-label="Readers"')
            self._field.props(f"aria-controls={self._list.html_id}")
        self._list.set_visibility(False)
        self._field.on("focus", self._open, js_handler="(event) => { event.target.select(); emit(); }")
        self._field.on("blur", self._close, args=[])
        self._field.on("keydown.down.prevent", lambda: self._move(1), args=[])
        self._field.on("keydown.up.prevent", lambda: self._move(-1), args=[])
        self._field.on("keydown.escape", self._close, args=[])
        self._field.on(
            "keydown.enter",
            self._enter,
            js_handler="(event) => { if (!event.ctrlKey && !event.metaKey) emit(event.target.value); }",
        )

    async def _open(self) -> None:
        self._is_open = True
        await self._search("")

    def _close(self) -> None:
        self._is_open = False
        self._words = None
        self._list.set_visibility(False)
        self._field.props("aria-expanded=false", remove="aria-activedescendant")
        self._set_text()

    async def _typed(self, event: ValueChangeEventArguments[str | None]) -> None:
        if not self._is_setting and self._is_open:
            await self._search(str(event.value or ""))

    async def _search(self, typed: str) -> None:
        """Offer who fits what is typed; an answer that comes late is dropped."""
        self._words = typed
        fault = ""
        found: Sequence[Subscriber] = ()
        try:
            found = await asyncio.to_thread(_suggested, self._desk, typed)
        except NewsletterError as error:
            fault = error.message
        if self._words != typed:
            return
        self._offered = [*([] if typed.strip() else [None]), *found]
        self._draw(fault)

    def _draw(self, fault: str = "") -> None:
        self._list.clear()
        self._options = []
        with self._list:
            for person in self._offered:
                option = ui.element("li").classes("reader_picker-option").props("role=option aria-selected=false")
                option.on("mousedown.prevent", lambda: None, args=[])  # so that the field keeps the focus
                option.on("click", lambda person=person: self._choose(person), args=[])
                with option:
                    words("span", (person.name or person.email) if person else SAMPLE, "reader_picker-name ellipsis")
                    words("span", _second_line(person), "muted small ellipsis")
                self._options.append(option)
            if not self._offered:
                nobody = words("li", fault or "Nobody found.", "reader_picker-nobody muted")
                nobody.props("role=option aria-disabled=true")
        self._list.set_visibility(True)
        self._field.props("aria-expanded=true")
        self._mark(0)

    def _mark(self, number: int) -> None:
        for place, option in enumerate(self._options):
            option.props(f"aria-selected={str(place == number).lower()}")
        self._marked = number
        if self._options:
            self._field.props(f"aria-activedescendant={self._options[number].html_id}")

    def _move(self, step: int) -> None:
        if self._is_open and self._options:
            self._mark((self._marked + step) % len(self._options))
            ui.run_javascript(f"getHtmlElement({self._options[self._marked].id}).scrollIntoView({{block: 'nearest'}})")

    async def _enter(self, event: GenericEventArguments) -> None:
        if not self._is_open:
            return
        typed = str(event.args or "")
        if typed not in (self._words, _text_of(self.person)):  # pressed before what was typed came here
            await self._search(typed)
        if self._offered:
            await self._choose(self._offered[self._marked])

    async def _choose(self, person: Subscriber | None) -> None:
        self.person = person
        self._close()
        done = self._on_choice(person)
        if inspect.isawaitable(done):
            await done

    def _set_text(self) -> None:
        self._is_setting = True
        self._field.set_value(_text_of(self.person))
        self._is_setting = False


def _text_of(person: Subscriber | None) -> str:
    if person is None:
        return SAMPLE
    return f"{person.name} <{person.email}>" if person.name else person.email


def _second_line(person: Subscriber | None) -> str:
    if person is None:
        return "nobody real, who has every attribute"
    return person.email if person.name else "no name"


def _suggested(desk: Desk, typed: str) -> list[Subscriber]:
    with desk.store.read() as connection:
        return suggest_people(connection, typed, MOST)
