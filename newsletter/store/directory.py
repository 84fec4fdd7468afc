"""People as they are looked for: by words, list, status and segment, a page at a time in the order of their addresses.

A list may hold a million. Where many fit, a page of them is among the first some thousand addresses, and nothing else
is looked at. Where few fit, they are found first, in whatever order that is quick, and put in order then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, UnaryExpression, exists, func, or_, select
from sqlalchemy.sql.operators import custom_op

from newsletter.store.audience import Selection, check_selection
from newsletter.store.segments import condition
from newsletter.store.subscribers import Membership, MembershipStatus, memberships_of, to_subscriber
from newsletter.store.suppressions import SuppressionReason
from newsletter.store.tables import memberships, subscribers, suppressions
from newsletter.subscriber import Subscriber, address_key

COUNTED = 10_000
"""More than those aren't counted."""
_PAGE = 50
_WINDOW = 20_000
"""So many addresses are looked through in their order, before all people are looked through in another."""
_SHORT_LIST = 20_000
"""A list of no more people is quicker looked through than everybody."""


@dataclass(frozen=True, slots=True)
class Search:
    """Who is looked for. Each word of `text` has to be in the address or in the name, in upper or lower case.

    With `list_name`, those whom the list knows; with `status`, those who stand so on it, or else on any list; with
    `suppressed`, those who must not be mailed; with `segment`, those for whom the expression is true.
    """

    text: str = ""
    list_name: str | None = None
    status: MembershipStatus | None = None
    suppressed: bool = False
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A person, the lists that know them, and the oldest reason not to mail them."""

    subscriber: Subscriber
    lists: tuple[Membership, ...]
    suppression: SuppressionReason | None

    @property
    def key(self) -> str:
        """Their place in the order: what the next page comes `after`, and the previous one `before`."""
        return address_key(self.subscriber.email)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the people found, and whether there are more on either side."""

    people: tuple[Found, ...]
    has_previous: bool
    has_next: bool


def find_people(
    connection: Connection, search: Search, *, after: str | None = None, before: str | None = None, size: int = _PAGE
) -> Page:
    """The first `size` people found, or those who come next to an address key: `after` it or `before` it.

    Raises ExpressionError for a segment that isn't one, and StoreError when it asks for an issue that wasn't sent.
    """
    _check(connection, search)
    order = _Order(before if before is not None else after, backwards=before is not None)
    end = connection.scalar(order.of(select(subscribers.c.address_key)).offset(_WINDOW - 1).limit(1))
    wanted = select(subscribers).limit(size + 1)
    rows = connection.execute(order.of(wanted, until=end).where(*_conditions(connection, search))).all()
    if len(rows) <= size and end is not None:
        by_hits = _Order(order.start, backwards=order.backwards, by_index=connection.dialect.name != "sqlite")
        rows = connection.execute(by_hits.of(wanted).where(*_conditions(connection, search, few=True))).all()
    more, rows = len(rows) > size, rows[:size]
    if order.backwards:
        return Page(_found(connection, rows[::-1]), has_previous=more, has_next=True)
    return Page(_found(connection, rows), has_previous=after is not None, has_next=more)


def count_people(connection: Connection, search: Search, at_most: int = COUNTED) -> int:
    """How many are found; `at_most` + 1 when it is more than that. Raises as `find_people` does."""
    _check(connection, search)
    standing = _standing(search)
    if standing and search == Search(list_name=search.list_name, status=search.status):
        # Who is on a list, or stands so on any: there is no need to look at the people.
        hits = select(memberships.c.subscriber_id).where(*standing).distinct()
    else:
        hits = select(subscribers.c.id).where(*_conditions(connection, search, few=True))
    return connection.scalar(select(func.count()).select_from(hits.limit(at_most + 1).subquery())) or 0


def people_in_all(connection: Connection) -> int:
    """How many people are known."""
    return connection.scalar(select(func.count()).select_from(subscribers)) or 0


