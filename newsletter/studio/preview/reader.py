"""As whom an email is shown: a small panel to choose the reader and the variant, and to see what is personal."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from newsletter.outbox import variant_words
from newsletter.studio.compose.draft import Draft
from newsletter.studio.preview.reader_picker import SAMPLE, ReaderPicker
from newsletter.studio.preview.variants import all_variants
from newsletter.studio.rendering import Rendering
from newsletter.studio.widgets import heading, select, words
from newsletter.subscriber import Subscriber

_THEIRS = "own"
"""The choice of the variant that the reader gets."""


class ReaderMenu:
    """A button that names the reader, and the panel that it opens."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._conditions: tuple[str, ...] | None = None
        self._slots: tuple[tuple[str, str], ...] | None = None
        self._is_open = False
        with ui.element("button").classes("preview-as").props("type=button aria-haspopup=dialog"):
            ui.icon("sym_o_person").props("aria-hidden=true")
            words("span", "Shown as", "preview-unseen")
            self._name = words("span", SAMPLE, "ellipsis")
            ui.icon("sym_o_expand_more").props("aria-hidden=true")
            with ui.menu().classes("preview-panel-menu").props('aria-label="Shown as" role=dialog') as self._menu:
                ReaderPicker(draft.desk, self._choose, "Show it as")
                self._variant = select("Variant", {_THEIRS: "As this reader"}, _THEIRS, on_change=self._vary)
                self._which = words("p", "", "muted small")
                heading("Personal parts")
                self._parts = ui.element("div").classes("preview-parts")
        self._menu.on_value_change(self._opened)
        draft.on_rendered.append(self._rendered)

    async def _choose(self, person: Subscriber | None) -> None:
        self._draft.person = person
        self._show_name()
        await self._draft.render()

    async def _vary(self, event: ValueChangeEventArguments[Any]) -> None:
        self._draft.variant = None if event.value == _THEIRS else str(event.value)
        self._show_name()
        await self._draft.render()

    def _opened(self, event: ValueChangeEventArguments[Any]) -> None:
        self._is_open = bool(event.value)
        self._rendered()

    def _show_name(self) -> None:
        person, variant = self._draft.person, self._draft.variant
        name = (person.name or person.email) if person else SAMPLE
        self._name.text = name + (" · a variant" if variant is not None else "")

    def _rendered(self) -> None:
        done = self._draft.good
        if done is None:
            return
        if done.conditions != self._conditions:
            self._conditions = done.conditions
            options = {each: variant_words(done.conditions, each) for each in all_variants(done.conditions).readers}
            self._variant.set_options({_THEIRS: "As this reader", **(options if done.conditions else {})})
            self._variant.set_visibility(bool(done.conditions))
            if self._draft.variant is not None and len(self._draft.variant) != len(done.conditions):
                self._draft.variant = None
                self._variant.value = _THEIRS
        if self._is_open:
            self._show_parts(done)

    def _show_parts(self, done: Rendering) -> None:
        told = f"Variant: {variant_words(done.conditions, done.variant)}" if done.conditions else "All get the same."
        if self._which.text != told:
            self._which.text = told
        if done.slots == self._slots:
            return
        self._slots = done.slots
        self._parts.clear()
        with self._parts:
            if not done.slots:
                words("p", "Nothing in this email is personal.", "muted small")
                return
            with ui.element("dl").classes("facts"):
                for expression, value in done.slots:
                    words("dt", expression, "mono")
                    words("dd", value or "nothing")
