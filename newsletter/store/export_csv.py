"""A list as CSV, safe to open in a spreadsheet, and read back the same by an import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import IO

from sqlalchemy import ColumnElement, Connection, func, select

from newsletter.store.spreadsheet import guarded
from newsletter.store.subscribers import members
from newsletter.store.tables import memberships, subscribers

_AT_ONCE = 500


def export_csv(connection: Connection, list_name: str, file: IO[str]) -> int:
    """Write everybody who is known to a list; gives how many. A person is held at a time, not the list."""
    count = -1  # the first row names the columns
    writer = csv.writer(file)
    for row in _rows(connection, list_name):
        writer.writerow(row)
        count += 1
    return count


def exported_csv(connection: Connection, list_name: str) -> Iterator[str]:
    """The same text, some hundred people at a time."""
    rows = _rows(connection, list_name)
    while some := list(islice(rows, _AT_ONCE)):
        part = io.StringIO()
        csv.writer(part).writerows(some)
        yield part.getvalue()


def _rows(connection: Connection, list_name: str) -> Iterator[list[str]]:
    names = _attribute_names(connection, list_name)
    yield ["email", "name", "status", "tags", *map(guarded, names)]
    for member in members(connection, list_name):
        person = member.subscriber
        values = [person.email, person.name, member.status.value, ";".join(person.tags)]
        yield [guarded(value) for value in (*values, *(person.attributes.get(name, "") for name in names))]


def _attribute_names(connection: Connection, list_name: str) -> list[str]:
    """All names that attributes of the list's people have; the database looks through them."""
    names: ColumnElement[str]
    if connection.dialect.name == "sqlite":
        names = func.json_each(subscribers.c.attributes).table_valued("key", joins_implicitly=True).c.key
    else:
        names = func.jsonb_object_keys(subscribers.c.attributes)
    query = (
        select(names.label("name"))
        .distinct()
        .select_from(subscribers.join(memberships, memberships.c.subscriber_id == subscribers.c.id))
        .where(memberships.c.list_name == list_name)
    )
    return sorted(connection.scalars(query))
