"""Segments as SQL: a condition over `subscribers` that holds for exactly those for whom the expression is true.

Values are bound, never written into the statement. What is missing is NULL; a condition itself is never NULL, so that
`not` means the same to the database as to Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    collate,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    true,
)

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.segment import parse_segment
from newsletter.segment.values import (
    Attribute,
    Both,
    Comparison,
    Constant,
    Default,
    Defined,
    Either,
    Items,
    Kind,
    Length,
    Not,
    Received,
    Tags,
    Trimmed,
    Value,
    Within,
)
from newsletter.store.tables import MAY_HAVE_BEEN_MAILED, batches, deliveries, subscribers

_COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}

_TAKEN = (
    DeliveryStatus.ACCEPTED,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.DROPPED,
    DeliveryStatus.COMPLAINED,
)
"""Statuses of what the provider has accepted."""

_MAILED = text(f"({MAY_HAVE_BEEN_MAILED.text})")
"""In brackets, to be one condition of several; in the words of the index that answers it."""

_WHITE_SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Python trims."""


def condition(source: str, dialect: str) -> ColumnElement[bool]:
    """The segment `source` as a condition over `subscribers`, for the `dialect` sqlite or postgresql.

    Raises ExpressionError.
    """
    return _Compiler(dialect).truth(parse_segment(source).value)


class _Compiler:
    """`truth` gives a condition that is never NULL, `value` a value that is NULL when it is missing."""

    def __init__(self, dialect: str) -> None:
        self._postgresql = dialect == "postgresql"
        self._position = func.strpos if self._postgresql else func.instr
        self._trim = func.btrim if self._postgresql else func.trim

    def truth(self, value: Value) -> ColumnElement[bool]:
        match value:
            case Both():
                return and_(*map(self.truth, value.parts))
            case Either():
                return or_(*map(self.truth, value.parts))
            case Not():
                return not_(self.truth(value.of))
            case Defined():
                return self.value(value.of).is_not(None) if _is_single(value.of) else true()
            case Comparison():
                return self._comparison(value)
            case Within():
                return self._within(value.value, value.container)
            case Received():
                return _received(value.slug)
            case Items():
                return true() if value.items else false()
            case Tags():
                return self.value(Length(value)) > 0
            case Constant():
                return true() if value.value else false()
        match value.kind:
            case Kind.TEXT:
                return _known(self.value(value) != "")
            case Kind.NUMBER:
                return _known(self.value(value) != 0)
        return self.value(value)

    def value(self, value: Value) -> ColumnElement[Any]:
        match value:
            case Constant():
                return literal(value.value)
            case Attribute():
                return self._attribute(value.name)
            case Length(of=Tags()):
                length = func.jsonb_array_length if self._postgresql else func.json_array_length
                return length(subscribers.c.tags)
            case Length():
                return func.length(self.value(value.of))
            case Trimmed():
                return self._trim(self.value(value.of), _WHITE_SPACE)
            case Default():
                return func.coalesce(self.value(value.of), self.value(value.fallback))
            case Either() if value.kind is not Kind.FLAG:
                empty = "" if value.kind is Kind.TEXT else 0
                *others, last = map(self.value, value.parts)
                return func.coalesce(*(func.nullif(other, empty) for other in others), last)
        return self.truth(value)

    def _comparison(self, comparison: Comparison) -> ColumnElement[bool]:
        if comparison.operator == "ne":
            return not_(self._comparison(Comparison("eq", comparison.left, comparison.right)))
        left, right = self.value(comparison.left), self.value(comparison.right)
        if self._postgresql and comparison.left.kind is Kind.TEXT:
            left = collate(left, "C")  # by code point, as Python and SQLite do
        return _known(_COMPARE[comparison.operator](left, right))

    def _within(self, value: Value, container: Value) -> ColumnElement[bool]:
        match container:
            case Items():
                if not container.items:
                    return false()
                return _known(self.value(value).in_([self.value(item) for item in container.items]))
            case Tags() if self._postgresql:
                return _known(subscribers.c.tags.op("?", is_comparison=True)(self.value(value)))
            case Tags():
                tag = func.json_each(subscribers.c.tags).table_valued("value").alias("tag")
                return exists(select(1).select_from(tag).where(tag.c.value == self.value(value)))
        return _known(self._position(self.value(container), self.value(value)) > 0)

    def _attribute(self, name: str) -> ColumnElement[Any]:
        person = subscribers.c
        space = self._position(person.name, " ")
        match name:
            case "email" | "name":
                return person[name]
            case "first_name":
                first = func.substr(person.name, 1, space - 1)
                return self._filled(name, case((space > 0, first), else_=person.name))
            case "last_name":
                rest = self._trim(func.substr(person.name, space + 1), _WHITE_SPACE)
                return self._filled(name, case((space > 0, rest), else_=""))
            case "joined_at":
                day = func.date(person.created_at)
                if self._postgresql:
                    day = func.to_char(func.timezone("UTC", person.created_at), "YYYY-MM-DD")
                return self._filled(name, day)
        return _attribute(name)

    def _filled(self, name: str, otherwise: ColumnElement[Any]) -> ColumnElement[Any]:
        """The attribute of a name unless it is missing or empty."""
        return func.coalesce(func.nullif(_attribute(name), ""), otherwise)


def _attribute(name: str) -> ColumnElement[str]:
    attribute: ColumnElement[str] = subscribers.c.attributes[name].as_string()
    return attribute


def _is_single(value: Value) -> bool:
    return value.kind in (Kind.TEXT, Kind.NUMBER)


def _known(comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """False rather than NULL."""
    return func.coalesce(comparison, false())


def may_have_had(slugs: Sequence[str], *further: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether one of the issues was, may have been or is to be sent to them, in a delivery that `further` fits."""
    return exists().where(
        deliveries.c.address_key == subscribers.c.address_key, deliveries.c.issue_slug.in_(slugs), _MAILED, *further
    )


def _received(slug: str) -> ColumnElement[bool]:
    accepted = select(batches.c.state).where(batches.c.id == deliveries.c.batch_id).scalar_subquery()
    taken = or_(
        deliveries.c.status.in_([status.value for status in _TAKEN]),
        and_(deliveries.c.status.is_(None), accepted == BatchState.ACCEPTED.value),
    )
    return may_have_had([slug], taken)
