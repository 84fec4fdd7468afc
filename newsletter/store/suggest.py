"""Whom to offer while somebody types: by how an address begins, by a name, by what an address holds.

`directory` finds everybody who fits, in order; here the likeliest few count, and that they are there at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, collate, func, literal, or_, select

from newsletter.store.subscribers import to_subscriber
from newsletter.store.tables import subscribers
from newsletter.subscriber import Subscriber, address_key

_LAST = "\U0010ffff"
"""Sorts after every other character, byte by byte."""


def suggest_people(connection: Connection, words: str, limit: int = 20) -> list[Subscriber]:
    """At most `limit` people: first those whose address begins with `words`, in the order of addresses, then those
    where each of the words begins one of their name's, or who have `words` within their address. The first ones of all
    when `words` is empty.

    The first kind is read from an index on SQLite. For the rest every row may have to be looked at, until enough are
    found: at a million people that takes some tenths of a second.
    """
    typed = address_key(words.strip())
    key: ColumnElement[str] = subscribers.c.address_key
    if connection.dialect.name == "postgresql":
        key = collate(key, "C")  # whatever the database's own order of letters is
    beginning = select(subscribers).where(key >= typed, key <= typed + _LAST).order_by(key).limit(limit)
    found = {row.id: to_subscriber(row) for row in connection.execute(beginning)}
    if typed and len(found) < limit:
        within = or_(
            and_(*(_begins_a_word(word, connection.dialect.name) for word in words.split())),
            subscribers.c.address_key.contains(typed, autoescape=True),
        )
        rest = select(subscribers).where(within, subscribers.c.id.not_in(found)).limit(limit - len(found))
        others = [to_subscriber(row) for row in connection.execute(rest)]
        found |= {person.id: person for person in sorted(others, key=lambda person: address_key(person.email))}
    return list(found.values())


def _begins_a_word(word: str, dialect: str) -> ColumnElement[bool]:
    """That a word of the name begins with `word`, whatever their case."""
    # SQLite's LIKE passes over the case of ASCII letters, PostgreSQL is quick to do so only in the order of bytes.
    # Other letters are tried in each case.
    name: Any = subscribers.c.name if dialect == "sqlite" else func.lower(collate(subscribers.c.name, "C"))
    padded = literal(" ") + name
    return or_(*(padded.contains(f" {form}", autoescape=True) for form in sorted(set(_forms(word)))))


def _forms(word: str) -> Iterator[str]:
    for form in (word, word.lower(), word.title(), word.upper()):
        yield "".join(letter.lower() if letter.isascii() else letter for letter in form)
