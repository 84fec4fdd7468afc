"""What the Studio does to people, with the promises of the commands under `newsletter subscribers`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from newsletter.dispatch.history import Chapter, history_of
from newsletter.errors import StoreError
from newsletter.store import Store
from newsletter.store.forgotten import Erased, forget, forgotten_since, welcome_back
from newsletter.store.subscribers import (
    Membership,
    MembershipStatus,
    change_membership,
    change_subscriber,
    join_list,
    list_exists,
    make_list,
    memberships_of,
    merge_person,
    standing_on,
    subscriber_by_address,
    subscriber_by_id,
)
from newsletter.store.suppressions import Suppression, SuppressionReason, suppress, suppressions_of
from newsletter.subscriber import Subscriber, normalise_address

SOURCE = "studio"
"""What the store notes as having made a change."""
_LONGEST_NAME = 80
"""Characters of a list's name."""


@dataclass(frozen=True)
class Known:
    """Everything that is known of a person; `chapters` are what each sending was to them, oldest first."""

    person: Subscriber
    lists: tuple[Membership, ...]
    suppressions: tuple[Suppression, ...]
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Added:
    """Somebody who is on a list now. `evidence` says why they aren't mailed all the same."""

    person: Subscriber
    evidence: tuple[SuppressionReason, ...]


@dataclass(frozen=True)
class Gone:
    """Somebody who left, or asked to be forgotten: `sentence` says so. Only they can want to come back."""

    sentence: str


def known_of(store: Store, number: int) -> Known | None:
    """Everything about the person of a number; None when there is no such subscriber. Raises StoreError."""
    with store.read() as connection:
        person = subscriber_by_id(connection, number)
        if person is None:
            return None
        return Known(
            person,
            tuple(memberships_of(connection, [number])[number]),
            tuple(suppressions_of(connection, person.email)),
            tuple(history_of(connection, person.email)),
        )


def read_address(text: str) -> str:
    """`text` as an address to write to. Raises ValueError, with a sentence for people."""
    if not text.strip():
        raise ValueError("An address is needed.")
    return normalise_address(text)


def read_list_name(text: str) -> str:
    """`text` as the name of a list. Raises ValueError, with a sentence for people."""
    name = text.strip()
    if not name:
        raise ValueError("A list needs a name.")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"A name has at most {_LONGEST_NAME} letters, on one line.")
    return name


def new_list(store: Store, name: str, *, now: datetime) -> bool:
    """Make a list; False when there is one of that name already. Raises StoreError."""
    with store.write() as connection:
        if list_exists(connection, name):
            return False
        make_list(connection, name, now=now)
        return True


def add_person(store: Store, person: Subscriber, list_name: str, *, asked: bool, now: datetime) -> Added | Gone:
    """Put a person, whose address is normalised, on a list, which is made when it isn't there.

    Who left the list or was forgotten is only told of, unless they `asked` to come back. Raises StoreError.
    """
    with store.write() as connection:
        if not asked:
            if (since := forgotten_since(connection, person.email)) is not None:
                return Gone(f"{person.email} asked to be forgotten, on {since:%Y-%m-%d}.")
            left = _left_since(connection, person.email, list_name)
            if left is not None:
                return Gone(f"{person.email} left {list_name}, on {left:%Y-%m-%d}.")
        welcome_back(connection, person.email)
        make_list(connection, list_name, now=now)
        stored = merge_person(connection, person, now=now)
        standing = standing_on(connection, list_name, stored.id)
        if standing is None:
            join_list(connection, list_name, [stored.id], source=SOURCE, now=now)
        elif standing.status is not MembershipStatus.ACTIVE:
            change_membership(connection, list_name, stored.id, MembershipStatus.ACTIVE, source=SOURCE, now=now)
        evidence = dict.fromkeys(each.reason for each in suppressions_of(connection, stored.email))
    return Added(stored, tuple(evidence))


def _left_since(connection: Any, email: str, list_name: str) -> datetime | None:
    known = subscriber_by_address(connection, email)
    standing = standing_on(connection, list_name, known.id) if known else None
    return standing.changed_at if standing and standing.status is MembershipStatus.UNSUBSCRIBED else None


def unsubscribe(store: Store, number: int, list_names: tuple[str, ...], *, now: datetime) -> None:
    """Take a person off lists. They stay known to them, so that no import brings them back. Raises StoreError."""
    with store.write() as connection:
        for name in list_names:
            left = MembershipStatus.UNSUBSCRIBED
            if not change_membership(connection, name, number, left, source=SOURCE, now=now):
                raise StoreError(f"they aren't on {name}", hint="they may have been erased meanwhile")


def subscribe_again(store: Store, number: int, list_name: str, *, now: datetime) -> None:
    """Put a person back who asked for it, or confirm one who hasn't. Raises StoreError."""
    with store.write() as connection:
        if not change_membership(connection, list_name, number, MembershipStatus.ACTIVE, source=SOURCE, now=now):
            raise StoreError(f"they aren't on {list_name}", hint="they may have been erased meanwhile")


def never_mail(store: Store, email: str, reason: SuppressionReason, note: str, *, now: datetime) -> None:
    """Add evidence against a normalised address: no list mails it again. Raises StoreError."""
    with store.write() as connection:
        if forgotten_since(connection, email) is not None:
            raise StoreError(f"{email} asked to be forgotten", hint="they are not mailed, and not to be noted again")
        suppress(connection, email, reason, source=SOURCE, since_at=now, detail=note.strip() or None)


def change_person(store: Store, before: Subscriber, after: Subscriber, *, now: datetime) -> None:
    """Store the name, attributes and tags of `after`, who was `before` when they were shown.

    Raises StoreError when something else changed them meanwhile, or they are gone.
    """
    with store.write() as connection:
        current = subscriber_by_id(connection, before.id)
        if current != before:
            hint = "look at them as they are now, and change them again"
            raise StoreError("they were changed by something else meanwhile" if current else "they are gone", hint=hint)
        changed = replace(before, name=after.name, attributes=after.attributes, tags=after.tags)
        change_subscriber(connection, changed, now=now)


def erase(store: Store, email: str, *, now: datetime) -> Erased:
    """Erase somebody who asked for it. Raises StoreError."""
    with store.write() as connection:
        return forget(connection, email, now=now)
