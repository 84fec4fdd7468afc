"""Subscribers, lists, and who is on which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from newsletter.errors import StoreError
from newsletter.store.ids import new_ids
from newsletter.store.tables import lists, memberships, subscribers
from newsletter.subscriber import Subscriber, address_key

_PAGE = 1000


class MembershipStatus(StrEnum):
    """Whether somebody who is known to a list is mailed by it."""

    PENDING = "pending"
    """Signed up, and hasn't confirmed yet."""
    ACTIVE = "active"
    """Is mailed."""
    UNSUBSCRIBED = "unsubscribed"
    """Has left; no import brings them back."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person on a list, and how they stand there."""

    subscriber: Subscriber
    status: MembershipStatus
    source: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A list that knows a person: how they stand there, since when, and what made it so."""

    list_name: str
    status: MembershipStatus
    source: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """On a list: since when they have had this status."""

    status: MembershipStatus
    changed_at: datetime


def make_list(connection: Connection, name: str, *, now: datetime) -> None:
    """Make a list; nothing happens when there is one of that name."""
    if not list_exists(connection, name):
        connection.execute(insert(lists).values(name=name, created_at=now))


def list_exists(connection: Connection, name: str) -> bool:
    return connection.scalar(select(lists.c.name).where(lists.c.name == name)) is not None


def need_list(connection: Connection, name: str) -> None:
    """Raises StoreError when there is no list of that name."""
    if not list_exists(connection, name):
        raise StoreError(f"there is no list `{name}`", hint="see `newsletter subscribers list`")


def list_names(connection: Connection) -> list[str]:
    """The names of all lists, in their order."""
    return list(connection.scalars(select(lists.c.name).order_by(lists.c.name)))


def list_sizes(connection: Connection) -> dict[str, dict[MembershipStatus, int]]:
    """How many there are of each status, by the name of the list, for all lists."""
    sizes: dict[str, dict[MembershipStatus, int]] = {
        name: dict.fromkeys(MembershipStatus, 0) for name in list_names(connection)
    }
    # Along the key, without sorting a million rows by their status.
    counts = (func.count().filter(memberships.c.status == status.value) for status in MembershipStatus)
    for name, *numbers in connection.execute(
        select(memberships.c.list_name, *counts).group_by(memberships.c.list_name)
    ):
        sizes[name] = dict(zip(MembershipStatus, numbers, strict=True))
    return sizes


def add_subscribers(connection: Connection, people: Iterable[Subscriber], *, now: datetime) -> list[Subscriber]:
    """Store new people, whose `id` is given to them here. Their addresses are normalised and not known yet."""
    people = list(people)
    stored = [
        Subscriber(number, person.email, person.name, person.attributes, person.tags, now)
        for number, person in zip(new_ids(len(people)), people, strict=True)
    ]
    if stored:
        connection.execute(
            insert(subscribers),
            [{"id": person.id, "created_at": now, **_columns(person, now)} for person in stored],
        )
    return stored


def change_subscriber(connection: Connection, person: Subscriber, *, now: datetime) -> None:
    """Store the address, name, attributes and tags of somebody who is known by their `id`."""
    changed = connection.execute(
        update(subscribers).where(subscribers.c.id == person.id).values(**_columns(person, now))
    )
    if changed.rowcount != 1:
        raise StoreError("there is no such subscriber", hint="they may have been erased meanwhile")


def merge_person(connection: Connection, person: Subscriber, *, now: datetime) -> Subscriber:
    """Store one person, laid over what is known of them; gives them as stored. Nothing is lost by an empty value."""
    known = subscriber_by_address(connection, person.email)
    if known is None:
        return add_subscribers(connection, [person], now=now)[0]
    merged = replace(
        known,
        name=person.name or known.name,
        attributes={**known.attributes, **person.attributes},
        tags=tuple(dict.fromkeys((*known.tags, *person.tags))),
    )
    if merged != known:
        change_subscriber(connection, merged, now=now)
    return merged


def subscriber_by_address(connection: Connection, email: str) -> Subscriber | None:
    """The person of a normalised address."""
    return subscribers_by_key(connection, [address_key(email)]).get(address_key(email))


def subscriber_by_id(connection: Connection, number: int) -> Subscriber | None:
    """The person of a number."""
    row = connection.execute(select(subscribers).where(subscribers.c.id == number)).one_or_none()
    return to_subscriber(row) if row else None


def subscribers_by_key(connection: Connection, keys: Collection[str]) -> dict[str, Subscriber]:
    """Those who are known, by address key. At most some thousand keys at once."""
    rows = connection.execute(select(subscribers).where(subscribers.c.address_key.in_(keys)))
    return {row.address_key: to_subscriber(row) for row in rows}


def join_list(
    connection: Connection,
    list_name: str,
    subscriber_ids: Iterable[int],
    *,
    source: str,
    now: datetime,
    status: MembershipStatus = MembershipStatus.ACTIVE,
) -> None:
    """Put people on a list who aren't known to it."""
    rows = [
        {"list_name": list_name, "subscriber_id": number, "status": status.value, "source": source, "changed_at": now}
        for number in subscriber_ids
    ]
    if rows:
        connection.execute(insert(memberships), rows)


