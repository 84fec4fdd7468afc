"""Subscribers from a CSV file: a chunk of rows at a time, each in a transaction of its own, in constant memory."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from newsletter.errors import StoreError
from newsletter.store.csv_columns import CsvColumn, CsvColumns, CsvPerson, columns_of, has_address
from newsletter.store.csv_rows import CsvRow, CsvRows
from newsletter.store.database import Store
from newsletter.store.forgotten import forgotten_among
from newsletter.store.ids import new_ids
from newsletter.store.merging import Counts, lock_merging, merge_people
from newsletter.store.spreadsheet import guarded
from newsletter.store.subscribers import make_list

_CHUNK = 20_000
_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come: rows done, and how much of the file has been read."""

    rows: int
    bytes_read: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: the `line` it begins on, from 1, and why."""

    line: int
    reason: str


@dataclass
class ImportReport:
    """What became of the `rows` that aren't empty: each is counted once in `people`, or is `refused`.

    `examples` are the first of those; all of them are in `refused_file`, which is None when there is none.
    """

    encoding: str
    separator: str
    rows: int = 0
    people: Counts = field(default_factory=Counts)
    refused: int = 0
    examples: list[RefusedRow] = field(default_factory=list)
    refused_file: Path | None = None


def import_csv(
    store: Store,
    path: Path,
    list_name: str,
    *,
    now: datetime,
    columns: Sequence[CsvColumn] | None = None,
    names_columns: bool = True,
    report_file: Path | None = None,
    dry_run: bool = False,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Add the people of a CSV file to a list. Running it twice changes nothing more.

    The first line names the columns, unless `names_columns` is False; one has to be the address. What each means is
    told by its name (see `columns_of`) when `columns` doesn't say. Who stands in the file twice is one person, and what
    comes later counts. Nobody who left comes back by it, and nobody who asked to be forgotten.

    Refused rows are written to `report_file`, else, when there are any, beside the file as FILE.refused.csv. A
    `dry_run` writes nothing but a `report_file` that was asked for; rows of one person that are far apart in the file
    then count for as many people. Raises StoreError when a file can't be read or written or names no address column;
    what has been told as progress then is stored.
    """
    with ExitStack() as stack:
        rows = stack.enter_context(CsvRows(path, has_address))
        if not names_columns:
            rows.header_is_row()
        try:
            meaning = CsvColumns(columns_of(rows.header) if columns is None else columns)
        except ValueError as error:
            raise StoreError(str(error), hint="its first line has to name one `email`") from None
        report = ImportReport(rows.encoding, rows.separator)
        refuse = stack.enter_context(_refusals(path, report, report_file, dry_run=dry_run))
        first_number = new_ids(1)[0]
        if not dry_run:
            with store.write() as connection:
                make_list(connection, list_name, now=now)
        unread = iter(rows)
        while chunk := list(islice(unread, _CHUNK)):
            report.rows += len(chunk)
            people = _people(chunk, meaning, report, refuse)
            with store.read() if dry_run else store.write() as connection:
                if not dry_run:
                    lock_merging(connection)
                forgotten = forgotten_among(connection, {person.key for _, person in people})
                unique, again = _unique(people, forgotten, refuse)
                counts = merge_people(
                    connection,
                    unique,
                    list_name,
                    source=f"import of {path.name}",
                    now=now,
                    repeated_from=first_number,
                    dry_run=dry_run,
                )
            counts.repeated += again
            report.people.add(counts)
            if progress is not None:
                progress(ImportProgress(report.rows, rows.bytes_read, rows.size))
    return report


_Refuse = Callable[[CsvRow, str], None]


def _people(
    chunk: list[CsvRow], columns: CsvColumns, report: ImportReport, refuse: _Refuse
) -> list[tuple[CsvRow, CsvPerson]]:
    """The people of some rows. Empty rows are taken out of the count again."""
    people: list[tuple[CsvRow, CsvPerson]] = []
    for row in chunk:
        if row.fault is not None:
            refuse(row, row.fault)
            continue
        try:
            person = columns.person(row.values)
        except ValueError as error:
            refuse(row, str(error))
            continue
        if person is None:
            report.rows -= 1
        else:
            people.append((row, person))
    return people


def _unique(
    people: list[tuple[CsvRow, CsvPerson]], forgotten: set[str], refuse: _Refuse
) -> tuple[dict[str, CsvPerson], int]:
    """Each person once, by key, and how many rows were of a person who is there already."""
    unique: dict[str, CsvPerson] = {}
    again = 0
    for row, person in people:
        key = person.key
        if key in forgotten:
            refuse(row, "they asked to be forgotten")
        elif key in unique:
            unique[key] = person.over(unique[key])
            again += 1
        else:
            unique[key] = person
    return unique, again


@contextmanager
def _refusals(path: Path, report: ImportReport, asked_for: Path | None, *, dry_run: bool) -> Iterator[_Refuse]:
    """Gives the function that notes a refused row, and writes the file of them."""
    usual = path.with_name(f"{path.name}.refused.csv")
    writer: Any = None
    try:
        with ExitStack() as stack:

            def start(file: Path) -> None:
                nonlocal writer
                report.refused_file = file
                writer = csv.writer(stack.enter_context(_private(file)))
                writer.writerow(["line", "reason", "row"])

            def refuse(row: CsvRow, reason: str) -> None:
                report.refused += 1
                if len(report.examples) < _EXAMPLES:
                    report.examples.append(RefusedRow(row.line, reason))
                if writer is None and not dry_run:
                    start(usual)
                if writer is not None:
                    writer.writerow([row.line, guarded(reason), guarded(row.text.rstrip("\r\n"))])

            if asked_for is not None:
                if asked_for.exists() and asked_for.samefile(path):
                    raise StoreError(f"the report can't be written over {path} itself")
                start(asked_for)
            elif not dry_run:
                # That of an import before would say what isn't true any more.
                usual.unlink(missing_ok=True)
            yield refuse
    except OSError as error:
        raise StoreError(f"can't read {path} or write what is refused: {error.strerror}") from None


def _private(file: Path) -> IO[str]:
    """A new file that others can't read: it holds addresses. With a byte order mark, for spreadsheets."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    return file.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
