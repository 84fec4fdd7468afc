"""Laying what a file says of people over what is known of them. Nothing is lost by it, and nobody comes back by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Column, Connection, and_, bindparam, func, select, update

from newsletter.store.bulk import insert_rows, rows_as_json
from newsletter.store.csv_columns import CsvPerson, FormerStatus
from newsletter.store.ids import new_ids
from newsletter.store.keys import is_among
from newsletter.store.subscribers import MembershipStatus
from newsletter.store.suppressions import SuppressionReason
from newsletter.store.tables import memberships, subscribers, suppressions

_SUBSCRIBER = ("id", "address_key", "email", "name", "attributes", "tags", "created_at", "updated_at")
_MEMBERSHIP = ("list_name", "subscriber_id", "status", "source", "changed_at")
_SUPPRESSION = ("id", "address_key", "reason", "source", "since_at", "detail")
_STATUSES = {
    None: MembershipStatus.ACTIVE,
    FormerStatus.ACTIVE: MembershipStatus.ACTIVE,
    FormerStatus.PENDING: MembershipStatus.PENDING,
}
"""What a person joins as; any other is of somebody who isn't to be mailed."""
_REASONS = {
    FormerStatus.INVALID: SuppressionReason.INVALID,
    FormerStatus.MANUAL: SuppressionReason.MANUAL,
    FormerStatus.BOUNCE: SuppressionReason.BOUNCE,
    FormerStatus.COMPLAINT: SuppressionReason.COMPLAINT,
}
_UNSUBSCRIBED = MembershipStatus.UNSUBSCRIBED.value


@dataclass
class Counts:
    """What became of people: `added` to the list, `updated` or `unchanged` on it; `repeated` came in an earlier row.

    `left` are those of them who aren't mailed by the list because they left it, here or by what the file says;
    `suppressed` those against whom the file brought new evidence.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    left: int = 0
    suppressed: int = 0

    def add(self, other: Counts) -> None:
        """Count those of `other` too."""
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)


def lock_merging(connection: Connection) -> None:
    """Let no other import write until the transaction ends; on SQLite its beginning has done that."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("newsletter import"))))


def merge_people(
    connection: Connection,
    people: Mapping[str, CsvPerson],
    list_name: str,
    *,
    source: str,
    now: datetime,
    repeated_from: int,
    dry_run: bool = False,
) -> Counts:
    """Put some thousand people, by address key, on a list, which has to be there.

    Those whose number is from `repeated_from` on were made by the same import. A `dry_run` counts, and writes nothing.
    """
    counts = Counts()
    known = _known(connection, people, list_name)
    added: list[CsvPerson] = []
    details: list[dict[str, Any]] = []
    joining: list[tuple[int, str]] = []
    leaving: list[int] = []
    # In the order of the index, so that a page of it is written once and not for each of its people.
    for key in sorted(people):
        person = people[key]
        status = _STATUSES.get(person.former, MembershipStatus.UNSUBSCRIBED).value
        if key not in known:
            added.append(person)
            counts.left += status == _UNSUBSCRIBED
            continue
        number, name, attributes, tags, membership = known[key]
        new = {
            "name": person.name or name,
            "attributes": {**attributes, **person.attributes},
            "tags": list(dict.fromkeys((*tags, *person.tags))),
        }
        changed = new != {"name": name, "attributes": attributes, "tags": tags}
        if changed:
            details.append({"number": number, "updated_at": now, **new})
        if membership is None:
            joining.append((number, status))
            membership = status
            counts.added += 1
        else:
            left_now = status == _UNSUBSCRIBED != membership
            if left_now:
                leaving.append(number)
                membership = status
            if number >= repeated_from:
                counts.repeated += 1
            elif changed or left_now:
                counts.updated += 1
            else:
                counts.unchanged += 1
        counts.left += membership == _UNSUBSCRIBED
    counts.added += len(added)
    evidence = _new_evidence(connection, people)
    counts.suppressed = len(evidence)
    if not dry_run:
        joining.extend(_add(connection, added, now))
        _join(connection, joining, list_name, source, now)
        _change(connection, details)
        _leave(connection, leaving, list_name, source, now)
        since = _as_stored(connection, suppressions.c.since_at, now)
        rows = [
            (number, person.key, reason, source, since, f"it was `{person.former}` there")
            for number, (person, reason) in zip(new_ids(len(evidence)), evidence, strict=True)
        ]
        insert_rows(connection, suppressions, _SUPPRESSION, rows)
    return counts


