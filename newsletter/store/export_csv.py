"""A list as CSV, safe to open in a spreadsheet, and read back the same by an import."""

from __future__ import annotations

import csv
from typing import IO

from sqlalchemy import ColumnElement, Connection, func, select

from newsletter.store.spreadsheet import guarded
from newsletter.store.subscribers import members
from newsletter.store.tables import memberships, subscribers


def export_csv(connection: Connection, list_name: str, file: IO[str]) -> int:
    """Write everybody who is known to a list; gives how many. A person is held at a time, not the list."""
    names = _attribute_names(connection, list_name)
    writer = csv.writer(file)
    writer.writerow(["email", "name", "status", "tags", *map(guarded, names)])
    count = 0
    for member in members(connection, list_name):
        person = member.subscriber
        values = [person.email, person.name, member.status.value, ";".join(person.tags)]
        writer.writerow([guarded(value) for value in (*values, *(person.attributes.get(name, "") for name in names))])
        count += 1
    return count


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
