"""People as they are looked for: by words, list, status and segment, page by page; on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import StoreError
from newsletter.expression import ExpressionError
from newsletter.store import Store, directory
from newsletter.store.directory import Search, count_people, find_people, people_in_all
from newsletter.store.subscribers import (
    MembershipStatus,
    add_subscribers,
    join_list,
    list_names,
    list_sizes,
    make_list,
    memberships_of,
    subscriber_by_id,
)
from newsletter.store.suppressions import SuppressionReason, suppress
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, tzinfo=UTC)
ACTIVE, PENDING, LEFT = MembershipStatus.ACTIVE, MembershipStatus.PENDING, MembershipStatus.UNSUBSCRIBED

# The address, the name, the region, and how they stand on which lists.
PEOPLE = (
    ("ada@example.org", "Ada Example", "north", {"members": ACTIVE, "press": LEFT}),
    ("ben@example.org", "Ben Ademar", "south", {"members": ACTIVE}),
    ("cleo_1@mail.example.org", "Émile Cleo", "north", {"members": LEFT}),
    ("cleo21@mail.example.org", "", "south", {"members": PENDING, "press": ACTIVE}),
    ("dan@example.org", "Dan 100% Sure", "north", {"press": PENDING}),
    ("eva@example.org", "Eva Example", "", {}),
)
EVERYBODY = [address for address, *_ in PEOPLE]


@pytest.fixture
def known(store: Store) -> Store:
    """A store with the people above; ben and dan must not be mailed."""
    with store.write() as connection:
        for name in ("members", "press", "board"):
            make_list(connection, name, now=NOW)
        for address, name, region, lists in PEOPLE:
            attributes = {"region": region} if region else {}
            [person] = add_subscribers(connection, [Subscriber(0, address, name, attributes)], now=NOW)
            for list_name, status in lists.items():
                join_list(connection, list_name, [person.id], source="test", now=NOW, status=status)
        later = NOW + timedelta(days=1)
        suppress(connection, "ben@example.org", SuppressionReason.MANUAL, source="test", since_at=later)
        suppress(connection, "ben@example.org", SuppressionReason.BOUNCE, source="test", since_at=NOW)
        suppress(connection, "dan@example.org", SuppressionReason.COMPLAINT, source="test", since_at=NOW)
    return store


@pytest.fixture(params=["in order", "by hits", "by hits on a long list"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ways in which a search can go, whose results are the same."""
    if request.param != "in order":
        monkeypatch.setattr(directory, "_WINDOW", 1)
    if request.param == "by hits on a long list":
        monkeypatch.setattr(directory, "_SHORT_LIST", 0)


CASES = [
    (Search(), EVERYBODY),
    (Search("ada"), ["ada@example.org"]),
    (Search("ADE"), ["ben@example.org"]),
    (Search("exam eva"), ["eva@example.org"]),
    (Search("example dan"), ["dan@example.org"]),
    (Search("mail."), ["cleo_1@mail.example.org", "cleo21@mail.example.org"]),
    (Search("cleo_"), ["cleo_1@mail.example.org"]),
    (Search("100%"), ["dan@example.org"]),
    (Search("émile"), ["cleo_1@mail.example.org"]),
    (Search("ÉMILE"), ["cleo_1@mail.example.org"]),
    (Search("\\"), []),
    (Search("nobody"), []),
    (Search(list_name="members"), EVERYBODY[:4]),
    (Search(list_name="members", status=ACTIVE), ["ada@example.org", "ben@example.org"]),
    (Search(list_name="press", status=LEFT), ["ada@example.org"]),
    (Search(status=PENDING), ["cleo21@mail.example.org", "dan@example.org"]),
    (Search(status=ACTIVE), ["ada@example.org", "ben@example.org", "cleo21@mail.example.org"]),
    (Search(list_name="board"), []),
    (Search(list_name="no such list"), []),
    (Search("cleo", "members", PENDING), ["cleo21@mail.example.org"]),
    (Search(suppressed=True), ["ben@example.org", "dan@example.org"]),
    (Search(suppressed=True, list_name="members"), ["ben@example.org"]),
    (Search("sure", suppressed=True), ["dan@example.org"]),
    (Search(segment='subscriber.region == "north"'), ["ada@example.org", "cleo_1@mail.example.org", "dan@example.org"]),
    (Search(segment='subscriber.region == "north"', list_name="press", status=PENDING), ["dan@example.org"]),
    (Search("example", segment="not subscriber.region"), ["eva@example.org"]),
]


