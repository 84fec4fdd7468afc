"""Subscribers from and to CSV, as other systems and spreadsheets write and read it. One bad row loses none."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from newsletter.errors import StoreError
from newsletter.store.database import Store
from newsletter.store.subscribers import (
    add_subscribers,
    change_subscriber,
    join_list,
    make_list,
    members,
    membership_statuses,
    subscribers_by_key,
)
from newsletter.subscriber import Subscriber, address_key, normalise_address

_CHUNK = 500
_FIELD_BYTES = 100_000
_EMAIL = {"email", "e_mail", "email_address", "e_mail_address", "mail", "address", "subscriber"}
_NAME = {"name", "full_name", "display_name"}
_TAGS = {"tags", "tag", "labels"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the start of a cell (OWASP, CSV injection)."""


@dataclass
class ImportReport:
    """What became of the rows: how many people were `added`, `updated` or `unchanged`, and who was refused.

    `left` counts those who had unsubscribed from the list, and stay so. `refused` has lines (from 1) and reasons.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    left: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def import_csv(store: Store, path: Path, list_name: str, *, now: datetime) -> ImportReport:
    """Add the people of a CSV file to a list. Running it twice changes nothing more.

    The first line names the columns; one has to be the address. Commas, semicolons or tabs separate; the text is UTF-8
    or Windows-1252. Raises StoreError when the file can't be read or names no address column.
    """
    report = ImportReport()
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            rows = _rows(file, report)
            while chunk := _chunk(rows):
                with store.write() as connection:
                    _store(connection, chunk, list_name, report, now)
    except OSError as error:
        raise StoreError(f"can't read {path}: {error.strerror}") from None
    return report


def export_csv(connection: Connection, list_name: str, file: IO[str]) -> int:
    """Write everybody on a list, safe to open in a spreadsheet; gives how many. The list is read twice, never held."""
    names = sorted({name for member in members(connection, list_name) for name in member.subscriber.attributes})
    writer = csv.writer(file)
    writer.writerow(["email", "name", "status", "tags", *map(_safe, names)])
    count = 0
    for member in members(connection, list_name):
        person = member.subscriber
        values = [person.email, person.name, member.status.value, ";".join(person.tags)]
        writer.writerow([_safe(value) for value in (*values, *(person.attributes.get(name, "") for name in names))])
        count += 1
    return count


def _safe(value: str) -> str:
    return "'" + value if value.startswith(_FORMULA) else value


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _rows(file: IO[str], report: ImportReport) -> Iterator[Subscriber]:
    """The people of the file; what can't be read goes into the report."""
    csv.field_size_limit(_FIELD_BYTES)
    header = file.readline()
    separator = max(",;\t", key=header.count)
    columns = [_column(name) for name in next(csv.reader([header], delimiter=separator), [])]
    if not _EMAIL & set(columns):
        raise StoreError("no column of the file is the address", hint="its first line has to name one `email`")
    reader = csv.reader(file, delimiter=separator)
    while True:
        line = reader.line_num + 2
        try:
            row = next(reader, None)
        except csv.Error as error:
            report.refused.append((line, str(error)))
            continue
        if row is None:
            return
        if not any(value.strip() for value in row):
            continue
        if len(row) > len(columns):
            report.refused.append((line, f"{len(row)} values for {len(columns)} columns"))
            continue
        try:
            yield _person(dict(zip(columns, row, strict=False)))
        except ValueError as error:
            report.refused.append((line, str(error)))


def _column(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _person(row: dict[str, str]) -> Subscriber:
    email, name, tags, attributes = "", "", (), {}
    for column, raw in row.items():
        value = raw.strip().removeprefix("'") if raw.strip()[1:2] in _FORMULA else raw.strip()
        if column in _EMAIL and not email:
            email = value
        elif column in _NAME:
            name = " ".join(value.split())
        elif column in _TAGS:
            tags = tuple(dict.fromkeys(filter(None, (tag.strip() for tag in re.split("[;,]", value)))))
        elif column and column != "status" and value:
            attributes[column] = value
    if not email:
        raise ValueError("there is no address")
    return Subscriber(0, normalise_address(email), name, attributes, tags)


def _chunk(rows: Iterator[Subscriber]) -> dict[str, Subscriber]:
    """The next people by address key; somebody who stands there twice is one person, and what comes later counts."""
    people: dict[str, Subscriber] = {}
    for person in rows:
        key = address_key(person.email)
        people[key] = _merged(people[key], person) if key in people else person
        if len(people) == _CHUNK:
            break
    return people


def _merged(known: Subscriber, new: Subscriber) -> Subscriber:
    """What is known, with what is new laid over it. Nothing is lost by a column that is missing or empty."""
    tags = tuple(dict.fromkeys((*known.tags, *new.tags)))
    return replace(known, name=new.name or known.name, attributes={**known.attributes, **new.attributes}, tags=tags)


def merge_person(connection: Connection, person: Subscriber, *, now: datetime) -> Subscriber:
    """Store one person, laid over what is known of them; gives them as stored."""
    known = subscribers_by_key(connection, [address_key(person.email)]).get(address_key(person.email))
    if known is None:
        return add_subscribers(connection, [person], now=now)[0]
    merged = _merged(known, person)
    change_subscriber(connection, merged, now=now)
    return merged


def _store(
    connection: Connection, people: dict[str, Subscriber], list_name: str, report: ImportReport, now: datetime
) -> None:
    make_list(connection, list_name, now=now)
    known = subscribers_by_key(connection, list(people))
    stored = add_subscribers(connection, (person for key, person in people.items() if key not in known), now=now)
    report.added += len(stored)
    for key, old in known.items():
        merged = _merged(old, people[key])
        if merged == old:
            report.unchanged += 1
        else:
            change_subscriber(connection, merged, now=now)
            report.updated += 1
    _join(connection, list_name, [*known.values(), *stored], report, now)


def _join(
    connection: Connection, list_name: str, people: Iterable[Subscriber], report: ImportReport, now: datetime
) -> None:
    """Put those on the list who aren't known to it; who left stays away."""
    ids = [person.id for person in people]
    standing = membership_statuses(connection, list_name, ids)
    report.left += sum(status.value == "unsubscribed" for status in standing.values())
    join_list(connection, list_name, (number for number in ids if number not in standing), source="import", now=now)
