"""A first look at a CSV file: its columns with a guess at what they mean, and its first rows as they would be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.store.csv_columns import CsvColumn, CsvColumns, CsvPerson, Meaning, columns_of, has_address
from newsletter.store.csv_rows import CsvRow, CsvRows
from newsletter.subscriber import normalise_address

_ROWS = 10
_GUESSED_FROM = 200
"""Rows in which a column of addresses is looked for when no name says which it is."""


@dataclass(frozen=True)
class CsvLook:
    """The beginning of a file. `names_columns` says whether its first line does; `header` are the names, or made up."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    names_columns: bool
    columns: tuple[CsvColumn, ...]
    """What each column seems to mean. None of them may be the address."""
    rows: tuple[CsvRow, ...]


@dataclass(frozen=True)
class ReadRow:
    """A row as it would be read: a person, or a fault that says why it would be refused; neither when it is empty."""

    line: int
    person: CsvPerson | None
    fault: str | None = None


def look_at_csv(path: Path, rows: int = _ROWS, *, names_columns: bool | None = None) -> CsvLook:
    """Look at the first `rows` of a file. When `names_columns` doesn't say whether its first line names the columns, a
    line that holds an address doesn't.

    Raises StoreError when it can't be read, or holds nothing.
    """
    with CsvRows(path, has_address) as opened:
        header = [name.strip() for name in opened.header]
        if not any(header):
            raise StoreError("the file is empty", hint="its first line names the columns, and each other is a person")
        if names_columns is None:
            names_columns = has_address(header) or not any(map(_is_address, header))
        if not names_columns:
            opened.header_is_row()
            header = [f"Column {number}" for number in range(1, len(header) + 1)]
        begin = list(islice(opened, max(rows, _GUESSED_FROM)))
        columns = _guess(header, begin, named=names_columns)
        return CsvLook(
            opened.encoding, opened.separator, tuple(header), names_columns, tuple(columns), tuple(begin[:rows])
        )


def read_rows(rows: Sequence[CsvRow], columns: Sequence[CsvColumn]) -> list[ReadRow]:
    """Rows as they are read when the columns mean that.

    Raises ValueError, with a sentence for people, when not exactly one of the columns is the address.
    """
    meaning = CsvColumns(columns)
    read = []
    for row in rows:
        try:
            person, fault = (None, row.fault) if row.fault is not None else (meaning.person(row.values), None)
        except ValueError as error:
            person, fault = None, str(error)
        read.append(ReadRow(row.line, person, fault))
    return read


def _guess(header: Sequence[str], rows: Sequence[CsvRow], *, named: bool) -> list[CsvColumn]:
    """By the names; the address also by what the column holds, if no name says it."""
    columns = columns_of(header)
    if has_address(header):
        return columns
    counts = [sum(_is_address(row.values[at]) for row in rows if len(row.values) > at) for at in range(len(header))]
    if any(counts):
        place = counts.index(max(counts))
        columns[place] = CsvColumn(Meaning.EMAIL, columns[place].name)
        if not named and len(columns) == 2:
            columns[1 - place] = CsvColumn(Meaning.NAME, "name")
    return columns


def _is_address(value: str) -> bool:
    if "@" not in value:
        return False
    try:
        normalise_address(value)
    except ValueError:
        return False
    return True