@pytest.mark.usefixtures("way")
def test_whoever_fits_all_of_it_is_found_once_and_counted(known: Store) -> None:
    """One test for all of the table: a store takes longer to make than to ask."""
    with known.read() as connection:
        pages = {search: find_people(connection, search) for search, _ in CASES}
        counts = {search: count_people(connection, search) for search, _ in CASES}
    found = {search: sorted(each.subscriber.email for each in page.people) for search, page in pages.items()}
    assert found == {search: sorted(addresses) for search, addresses in CASES}
    assert counts == {search: len(addresses) for search, addresses in CASES}
    assert not any(page.has_previous or page.has_next for page in pages.values())


@pytest.mark.usefixtures("way")
def test_page_by_page_everybody_comes_once_forwards_and_backwards(known: Store) -> None:
    searches = (Search(), Search("example"), Search(list_name="members"), Search(status=ACTIVE))
    with known.read() as connection:
        for search, size in itertools.product(searches, (1, 2, 3)):
            everybody = [each.key for each in find_people(connection, search).people]
            page = find_people(connection, search, size=size)
            forwards, pages = [each.key for each in page.people], 1
            while page.has_next and pages <= len(everybody):
                page = find_people(connection, search, after=forwards[-1], size=size)
                assert page.has_previous
                forwards += [each.key for each in page.people]
                pages += 1
            assert forwards == everybody
            assert pages == -(-len(everybody) // size)
            backwards = [each.key for each in page.people]
            while page.has_previous and len(backwards) < len(everybody):
                page = find_people(connection, search, before=backwards[0], size=size)
                assert page.has_next
                backwards = [*(each.key for each in page.people), *backwards]
            assert backwards == everybody
            assert not page.has_previous or size >= len(everybody)


def test_a_count_stops_where_it_is_told_to(known: Store) -> None:
    with known.read() as connection:
        for search, count in ((Search(), 6), (Search(list_name="members"), 4), (Search("example"), 6)):
            assert count_people(connection, search, at_most=count) == count
            assert count_people(connection, search, at_most=count - 1) == count
            assert count_people(connection, search, at_most=2) == 3
        assert people_in_all(connection) == 6


def test_somebody_on_two_lists_is_one_person(known: Store) -> None:
    with known.write() as connection:
        [ben] = find_people(connection, Search("ben")).people
        join_list(connection, "press", [ben.subscriber.id], source="test", now=NOW)
    with known.read() as connection:
        assert [each.subscriber.name for each in find_people(connection, Search("ben", status=ACTIVE)).people] == [
            "Ben Ademar"
        ]
        assert count_people(connection, Search(status=ACTIVE)) == 3


def test_who_is_found_comes_with_their_lists_and_the_oldest_reason_not_to_mail_them(known: Store) -> None:
    with known.read() as connection:
        ada, ben, *_ = find_people(connection, Search()).people
        assert [(each.list_name, each.status, each.source, each.changed_at) for each in ada.lists] == [
            ("members", ACTIVE, "test", NOW), ("press", LEFT, "test", NOW),
        ]  # fmt: skip
        assert (ada.suppression, ben.suppression) == (None, SuppressionReason.BOUNCE)
        assert memberships_of(connection, [ada.subscriber.id, 7]) == {ada.subscriber.id: list(ada.lists), 7: []}
        assert subscriber_by_id(connection, ada.subscriber.id) == ada.subscriber
        assert subscriber_by_id(connection, 7) is None


def test_a_segment_that_nobody_can_be_chosen_by_is_refused(known: Store) -> None:
    refusals = (
        ("subscriber.region ==", ExpressionError),
        ("received('spring')", StoreError),
        ("subscriber.age > 3", ExpressionError),
    )
    with known.read() as connection:
        for (segment, error), look in itertools.product(refusals, (find_people, count_people)):
            with pytest.raises(error):
                look(connection, Search(segment=segment))


def test_lists_are_told_with_their_sizes_by_status_also_when_nobody_is_on_them(known: Store) -> None:
    with known.read() as connection:
        assert list_names(connection) == ["board", "members", "press"]
        assert list_sizes(connection) == {
            "board": {PENDING: 0, ACTIVE: 0, LEFT: 0},
            "members": {PENDING: 1, ACTIVE: 2, LEFT: 1},
            "press": {PENDING: 1, ACTIVE: 1, LEFT: 1},
        }