@dataclass(frozen=True, slots=True)
class _Order:
    """From the address key `start` on, or from the first one. Without `by_index`, SQLite doesn't go along the index of
    addresses, which would have it fetch each person from another place of the file."""

    start: str | None
    backwards: bool
    by_index: bool = True

    def of(self, query: Select[Any], until: str | None = None) -> Select[Any]:
        """`query` in this order, with nobody beyond the key `until`."""
        key: ColumnElement[str] = subscribers.c.address_key
        if not self.by_index:
            key = UnaryExpression(key, operator=custom_op("+"), type_=key.type)
        if self.start is not None:
            query = query.where(key < self.start if self.backwards else key > self.start)
        if until is not None:
            query = query.where(key >= until if self.backwards else key <= until)
        return query.order_by(key.desc() if self.backwards else key)


def _check(connection: Connection, search: Search) -> None:
    if search.segment is not None:
        check_selection(connection, Selection(search.segment))


def _standing(search: Search) -> list[ColumnElement[bool]]:
    """What holds for a membership, if one is asked for."""
    standing = [] if search.status is None else [memberships.c.status == search.status.value]
    return standing if search.list_name is None else [*standing, memberships.c.list_name == search.list_name]


def _conditions(connection: Connection, search: Search, *, few: bool = False) -> Iterator[ColumnElement[bool]]:
    """What holds for those who are found. With `few`, written so that few are found quickly among many."""
    dialect = connection.dialect.name
    words = search.text.split()
    standing = _standing(search)
    # People are found by one of these, and looked at for the others.
    by_list = few and standing and (not (words or search.segment) or _is_short(connection, search.list_name))
    by_suppression = few and search.suppressed and not by_list
    if by_list:
        yield subscribers.c.id.in_(select(memberships.c.subscriber_id).where(*standing))
    elif standing:
        yield exists().where(memberships.c.subscriber_id == subscribers.c.id, *standing)
    if by_suppression:
        yield subscribers.c.address_key.in_(select(suppressions.c.address_key))
    elif search.suppressed:
        yield exists().where(suppressions.c.address_key == subscribers.c.address_key)
    for word in words:
        columns = (subscribers.c.address_key, subscribers.c.name)
        yield or_(*(_contains(column, written, dialect) for column in columns for written in _cases(word)))
    if search.segment is not None:
        yield condition(search.segment, dialect)


def _is_short(connection: Connection, list_name: str | None) -> bool:
    if list_name is None:
        return False
    some = select(memberships.c.subscriber_id).where(memberships.c.list_name == list_name).limit(_SHORT_LIST + 1)
    return (connection.scalar(select(func.count()).select_from(some.subquery())) or 0) <= _SHORT_LIST


def _contains(column: ColumnElement[str], word: str, dialect: str) -> ColumnElement[bool]:
    pattern = "%" + "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in word) + "%"
    # SQLite's LIKE takes upper and lower case as the same already, and lower() would copy each value first.
    return column.like(pattern, escape="\\") if dialect == "sqlite" else column.ilike(pattern, escape="\\")


def _cases(word: str) -> Sequence[str]:
    """The ways to write a word, where a database knows upper and lower case of ASCII alone."""
    return (word,) if word.isascii() else tuple(dict.fromkeys((word, word.casefold(), word.upper(), word.title())))


def _found(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Found, ...]:
    people = [to_subscriber(row) for row in rows]
    lists = memberships_of(connection, [person.id for person in people])
    # The oldest evidence is told, as everywhere.
    evidence = (
        select(suppressions.c.address_key, suppressions.c.reason)
        .where(suppressions.c.address_key.in_([row.address_key for row in rows]))
        .order_by(suppressions.c.since_at.desc(), suppressions.c.id.desc())
    )
    reasons = {key: SuppressionReason(reason) for key, reason in connection.execute(evidence)}
    return tuple(Found(person, tuple(lists[person.id]), reasons.get(address_key(person.email))) for person in people)
