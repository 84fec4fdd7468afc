"""What the columns of a CSV file can be matched with, and what an import comes to, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.store.csv_columns import CsvColumn, CsvPerson, FormerStatus, Meaning
from newsletter.store.csv_look import CsvLook
from newsletter.store.import_csv import ImportReport
from newsletter.studio.people.tellings import count_words

if TYPE_CHECKING:
    from newsletter.studio.widgets import Tone

_FIRST, _LAST = "first_name", "last_name"
CHOICES: Mapping[str, str] = {
    Meaning.EMAIL.value: "Address",
    Meaning.NAME.value: "Name",
    _FIRST: "First name",
    _LAST: "Last name",
    Meaning.ATTRIBUTE.value: "An attribute",
    Meaning.TAGS.value: "Tags",
    Meaning.STATUS.value: "Status, in a word",
    Meaning.SUBSCRIBED.value: "Subscribed: yes or no",
    Meaning.STOPPED.value: "Unsubscribed: yes or no",
    Meaning.LEFT_AT.value: "When they unsubscribed",
    Meaning.BOUNCED_AT.value: "When it bounced",
    Meaning.JSON.value: "Attributes, as JSON",
    Meaning.NOTHING.value: "Don't import",
}
"""What a column can be, in words."""
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_JOINS: Mapping[FormerStatus | None, tuple[str, Tone]] = {
    None: ("active", "good"),
    FormerStatus.ACTIVE: ("active", "good"),
    FormerStatus.PENDING: ("pending", "warn"),
    FormerStatus.UNSUBSCRIBED: ("unsubscribed", "plain"),
    FormerStatus.INVALID: ("not mailed: not an address", "bad"),
    FormerStatus.MANUAL: ("not mailed: blocked", "bad"),
    FormerStatus.BOUNCE: ("not mailed: bounced", "bad"),
    FormerStatus.COMPLAINT: ("not mailed: complained", "bad"),
}


def choice_of(column: CsvColumn) -> str:
    """The key of CHOICES that a column's meaning is."""
    is_named = column.meaning is Meaning.ATTRIBUTE and column.name in (_FIRST, _LAST)
    return column.name if is_named else column.meaning.value


def column_of(choice: str, name: str) -> CsvColumn:
    """The meaning that a key of CHOICES is; `name` is that of an attribute, or of the column."""
    if choice in (_FIRST, _LAST):
        return CsvColumn(Meaning.ATTRIBUTE, choice)
    return CsvColumn(Meaning(choice), name)


def file_words(look: CsvLook, size: int) -> str:
    """How a file is written."""
    separator = _SEPARATORS.get(look.separator, f"`{look.separator}`")
    return f"{size_words(size)}, {look.encoding}, separated by {separator}"


def size_words(size: int) -> str:
    """A number of bytes: `812 bytes`, `60.3 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return count_words(size, "byte", "bytes")


def samples(look: CsvLook, place: int, most: int = 3) -> list[str]:
    """Some of what a column holds, each value once."""
    values = (row.values[place].strip() for row in look.rows if len(row.values) > place)
    return list(dict.fromkeys(filter(None, values)))[:most]


def joins_as(person: CsvPerson) -> tuple[str, Tone]:
    """How a person would join the list, as far as the file says."""
    return _JOINS[person.former]


@dataclass(frozen=True)
class Figure:
    """A number of people, and what they are."""

    count: int
    what: str
    tone: Tone = "plain"


def figures(report: ImportReport, list_name: str, *, trial: bool) -> list[Figure]:
    """What becomes of the rows: each is counted once. What is none of them is left out, but for who is new."""
    people, were = report.people, "would be" if trial else "were"
    found = [
        Figure(people.added, f"new on {list_name}", "good"),
        Figure(people.updated, f"{were} changed", "info"),
        Figure(people.unchanged, "are there as they are"),
        Figure(people.repeated, "the same person again"),
        Figure(report.refused, f"{were} refused", "bad"),
    ]
    return [found[0], *(each for each in found[1:] if each.count)]


def remarks(report: ImportReport, list_name: str) -> list[str]:
    """What there is to say besides."""
    people = report.people
    said = []
    if people.left:
        said.append(f"{people.left:,} of them unsubscribed from {list_name}, and not mailed.")
    if people.suppressed:
        why = "the file says that they bounced, complained or were blocked"
        said.append(f"{people.suppressed:,} of them suppressed from now on: {why}.")
    return said
