"""Asking for thousands of rows by their keys in one statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import ARRAY, Column, ColumnElement, Connection, any_, bindparam, func, select


def is_among(connection: Connection, column: Column[Any], keys: Iterable[Any]) -> ColumnElement[bool]:
    """The condition that `column` is one of `keys`, given to the database as one value, however many they are."""
    if connection.dialect.name == "sqlite":
        given = func.json_each(orjson.dumps(list(keys)).decode()).table_valued("value")
        return column.in_(select(given.c.value))
    return column == any_(bindparam(None, list(keys), type_=ARRAY(column.type)))