def change_membership(
    connection: Connection,
    list_name: str,
    subscriber_id: int,
    status: MembershipStatus,
    *,
    source: str,
    now: datetime,
) -> bool:
    """Confirm, leave or come back: an act of the person's own. False when they aren't known to the list."""
    changed = connection.execute(
        update(memberships)
        .where(memberships.c.list_name == list_name, memberships.c.subscriber_id == subscriber_id)
        .values(status=status.value, source=source, changed_at=now)
    )
    return changed.rowcount == 1


def standing_on(connection: Connection, list_name: str, subscriber_id: int) -> Standing | None:
    """How somebody stands on a list; None when the list doesn't know them."""
    query = select(memberships.c.status, memberships.c.changed_at).where(
        memberships.c.list_name == list_name, memberships.c.subscriber_id == subscriber_id
    )
    row = connection.execute(query).one_or_none()
    return Standing(MembershipStatus(row.status), row.changed_at) if row else None


def lists_of(connection: Connection, subscriber_id: int) -> dict[str, MembershipStatus]:
    """How a person stands with each list that knows them, by its name."""
    query = select(memberships.c.list_name, memberships.c.status).where(memberships.c.subscriber_id == subscriber_id)
    rows = connection.execute(query.order_by(memberships.c.list_name))
    return {name: MembershipStatus(status) for name, status in rows}


def memberships_of(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, list[Membership]]:
    """The lists that know each of some people, in the order of their names. At most some thousand at once."""
    found: dict[int, list[Membership]] = {number: [] for number in subscriber_ids}
    query = select(memberships).where(memberships.c.subscriber_id.in_(subscriber_ids)).order_by(memberships.c.list_name)
    for row in connection.execute(query):
        standing = Membership(row.list_name, MembershipStatus(row.status), row.source, row.changed_at)
        found[row.subscriber_id].append(standing)
    return found


def members(connection: Connection, list_name: str, status: MembershipStatus | None = None) -> Iterator[Member]:
    """Everybody who is known to a list, or those of one `status`, in the order of their addresses, read bit by bit."""
    query = (
        select(subscribers, memberships.c.status, memberships.c.source, memberships.c.changed_at)
        .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
        .where(memberships.c.list_name == list_name)
        .order_by(subscribers.c.address_key)
        # One query that is read bit by bit: in pages, each of them would sort the whole list again.
        .execution_options(yield_per=_PAGE)
    )
    if status is not None:
        query = query.where(memberships.c.status == status.value)
    with connection.execute(query) as rows:
        for row in rows:
            yield Member(to_subscriber(row), MembershipStatus(row.status), row.source, row.changed_at)


def to_subscriber(row: Row[Any]) -> Subscriber:
    """The person of a row that holds all columns of the table."""
    return Subscriber(row.id, row.email, row.name, row.attributes, tuple(row.tags), row.created_at)


def _columns(person: Subscriber, now: datetime) -> dict[str, Any]:
    return {
        "address_key": address_key(person.email),
        "email": person.email,
        "name": person.name,
        "attributes": dict(person.attributes),
        "tags": list(person.tags),
        "updated_at": now,
    }
