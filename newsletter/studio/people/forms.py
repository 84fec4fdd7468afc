"""The dialogs and fields of the Subscribers pages: a new list, somebody new, attributes, the choice of a list."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from nicegui import ui

from newsletter.errors import NewsletterError
from newsletter.store.csv_columns import attribute_name
from newsletter.studio.desk import Desk
from newsletter.studio.people.changes import Gone, add_person, new_list, read_address, read_list_name
from newsletter.studio.people.tellings import REASONS
from newsletter.studio.widgets import banner, button, field, icon_button, say, select, sheet, sheet_buttons, words
from newsletter.subscriber import Subscriber

CONSENT = "They asked to come back themselves"
"""What has to be ticked before anybody is put back."""
_NEW = "\0"
"""The choice of a list that isn't there yet: no name of one."""


def show_fault(made: ui.element, message: str | None) -> None:
    """Show what is wrong at a field, or that nothing is."""
    made.props["error"] = message is not None
    made.props["error-message"] = message


def read_tags(text: str) -> tuple[str, ...]:
    """Tags that were typed with commas between them, each once."""
    return tuple(dict.fromkeys(tag for part in re.split(r"[,;]", text) if (tag := part.strip())))


class ListChoice:
    """The choice of a list, among `names` or a new one; at first, that which is `chosen` already."""

    def __init__(self, names: Sequence[str], chosen: str = "", on_change: Callable[[], object] | None = None) -> None:
        options = {**{name: name for name in names}, _NEW: "A new list …"}
        is_new = bool(chosen) and chosen not in names
        # Among several, nobody is to be put on one because it happened to come first.
        first = _NEW if is_new or not names else chosen or (names[0] if len(names) == 1 else None)
        self._tell = on_change or (lambda: None)
        self._choice = select("List", options, first, on_change=self._changed)
        name = chosen if is_new else "" if names else "members"
        self._name = field("Name of the new list", name, placeholder="members")
        self._name.on_value_change(self._tell)
        self._show()

    def read(self) -> str:
        """The name that is chosen or typed. Raises ValueError, which is shown at the field too."""
        show_fault(self._choice, None if self._choice.value else "Choose a list.")
        if not self._choice.value:
            raise ValueError("no list is chosen")
        if self._choice.value != _NEW:
            return str(self._choice.value)
        try:
            name = read_list_name(self._name.value or "")
        except ValueError as error:
            show_fault(self._name, str(error))
            raise
        show_fault(self._name, None)
        return name

    def _changed(self) -> None:
        self._show()
        self._tell()

    def _show(self) -> None:
        self._name.set_visibility(self._choice.value == _NEW)


class AttributeRows:
    """Names and values to fill in, one attribute a row."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._rows: list[tuple[ui.input, ui.input]] = []
        words("div", "Attributes", "subscribers-label")
        self._box = ui.element("div").classes("subscribers-attributes")
        for name, value in attributes.items():
            self._add(name, value)
        more = button("Add an attribute", lambda: self._add("", "").run_method("focus"), icon="add")
        more.classes("subscribers-more")

    def read(self) -> dict[str, str]:
        """The attributes by name; a row without a value is left out. Raises ValueError, shown at its row."""
        found: dict[str, str] = {}
        for name_field, value_field in self._rows:
            name, value = attribute_name(name_field.value or ""), (value_field.value or "").strip()
            fault = None
            if value and not name:
                fault = "An attribute needs a name."
            elif value and name in found:
                fault = f"{name} is there twice."
            show_fault(name_field, fault)
            if fault:
                raise ValueError(fault)
            if value:
                found[name] = value
        return found

    def _add(self, name: str, value: str) -> ui.input:
        with self._box, ui.element("div").classes("subscribers-attribute") as row:
            pair = (field("Name", name, placeholder="region"), field("Value", value, placeholder="north"))
            icon_button("close", "Remove this attribute", lambda: self._remove(row, pair))
        self._rows.append(pair)
        return pair[0]

    def _remove(self, row: ui.element, pair: tuple[ui.input, ui.input]) -> None:
        self._rows.remove(pair)
        row.delete()


def ask_for_person(desk: Desk, names: Sequence[str], list_name: str, done: Callable[[], Awaitable[None]]) -> None:
    """Open the dialog that adds somebody; `done` is called when they are on the list."""
    with sheet("Add somebody") as dialog:
        address = field("Address", placeholder="ada@example.org")
        address.props('autofocus type=email autocomplete=off inputmode="email"')
        name = field("Name", placeholder="Ada Example")
        choice = ListChoice(names, list_name)
        tags = field("Tags", hint="With commas between them", placeholder="donor, press")
        attributes = AttributeRows({})
        gone = banner("", "warn")
        gone.set_visibility(False)
        asked = ui.checkbox(CONSENT).props("dense")
        asked.set_visibility(False)

        async def add() -> None:
            try:
                email = read_address(address.value or "")
            except ValueError as error:
                show_fault(address, str(error))
                return
            show_fault(address, None)
            try:
                chosen, pairs = choice.read(), attributes.read()
            except ValueError:
                return  # shown at the field
            person = Subscriber(0, email, (name.value or "").strip(), pairs, read_tags(tags.value or ""))
            consent = asked.visible and bool(asked.value)
            try:
                added = await asyncio.to_thread(
                    add_person, desk.store, person, chosen, asked=consent, now=datetime.now(UTC)
                )
            except NewsletterError as error:
                say(str(error), "bad")
                return
            if isinstance(added, Gone):
                gone.clear()
                with gone:
                    words("span", f"{added.sentence} Add them only if they want it themselves.", "banner-text")
                gone.set_visibility(True)
                asked.set_visibility(True)
                return
            dialog.close()
            if added.evidence:
                why = ", ".join(REASONS[reason][0] for reason in added.evidence)
                say(f"{email} is on {chosen}, and is not mailed: {why}", "info")
            else:
                say(f"{email} is on {chosen}")
            await done()

        address.on("keydown.enter", add)
        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Add", add, kind="primary")
    dialog.open()


def ask_for_list(desk: Desk, done: Callable[[], Awaitable[None]]) -> None:
    """Open the dialog that makes a list; `done` is called when it is there."""
    with sheet("New list") as dialog:
        name = field("Name", placeholder="members", hint="It stands in unsubscribe links, and is never changed")
        name.props("autofocus")

        async def make() -> None:
            try:
                chosen = read_list_name(name.value or "")
            except ValueError as error:
                show_fault(name, str(error))
                return
            try:
                made = await asyncio.to_thread(new_list, desk.store, chosen, now=datetime.now(UTC))
            except NewsletterError as error:
                say(str(error), "bad")
                return
            if not made:
                show_fault(name, f"There is a list {chosen} already.")
                return
            dialog.close()
            say(f"The list {chosen} is there. Nobody is on it yet.")
            await done()

        name.on("keydown.enter", make)
        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Make it", make, kind="primary")
    dialog.open()