def _known(connection: Connection, keys: Mapping[str, Any], list_name: str) -> dict[str, list[Any]]:
    """The number, name, attributes, tags and status on the list of those who are known, by address key."""
    query = (
        select(
            subscribers.c.address_key,
            subscribers.c.id,
            subscribers.c.name,
            subscribers.c.attributes,
            subscribers.c.tags,
            memberships.c.status,
        )
        .join(
            memberships,
            and_(memberships.c.subscriber_id == subscribers.c.id, memberships.c.list_name == list_name),
            isouter=True,
        )
        .where(is_among(connection, subscribers.c.address_key, keys))
    )
    return {key: values for key, *values in rows_as_json(connection, query)}


def _new_evidence(connection: Connection, people: Mapping[str, CsvPerson]) -> list[tuple[CsvPerson, str]]:
    """Those against whom the file has evidence of a kind that isn't there yet, with its reason."""
    found = {
        key: _REASONS[person.former].value
        for key, person in people.items()
        if person.former is not None and person.former in _REASONS
    }
    if not found:
        return []
    query = select(suppressions.c.address_key, suppressions.c.reason)
    there = {
        tuple(row) for row in connection.execute(query.where(is_among(connection, suppressions.c.address_key, found)))
    }
    return [(people[key], reason) for key, reason in found.items() if (key, reason) not in there]


def _add(connection: Connection, people: list[CsvPerson], now: datetime) -> list[tuple[int, str]]:
    """Store people who aren't known; gives the number of each, and how they join."""
    at = _as_stored(connection, subscribers.c.created_at, now)
    numbers = new_ids(len(people))
    rows = [
        (
            number,
            person.key,
            person.email,
            person.name,
            orjson.dumps(person.attributes).decode(),
            orjson.dumps(person.tags).decode() if person.tags else "[]",
            at,
            at,
        )
        for number, person in zip(numbers, people, strict=True)
    ]
    insert_rows(connection, subscribers, _SUBSCRIBER, rows)
    statuses = (_STATUSES.get(person.former, MembershipStatus.UNSUBSCRIBED).value for person in people)
    return list(zip(numbers, statuses, strict=True))


def _join(connection: Connection, people: list[tuple[int, str]], list_name: str, source: str, now: datetime) -> None:
    at = _as_stored(connection, memberships.c.changed_at, now)
    rows = [(list_name, number, status, source, at) for number, status in people]
    insert_rows(connection, memberships, _MEMBERSHIP, rows)


def _change(connection: Connection, details: list[dict[str, Any]]) -> None:
    """Store the name, attributes and tags of people who are known, each by their `number`."""
    if details:
        columns: dict[str, Any] = {name: bindparam(name) for name in ("name", "attributes", "tags", "updated_at")}
        connection.execute(update(subscribers).where(subscribers.c.id == bindparam("number")).values(columns), details)


def _leave(connection: Connection, numbers: list[int], list_name: str, source: str, now: datetime) -> None:
    if numbers:
        theirs = and_(memberships.c.list_name == list_name, is_among(connection, memberships.c.subscriber_id, numbers))
        connection.execute(
            update(memberships).where(theirs).values(status=_UNSUBSCRIBED, source=source, changed_at=now)
        )


def _as_stored(connection: Connection, column: Column[Any], value: Any) -> Any:
    """`value` as the driver takes it for `column`."""
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return process(value) if process else value
