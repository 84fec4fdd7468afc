"""What the Subscribers pages know and do, without a browser: addresses, people, histories in words, uploads, exports."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from newsletter.delivery import DeliveryStatus, DispatchState, EventKind, OutcomeKind
from newsletter.dispatch.history import Chapter
from newsletter.errors import StoreError
from newsletter.expression import ExpressionError
from newsletter.store import Store, open_store
from newsletter.store import export_csv as exporting
from newsletter.store.csv_columns import CsvColumn, Meaning, columns_of
from newsletter.store.deliveries import AttemptRecord, DeliveryRecord, EventRecord
from newsletter.store.directory import Search
from newsletter.store.dispatches import Dispatch
from newsletter.store.forgotten import forgotten_since
from newsletter.store.import_csv import ImportReport
from newsletter.store.merging import Counts
from newsletter.store.subscribers import MembershipStatus, list_sizes, lists_of, subscriber_by_address
from newsletter.store.suppressions import SuppressionReason
from newsletter.studio.people import import_job
from newsletter.studio.people.changes import (
    Added,
    Gone,
    add_person,
    change_person,
    erase,
    known_of,
    never_mail,
    new_list,
    read_address,
    read_list_name,
    subscribe_again,
    unsubscribe,
)
from newsletter.studio.people.import_job import Matching
from newsletter.studio.people.lookups import Lookup
from newsletter.studio.people.matching import CHOICES, choice_of, column_of, figures, remarks, size_words
from newsletter.studio.people.tellings import day_words, list_words, moment_words, tell
from newsletter.studio.people.uploads import Upload, Uploads, file_name
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, 9, 5, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ADA = Subscriber(0, "ada@example.org", "Ada Example", {"region": "north"}, ("donor",))
ACTIVE, LEFT = MembershipStatus.ACTIVE, MembershipStatus.UNSUBSCRIBED


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Store]:
    """A store with a list `members`, and ada on it."""
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        add_person(store, ADA, "members", asked=False, now=NOW)
        yield store


def ada_of(store: Store) -> Subscriber:
    with store.read() as connection:
        person = subscriber_by_address(connection, ADA.email)
    assert person is not None
    return person


def standings(store: Store) -> dict[str, MembershipStatus]:
    with store.read() as connection:
        return lists_of(connection, ada_of(store).id)


# The page's address.


@pytest.mark.parametrize(
    ("query", "lookup", "search"),
    [
        ({}, Lookup(), Search()),
        ({"q": " ada & ben ", "list": "members"}, Lookup("ada & ben", "members"), Search("ada & ben", "members")),
        ({"status": "unsubscribed"}, Lookup(status="unsubscribed"), Search(status=LEFT)),
        ({"status": "suppressed"}, Lookup(status="suppressed"), Search(suppressed=True)),
        ({"status": "asleep"}, Lookup(), Search()),
        ({"segment": "donors"}, Lookup(segment="donors"), Search(segment='"donor" in subscriber.tags')),
        ({"segment": "subscriber.name"}, Lookup(segment="subscriber.name"), Search(segment="subscriber.name")),
        ({"after": "ben@example.org", "other": "x"}, Lookup(after="ben@example.org"), Search()),
    ],
)
def test_what_is_looked_for_stands_in_the_address(query: dict[str, str], lookup: Lookup, search: Search) -> None:
    found = Lookup.from_query(query)
    assert found == lookup
    assert found.search({"donors": '"donor" in subscriber.tags'}) == search


def test_an_address_leads_back_to_what_it_was_made_of() -> None:
    lookup = Lookup(
        "zoë+news@example.org", "friends & family", "active", 'subscriber.region == "north"', "ben@example.org"
    )
    split = urlsplit(lookup.address)
    assert split.path == "/subscribers"
    assert Lookup.from_query(dict(parse_qsl(split.query))) == lookup
    assert lookup.first == replace(lookup, after="")
    assert Lookup().address == "/subscribers"


def test_a_segment_that_has_no_name_and_is_no_expression_is_told() -> None:
    with pytest.raises(ExpressionError, match="no segment `donors`"):
        Lookup(segment="donors").search({"donor": "subscriber.tags"})


# People.


def test_somebody_added_is_on_a_list_that_is_made_for_it_and_loses_nothing(people: Store) -> None:
    added = add_person(people, Subscriber(0, "ADA@example.org", "", {"plan": "free"}), "press", asked=False, now=LATER)
    assert isinstance(added, Added)
    assert (added.person.name, added.person.attributes) == ("Ada Example", {"region": "north", "plan": "free"})
    assert standings(people) == {"members": ACTIVE, "press": ACTIVE}
    assert added.evidence == ()


def test_adding_somebody_who_is_there_changes_nothing_of_their_standing(people: Store) -> None:
    add_person(people, ADA, "members", asked=False, now=LATER)
    known = known_of(people, ada_of(people).id)
    assert known is not None
    assert [(each.status, each.changed_at, each.source) for each in known.lists] == [(ACTIVE, NOW, "studio")]


def test_who_left_comes_back_only_when_they_asked(people: Store) -> None:
    unsubscribe(people, ada_of(people).id, ("members",), now=LATER)
    refused = add_person(people, ADA, "members", asked=False, now=LATER)
    assert refused == Gone("ada@example.org left members, on 2026-04-01.")
    assert standings(people) == {"members": LEFT}
    assert isinstance(add_person(people, ADA, "members", asked=True, now=LATER), Added)
    assert standings(people) == {"members": ACTIVE}
    # Another list never knew them.
    unsubscribe(people, ada_of(people).id, ("members",), now=LATER)
    assert isinstance(add_person(people, ADA, "press", asked=False, now=LATER), Added)


def test_who_was_forgotten_comes_back_only_when_they_asked(people: Store) -> None:
    erased = erase(people, ADA.email, now=NOW)
    assert (erased.subscriber, erased.deliveries) == (True, 0)
    refused = add_person(people, ADA, "members", asked=False, now=LATER)
    assert refused == Gone("ada@example.org asked to be forgotten, on 2026-03-31.")
    with people.read() as connection:
        assert subscriber_by_address(connection, ADA.email) is None
    assert isinstance(add_person(people, ADA, "members", asked=True, now=LATER), Added)
    with people.read() as connection:
        assert forgotten_since(connection, ADA.email) is None


def test_leaving_and_coming_back_is_noted_with_its_time_and_source(people: Store) -> None:
    add_person(people, ADA, "press", asked=False, now=NOW)
    number = ada_of(people).id
    unsubscribe(people, number, ("members", "press"), now=LATER)
    subscribe_again(people, number, "press", now=LATER)
    known = known_of(people, number)
    assert known is not None
    assert [(each.list_name, each.status, each.changed_at, each.source) for each in known.lists] == [
        ("members", LEFT, LATER, "studio"), ("press", ACTIVE, LATER, "studio"),
    ]  # fmt: skip


@pytest.mark.parametrize("list_names", [("board",), ("members", "board")])
def test_a_list_that_does_not_know_them_cannot_be_left_and_nothing_is_half_done(
    people: Store, list_names: tuple[str, ...]
) -> None:
    with pytest.raises(StoreError, match="aren't on board"):
        unsubscribe(people, ada_of(people).id, list_names, now=LATER)
    with pytest.raises(StoreError, match="aren't on board"):
        subscribe_again(people, ada_of(people).id, "board", now=LATER)
    assert standings(people) == {"members": ACTIVE}


def test_an_address_that_must_not_be_mailed_is_told_whenever_it_is_added(people: Store) -> None:
    never_mail(people, ADA.email, SuppressionReason.COMPLAINT, " by phone ", now=LATER)
    never_mail(people, ADA.email, SuppressionReason.COMPLAINT, "", now=LATER)
    added = add_person(people, ADA, "press", asked=False, now=LATER)
    assert isinstance(added, Added)
    assert added.evidence == (SuppressionReason.COMPLAINT,)
    known = known_of(people, added.person.id)
    assert known is not None
    assert [(each.source, each.detail) for each in known.suppressions] == [("studio", "by phone"), ("studio", None)]
    erase(people, ADA.email, now=LATER)
    with pytest.raises(StoreError, match="asked to be forgotten"):
        never_mail(people, ADA.email, SuppressionReason.MANUAL, "", now=LATER)


def test_a_change_replaces_what_was_shown_and_never_what_came_meanwhile(people: Store) -> None:
    before = ada_of(people)
    change_person(people, before, replace(before, name="Ada E.", attributes={"plan": "free"}, tags=()), now=LATER)
    changed = ada_of(people)
    assert (changed.name, changed.attributes, changed.tags, changed.email) == (
        "Ada E.",
        {"plan": "free"},
        (),
        ADA.email,
    )
    with pytest.raises(StoreError, match="changed by something else"):
        change_person(people, before, replace(before, name="Late"), now=LATER)
    erase(people, ADA.email, now=LATER)
    with pytest.raises(StoreError, match="gone"):
        change_person(people, changed, replace(changed, name="Late"), now=LATER)
    assert known_of(people, changed.id) is None


def test_a_new_list_is_empty_and_made_once(people: Store) -> None:
    assert new_list(people, "press", now=NOW)
    assert not new_list(people, "press", now=NOW)
    with people.read() as connection:
        assert set(list_sizes(connection)["press"].values()) == {0}


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 81, "zero\0"])
def test_a_list_needs_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        read_list_name(name)
    assert read_list_name(" friends of the garden ") == "friends of the garden"


@pytest.mark.parametrize("address", ["", "ada", "ada@", "ada@localhost"])
def test_an_address_has_to_be_one(address: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_address(address)
    assert read_address(" Ada@Example.ORG ") == "Ada@example.org"


# Histories.


def chapter(status: DeliveryStatus | None, reason: str | None = None, **more: Any) -> Chapter:
    dispatch = Dispatch(
        id=1, issue_slug="spring", list_name="members", rehearsal=False, audience={}, envelope={}, send_at=None,
        undo_until=None, state=DispatchState.COMPLETE, stop_reason=None, planned_at=NOW, started_at=NOW, ended_at=NOW,
    )  # fmt: skip
    if status is None:
        return Chapter(dispatch, None, reason)
    delivery = DeliveryRecord(1, 1, "spring", "members", 1, ADA.email, "Ada", status, reason, "", None, 1)
    return Chapter(dispatch, delivery, **more)


@pytest.mark.parametrize("status", [*DeliveryStatus, None])
def test_every_status_has_a_word_for_people(status: DeliveryStatus | None) -> None:
    telling = tell(chapter(status))
    assert telling.word
    assert (telling.issue, telling.list_name, telling.planned_at) == ("spring", "members", NOW)


@pytest.mark.parametrize(
    ("status", "reason", "sentence"),
    [
        (None, "they aren't on the list members", "they aren't on the list members"),
        (DeliveryStatus.REFUSED, "does not contain a valid address", "does not contain a valid address"),
        (DeliveryStatus.SUPPRESSED, "complaint", "the address must not be mailed: they reported a mail as spam."),
        (DeliveryStatus.DELIVERED, None, ""),
    ],
)
def test_why_it_is_so_is_said_in_a_sentence(status: DeliveryStatus | None, reason: str | None, sentence: str) -> None:
    assert tell(chapter(status, reason)).reason == sentence


def test_what_an_event_says_is_not_said_twice() -> None:
    bounced = EventRecord(EventKind.BOUNCED.value, NOW, "550 no such mailbox")
    told = tell(chapter(DeliveryStatus.BOUNCED, "550 no such mailbox", events=(bounced,)))
    assert (told.reason, [line.detail for line in told.lines]) == ("", ["550 no such mailbox"])


def test_attempts_and_events_are_told_in_the_order_of_time() -> None:
    kinds = list(EventKind)
    told = tell(
        chapter(
            DeliveryStatus.DELIVERED,
            attempts=(AttemptRecord("a", LATER, LATER, OutcomeKind.ACCEPTED.value, None, "m-1"),
                      AttemptRecord("b", NOW, NOW, None, None, None)),
            events=tuple(EventRecord(kind.value, LATER + timedelta(hours=1), "250 OK") for kind in kinds),
            conditions={"subscriber.region": True},
            slots={"subscriber.first_name": "Ada", "unsubscribe_url": "https://www.example.org/u/1"},
        )
    )  # fmt: skip
    first, second, *events = told.lines
    assert (first.what, first.tone) == ("Handed to the provider; no answer is known", "warn")
    assert (second.what, second.detail) == ("Handed to the provider, which accepted it", "as m-1")
    assert len({line.what for line in events}) == len(kinds)
    assert {line.detail for line in events} == {"250 OK"}
    assert told.conditions == (("subscriber.region", True),)
    assert told.slots == (("subscriber.first_name", "Ada"),)  # the link is everybody's own, and nobody else's


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_every_outcome_of_a_call_is_told(kind: OutcomeKind) -> None:
    [line] = tell(
        chapter(DeliveryStatus.PLANNED, attempts=(AttemptRecord("a", NOW, NOW, kind.value, "503", None),))
    ).lines
    assert line.what
    assert line.detail == "503"


def test_times_are_those_of_the_publication() -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    assert day_words(late, "UTC") == "31 Mar 2026"
    assert moment_words(late, "Europe/Berlin") == "1 Apr 2026, 00:30"


@pytest.mark.parametrize(("names", "words"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_lists_are_named_one_after_the_other(names: list[str], words: str) -> None:
    assert list_words(names) == words


# Imports.


@pytest.mark.parametrize(
    "column", columns_of(["email", "name", "vorname", "Nachname", "tags", "status", "region", "unsub_time", ""])
)
def test_what_a_column_seems_to_be_can_be_chosen_again(column: CsvColumn) -> None:
    assert choice_of(column) in CHOICES
    assert column_of(choice_of(column), column.name) == column


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_is_a_meaning(choice: str) -> None:
    assert choice_of(column_of(choice, "region")) == choice


def test_a_report_says_what_becomes_of_each_row_and_counts_it_once() -> None:
    report = ImportReport("utf-8", ",", rows=21, people=Counts(10, 4, 3, 2, left=5, suppressed=1), refused=2)
    assert [(each.count, each.what) for each in figures(report, "members", trial=True)] == [
        (10, "new on members"), (4, "would be changed"), (3, "are there as they are"), (2, "the same person again"),
        (2, "would be refused"),
    ]  # fmt: skip
    assert sum(each.count for each in figures(report, "members", trial=False)) == report.rows
    left, suppressed = remarks(report, "members")
    assert left.startswith("5 of them unsubscribed from members")
    assert suppressed.startswith("1 of them suppressed")
    nothing = ImportReport("utf-8", ",")
    assert [(each.count, each.what) for each in figures(nothing, "members", trial=False)] == [(0, "new on members")]
    assert remarks(nothing, "members") == []


@pytest.mark.parametrize(
    ("size", "words"), [(1, "1 byte"), (812, "812 bytes"), (2_340, "2.3 kB"), (60_340_000, "60.3 MB")]
)
def test_a_size_is_told_in_a_unit_that_fits(size: int, words: str) -> None:
    assert size_words(size) == words


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\Zoë's list.csv", "Zoë's list.csv"),
        ("a\nb\0c.csv", "abc.csv"),
        ("x" * 200 + ".csv", "x" * 96 + ".csv"),
        ("..", "people.csv"),
        ("", "people.csv"),
    ],
)
def test_a_file_keeps_its_name_and_nothing_else_of_where_it_came_from(given: str, name: str) -> None:
    assert file_name(given) == name


async def content(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def broken() -> AsyncIterator[bytes]:
    yield b"email\n"
    raise ConnectionError("the browser left")


CSV = b"email,name\nada@example.org,Ada E.\nnobody,\nben@example.org,Ben\n"
MATCHING = Matching((CsvColumn(Meaning.EMAIL), CsvColumn(Meaning.NAME)), True, "members")


async def received(uploads: Uploads, *blocks: bytes) -> Upload:
    upload = await uploads.receive("people.csv", content(*blocks))
    upload.pages += 1
    await upload.look_inside()
    return upload


def test_a_file_is_kept_for_its_owner_alone_while_a_page_shows_it(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    upload = asyncio.run(received(uploads, CSV[:10], CSV[10:]))
    assert upload.path.read_bytes() == CSV
    assert upload.path.stat().st_mode & 0o077 == 0
    assert upload.path.parent.stat().st_mode & 0o077 == 0
    assert uploads.get(upload.key) is upload
    upload.pages += 1  # it is reloaded: the new page comes before the old one is gone
    uploads.leave(upload)
    assert upload.path.exists()
    uploads.leave(upload)
    assert list((tmp_path / "imports").iterdir()) == []
    assert uploads.get(upload.key) is None


def test_a_file_that_does_not_arrive_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    with pytest.raises(ConnectionError):
        asyncio.run(uploads.receive("people.csv", broken()))
    assert list((tmp_path / "imports").iterdir()) == []


@pytest.mark.parametrize("short", [True, False], ids=["in this process", "in a process of its own"])
def test_nothing_is_imported_that_was_not_tried(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, short: bool
) -> None:
    if not short:
        monkeypatch.setattr(import_job, "_SHORT", 0)
    url = f"sqlite:///{tmp_path / 'store.db'}"

    async def walk() -> None:
        uploads = Uploads(tmp_path)
        upload = await received(uploads, CSV)
        with pytest.raises(ValueError, match="wasn't tried"):
            upload.take_in()
        trial = upload.try_out(MATCHING)
        with pytest.raises(ValueError, match="under way"):
            upload.try_out(MATCHING)
        with pytest.raises(ValueError, match="wasn't tried"):
            upload.take_in()  # it isn't over
        await trial.go(url, upload.path, upload.refused_file)
        assert trial.report is not None
        assert (trial.report.people.added, trial.report.people.updated, trial.report.refused) == (1, 1, 1)
        assert [row.line for row in trial.report.examples] == [3]
        assert "nobody" in upload.refused_file.read_text("utf-8-sig")
        assert ada_of(people).name == "Ada Example"
        done = upload.take_in()
        assert done.matching == MATCHING
        await done.go(url, upload.path, upload.refused_file)
        assert done.report is not None
        assert done.report.people == trial.report.people
        assert ada_of(people).name == "Ada E."
        with pytest.raises(ValueError, match="wasn't tried"):
            upload.take_in()  # once for each trial

    asyncio.run(walk())


@pytest.mark.parametrize("short", [True, False], ids=["in this process", "in a process of its own"])
def test_what_goes_wrong_is_said_in_words(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, short: bool
) -> None:
    if not short:
        monkeypatch.setattr(import_job, "_SHORT", 0)

    async def walk() -> None:
        upload = await received(Uploads(tmp_path), CSV)
        run = upload.try_out(replace(MATCHING, columns=(CsvColumn(Meaning.NAME), CsvColumn(Meaning.NOTHING))))
        await run.go(f"sqlite:///{tmp_path / 'store.db'}", upload.path, upload.refused_file)
        assert "no column of the file is the address" in (run.failure or "")
        assert (run.is_over, upload.is_busy, upload.tried) == (True, False, None)

    asyncio.run(walk())


def test_an_import_that_is_stopped_ends_and_what_it_had_told_stays(people: Store, tmp_path: Path) -> None:
    async def walk() -> None:
        upload = await received(Uploads(tmp_path), CSV)
        trial = upload.try_out(MATCHING)
        await trial.go(f"sqlite:///{tmp_path / 'store.db'}", upload.path, upload.refused_file)
        run = upload.take_in()
        run.stop()
        await run.go(f"sqlite:///{tmp_path / 'store.db'}", upload.path, upload.refused_file)
        assert (run.stopped, run.report) == (True, None)
        assert run.progress is not None
        assert run.progress.rows == 3

    asyncio.run(walk())
    assert ada_of(people).name == "Ada E."


def test_a_page_that_is_left_while_its_file_is_imported_takes_it_along_afterwards(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    upload = asyncio.run(received(uploads, CSV))
    upload.try_out(MATCHING)
    uploads.leave(upload)
    assert upload.path.exists()
    uploads.close()
    assert list((tmp_path / "imports").iterdir()) == []


def test_what_another_studio_left_behind_is_removed_after_a_day(tmp_path: Path) -> None:
    for name, age in (("old", 25 * 3600), ("new", 60)):
        folder = tmp_path / "imports" / name
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    asyncio.run(received(Uploads(tmp_path), CSV))
    assert {folder.name for folder in (tmp_path / "imports").iterdir()} >= {"new"}
    assert not (tmp_path / "imports" / "old").exists()


# Exports.


def test_an_export_comes_in_parts_that_are_the_whole(people: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        add_person(people, Subscriber(0, f"p{number}@example.org", "=1+1"), "members", asked=False, now=NOW)
    monkeypatch.setattr(exporting, "_AT_ONCE", 3)
    whole = io.StringIO(newline="")
    with people.read() as connection:
        assert exporting.export_csv(connection, "members", whole) == 8
        parts = list(exporting.exported_csv(connection, "members"))
    assert len(parts) == 3
    assert "".join(parts) == whole.getvalue()
