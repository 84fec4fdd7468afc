"""Whom to offer for what somebody types; on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.store import Store
from newsletter.store.subscribers import add_subscribers
from newsletter.store.suggest import suggest_people
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, tzinfo=UTC)
PEOPLE = (
    ("zoe@example.org", "Ada Berg"),
    ("Ada@example.org", "Zoe Kim"),
    ("ada.lovelace@example.org", "Ada Lovelace"),
    ("ben@example.org", "Canada Benson"),
    ("eva@example.org", "Éva Őry"),
    ("jo_e@example.org", ""),
    ("joXe@example.org", "100% Joe"),
)


@pytest.fixture
def people(store: Store) -> Store:
    with store.write() as connection:
        add_subscribers(connection, [Subscriber(0, email, name) for email, name in PEOPLE], now=NOW)
    return store


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ada@", ["Ada@example.org"]),
        ("ADA@EX", ["Ada@example.org"]),
        ("ada", ["ada.lovelace@example.org", "Ada@example.org", "zoe@example.org"]),
        ("  lovelace ", ["ada.lovelace@example.org"]),
        ("lovel", ["ada.lovelace@example.org"]),
        ("berg ad", ["zoe@example.org"]),
        ("ada nobody", []),
        ("nada", []),
        ("éva", ["eva@example.org"]),
        ("ÉVA", ["eva@example.org"]),
        ("őry", ["eva@example.org"]),
        ("o_", ["jo_e@example.org"]),
        ("100%", ["joXe@example.org"]),
        ("%", []),
        ("\\", []),
    ],
)
def test_people_are_offered(people: Store, words: str, found: list[str]) -> None:
    with people.read() as connection:
        assert [person.email for person in suggest_people(connection, words)] == found


def test_what_begins_with_the_words_comes_first_and_nobody_twice(people: Store) -> None:
    with people.read() as connection:
        assert [person.email for person in suggest_people(connection, "zoe")] == ["zoe@example.org", "Ada@example.org"]


@pytest.mark.parametrize("words", ["", "example.org", "ada"])
def test_there_is_a_limit(people: Store, words: str) -> None:
    with people.read() as connection:
        assert len(suggest_people(connection, words, 2)) == 2


def test_with_nothing_typed_the_first_ones_are_offered(people: Store) -> None:
    with people.read() as connection:
        found = [person.email for person in suggest_people(connection, " ", 3)]
    assert found == ["ada.lovelace@example.org", "Ada@example.org", "ben@example.org"]
