"""The step of an import that matches a file's columns, and shows its first rows as they would be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from nicegui import ui

from newsletter.store.csv_columns import CsvColumn, Meaning
from newsletter.store.csv_look import CsvLook, ReadRow, read_rows
from newsletter.studio.people.forms import ListChoice
from newsletter.studio.people.import_job import Matching
from newsletter.studio.people.matching import CHOICES, choice_of, column_of, file_words, joins_as, samples
from newsletter.studio.widgets import banner, button, card, chip, field, select, words


class ColumnsForm:
    """The fields of the step, filled in with `matching` when they were before, else with what seems right."""

    def __init__(
        self,
        name: str,
        size: int,
        look: CsvLook,
        lists: Sequence[str],
        list_name: str,
        matching: Matching | None,
    ) -> None:
        self._name = name
        self._size = size
        self._look = look
        self._lists = lists
        self._list_name = matching.list_name if matching else list_name
        self._columns = matching.columns if matching else look.columns
        self._fields: list[tuple[Any, Any]] = []

    def draw(
        self,
        *,
        try_out: Callable[[Matching], None],
        read_again: Callable[[bool], Awaitable[None]],
        other_file: Callable[[], None],
    ) -> None:
        """Draw it. `try_out` gets what was matched; `read_again` whether the first line names the columns."""
        look = self._look
        with card(classes="subscribers-file"), ui.element("div").classes("row wrap"):
            with ui.element("div").classes("grow"):
                words("h2", self._name)
                words("p", file_words(look, self._size), "muted small")
            named = ui.checkbox("The first line names the columns", value=look.names_columns).props("dense")
            named.on_value_change(lambda: read_again(bool(named.value)))
        with card("What each column is", "subscribers-card"), ui.element("div").classes("subscribers-scroll"):
            self._table()
        with card("The first rows, as they would be read", "subscribers-card"):
            self._rows = ui.element("div").classes("subscribers-scroll")
            self._rows.props('role=region tabindex=0 aria-label="The first rows" aria-live=polite')
        with card("Where they go", "subscribers-where"):
            self._choice = ListChoice(self._lists, self._list_name)
        with ui.element("div").classes("subscribers-buttons end"):
            button("Choose another file", other_file)
            words("span", "Nothing is changed by a trial.", "muted small")
            self._try = button("Try it", lambda: self._tried(try_out), icon="science", kind="primary")
        self._show_rows()

    def _table(self) -> None:
        with ui.element("table").classes("table subscribers-columns"):
            with ui.element("thead"), ui.element("tr"):
                for title in ("Column", "Holds", "Becomes", "Name of the attribute"):
                    words("th", title).props("scope=col")
            with ui.element("tbody"):
                for place, column in enumerate(self._columns):
                    self._column(place, column)

    def _column(self, place: int, column: CsvColumn) -> None:
        title = self._look.header[place] or f"Column {place + 1}"
        with ui.element("tr"):
            words("td", title, "subscribers-column-name")
            words("td", " · ".join(samples(self._look, place)), "muted subscribers-samples")
            with ui.element("td"):
                choice = _bare(select("", dict(CHOICES), choice_of(column)), f"What {title} becomes")
            with ui.element("td"):
                name = _bare(field("", column.name), f"Name of the attribute that {title} becomes")
                name.props("debounce=300")
                name.bind_visibility_from(choice, "value", value=Meaning.ATTRIBUTE.value)
        self._fields.append((choice, name))
        choice.on_value_change(self._show_rows)
        name.on_value_change(self._show_rows)

    def _matched(self) -> tuple[CsvColumn, ...]:
        return tuple(column_of(str(choice.value), (name.value or "").strip()) for choice, name in self._fields)

    def _tried(self, try_out: Callable[[Matching], None]) -> None:
        try:
            list_name = self._choice.read()
        except ValueError:
            return  # shown at the field
        try_out(Matching(self._matched(), self._look.names_columns, list_name))

    def _show_rows(self) -> None:
        self._rows.clear()
        try:
            rows, fault = read_rows(self._look.rows, self._matched()), ""
        except ValueError as error:
            rows, fault = [], str(error)
        self._try.set_enabled(not fault)
        with self._rows:
            if fault:
                banner(f"{fault[0].upper()}{fault[1:]}: choose which column is what.", "warn").classes(
                    "subscribers-fault"
                )
            elif not rows:
                words("p", "There are no rows below the first line.", "muted subscribers-fault")
            else:
                _preview(rows)


_Field = TypeVar("_Field", bound=ui.element)


def _bare(made: _Field, name: str) -> _Field:
    """A field whose label is the head of its column; `name` is for who doesn't see that."""
    made.props("hide-bottom-space", remove="label stack-label")
    made.props["aria-label"] = name
    return made


def _preview(rows: Sequence[ReadRow]) -> None:
    with ui.element("table").classes("table"):
        with ui.element("thead"), ui.element("tr"):
            for title in ("Line", "Address", "Name", "Joins as", "Tags", "Attributes"):
                words("th", title).props("scope=col")
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    words("td", str(row.line), "num muted")
                    if row.person is None:
                        text = f"Refused: {row.fault}" if row.fault else "An empty row, which is passed over"
                        words("td", text, "subscribers-refusal" if row.fault else "muted").props("colspan=5")
                        continue
                    words("td", row.person.email)
                    words("td", row.person.name, "subscribers-unbroken")
                    with ui.element("td"):
                        chip(*joins_as(row.person))
                    words("td", ", ".join(row.person.tags), "subscribers-samples")
                    attributes = ", ".join(f"{name}: {value}" for name, value in row.person.attributes.items())
                    words("td", attributes, "muted subscribers-samples")
