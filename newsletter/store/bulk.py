"""Many rows at once, past SQLAlchemy's work for each row: in by the driver's own way, out as one JSON text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, Table, Text, cast, func, select


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`, whose values are in the order of `columns` and as the driver takes them (JSON as text)."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - names of our own tables
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def rows_as_json(connection: Connection, query: Select[Any]) -> list[list[Any]]:
    """The rows of `query`, whose columns are numbers, texts and JSON. The database writes them as one text.

    A driver hands the interpreter's lock to other threads for each row that it fetches, and waits to get it back;
    with busy threads beside it, a thousand rows took longer than sending them.
    """
    rows = query.subquery()
    if connection.dialect.name == "sqlite":
        values = (func.json(column) if _is_json(column) else column for column in rows.c)
        found = connection.scalar(select(func.json_group_array(func.json_array(*values))).select_from(rows))
    else:
        found = connection.scalar(select(cast(func.json_agg(func.json_build_array(*rows.c)), Text)).select_from(rows))
    parsed: list[list[Any]] = orjson.loads(found) if found else []
    return parsed


def _is_json(column: Any) -> bool:
    return hasattr(column.type, "none_as_null")
