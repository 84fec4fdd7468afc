"""Suppressions, the audience they are taken out of, and people who are erased; on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from newsletter.delivery import BatchState, DeliveryStatus, DispatchState
from newsletter.store import Store, open_store
from newsletter.store.audience import candidates
from newsletter.store.batches import claim_batch, look_again
from newsletter.store.deliveries import deliveries_to, dispatch_tally
from newsletter.store.forgotten import forget, forgotten_among, forgotten_since, welcome_back
from newsletter.store.ids import new_dispatch_id, part_ids
from newsletter.store.planning import PlanWriter
from newsletter.store.subscribers import (
    MembershipStatus,
    add_subscribers,
    change_membership,
    join_list,
    lists_of,
    make_list,
    members,
    merge_person,
    subscriber_by_address,
)
from newsletter.store.suppressions import SuppressionReason, all_suppressions, suppress, suppressions_of
from newsletter.store.tables import attempts, batches, deliveries, dispatches, events, rendered_issues, subscribers
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, tzinfo=UTC)
PEOPLE = ("ada@example.org", "Ben@example.org", "cleo@example.org", "dan@example.org")


@pytest.fixture
def people_store(store: Store) -> Store:
    """A store whose list `members` has four people on it."""
    with store.write() as connection:
        make_list(connection, "members", now=NOW)
        people = add_subscribers(connection, [Subscriber(0, email, "A Name") for email in PEOPLE], now=NOW)
        join_list(connection, "members", [person.id for person in people], source="test", now=NOW)
    return store


def planned(connection: Connection, slug: str, *emails: str, rehearsal: bool = False) -> int:
    """A dispatch with one batch for some people, ready to be sent."""
    number = new_dispatch_id()
    connection.execute(
        insert(dispatches).values(
            id=number, issue_slug=slug, list_name="members", rehearsal=rehearsal, audience={}, envelope={},
            state=DispatchState.SENDING.value, planned_at=NOW,
        )
    )  # fmt: skip
    connection.execute(
        insert(rendered_issues).values(
            dispatch_id=number, variant="", digest="", subject="", preheader="", html="", text="", conditions=[],
            slots=[], images=b"[]",
        )
    )  # fmt: skip
    writer = PlanWriter(connection, number, slug, 1000)
    for email in emails:
        person = subscriber_by_address(connection, email)
        assert person is not None
        writer.add(person, "", ["Dear Ada"])
    writer.flush()
    return number


def audience(store: Store, slug: str = "spring") -> list[tuple[str, str | None, bool]]:
    with store.read() as connection:
        return [
            (each.subscriber.email, each.suppression, each.had_it) for each in candidates(connection, "members", slug)
        ]


def test_everybody_active_on_a_list_is_its_audience_in_the_order_of_addresses(people_store: Store) -> None:
    with people_store.write() as connection:
        left, unconfirmed = (
            subscriber_by_address(connection, email) for email in ("cleo@example.org", "dan@example.org")
        )
        assert left is not None
        assert unconfirmed is not None
        change_membership(connection, "members", left.id, MembershipStatus.UNSUBSCRIBED, source="link", now=NOW)
        change_membership(connection, "members", unconfirmed.id, MembershipStatus.PENDING, source="form", now=NOW)
        make_list(connection, "others", now=NOW)
        [stranger] = add_subscribers(connection, [Subscriber(0, "eva@example.org")], now=NOW)
        join_list(connection, "others", [stranger.id], source="test", now=NOW)
    assert audience(people_store) == [("ada@example.org", None, False), ("Ben@example.org", None, False)]
    with people_store.read() as connection:
        found = {
            status: [each.subscriber.email for each in members(connection, "members", status)]
            for status in MembershipStatus
        }
    assert found == {
        MembershipStatus.ACTIVE: ["ada@example.org", "Ben@example.org"],
        MembershipStatus.UNSUBSCRIBED: ["cleo@example.org"],
        MembershipStatus.PENDING: ["dan@example.org"],
    }


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_whom_there_is_evidence_against_is_told_with_the_reason(people_store: Store, reason: SuppressionReason) -> None:
    with people_store.write() as connection:
        suppress(connection, "BEN@example.org", reason, source="test", since_at=NOW)
    assert audience(people_store)[1] == ("Ben@example.org", reason.value, False)
    assert [suppression for _, suppression, _ in audience(people_store)].count(None) == 3


def test_evidence_is_added_to_and_the_oldest_is_told(people_store: Store) -> None:
    earlier, later = NOW - timedelta(days=1), NOW + timedelta(days=1)
    with people_store.write() as connection:
        suppress(connection, "ada@example.org", SuppressionReason.MANUAL, source="cli", since_at=NOW, detail="by phone")
        suppress(connection, "ada@example.org", SuppressionReason.BOUNCE, source="webhook", since_at=earlier)
        suppress(connection, "nobody@example.org", SuppressionReason.INVALID, source="webhook", since_at=later)
    with people_store.read() as connection:
        found = suppressions_of(connection, "Ada@example.org")
        assert [(each.reason, each.source, each.since_at, each.detail) for each in found] == [
            (SuppressionReason.BOUNCE, "webhook", earlier, None),
            (SuppressionReason.MANUAL, "cli", NOW, "by phone"),
        ]
        assert [each.address_key for each in all_suppressions(connection)] == [
            "ada@example.org", "ada@example.org", "nobody@example.org",
        ]  # fmt: skip
    assert audience(people_store)[0] == ("ada@example.org", "bounce", False)


@pytest.mark.parametrize(
    ("status", "had_it"),
    [
        (None, True),
        (DeliveryStatus.DELIVERED, True),
        (DeliveryStatus.BOUNCED, True),
        (DeliveryStatus.REFUSED, False),
        (DeliveryStatus.CANCELLED, False),
        (DeliveryStatus.SUPPRESSED, False),
    ],
)
def test_whoever_may_have_had_an_issue_is_told(
    people_store: Store, status: DeliveryStatus | None, had_it: bool
) -> None:
    with people_store.write() as connection:
        planned(connection, "spring", "ada@example.org")
        connection.execute(deliveries.update().values(status=status.value if status else None))
    assert audience(people_store)[0] == ("ada@example.org", None, had_it)
    assert audience(people_store, "summer")[0] == ("ada@example.org", None, False)


def test_an_audience_is_read_by_pages_and_misses_nobody(people_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import newsletter.store.audience
    import newsletter.store.subscribers

    monkeypatch.setattr(newsletter.store.audience, "_PAGE", 2)
    monkeypatch.setattr(newsletter.store.subscribers, "_PAGE", 2)
    assert [email for email, _, _ in audience(people_store)] == list(PEOPLE)
    with people_store.read() as connection:
        assert [each.subscriber.email for each in members(connection, "members")] == list(PEOPLE)


def test_somebody_added_by_hand_loses_nothing(people_store: Store) -> None:
    with people_store.write() as connection:
        merge_person(connection, Subscriber(0, "ada@example.org", "", {"region": "north"}, ("donor",)), now=NOW)
        merge_person(connection, Subscriber(0, "ADA@example.org", "Ada E.", {"town": "Northport"}, ("press",)), now=NOW)
        ada = subscriber_by_address(connection, "ada@example.org")
    assert ada is not None
    assert (ada.email, ada.name, ada.tags) == ("ada@example.org", "Ada E.", ("donor", "press"))
    assert ada.attributes == {"region": "north", "town": "Northport"}


def erased_store(store: Store) -> None:
    """Ada was sent `spring`, it bounced, and she has been erased."""
    with store.write() as connection:
        number = planned(connection, "spring", *PEOPLE[:2])
        claim = claim_batch(connection, number, "a sender", now=NOW)
        assert claim is not None
        connection.execute(attempts.update().values(detail="550 no mailbox ada@example.org, and Ben@example.org"))
        connection.execute(batches.update().values(state=BatchState.ACCEPTED.value))
        [ada, _], _ = look_again(connection, claim)
        connection.execute(
            deliveries.update()
            .where(deliveries.c.id == ada.id)
            .values(status=DeliveryStatus.BOUNCED.value, reason="<ada@example.org> unknown")
        )
        connection.execute(
            insert(events).values(
                id="e1",
                delivery_id=ada.id,
                kind="bounce",
                occurred_at=NOW,
                received_at=NOW,
                detail="to ada@example.org",
            )
        )
        suppress(
            connection,
            "ada@example.org",
            SuppressionReason.BOUNCE,
            source="webhook",
            since_at=NOW,
            detail="<ada@example.org>",
        )
    with store.write() as connection:
        erased = forget(connection, "Ada@example.org", now=NOW)
    assert (erased.subscriber, erased.deliveries, erased.suppressions) == (True, 1, 1)


def test_erasing_somebody_leaves_the_numbers_and_nothing_of_the_person(people_store: Store) -> None:
    erased_store(people_store)
    with people_store.read() as connection:
        assert subscriber_by_address(connection, "ada@example.org") is None
        assert deliveries_to(connection, "ada@example.org") == []
        assert [each.subscriber.email for each in members(connection, "members")] == list(PEOPLE[1:])
        for table in (subscribers, deliveries, events, attempts):
            assert "ada@" not in str(connection.execute(select(table)).all()).lower()
        assert all("ada" not in str(each) for each in all_suppressions(connection))
        number = connection.scalar(select(dispatches.c.id))
        assert number is not None
        tally = dispatch_tally(connection, number)
        gone, other = connection.execute(select(deliveries).order_by(deliveries.c.id)).all()
        assert (gone.email, gone.name, gone.values, gone.reason) == ("forgotten", "", None, "forgotten")
        assert (other.email, other.values) == ("Ben@example.org", ["Dear Ada"])
        assert "Ben@example.org" in str(connection.scalar(select(attempts.c.detail)))
        assert gone.id in part_ids(number)
    assert tally.audience == 2


def test_no_byte_of_somebody_erased_stays_in_the_database_file(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_store(f"sqlite:///{path}") as store, store.write() as connection:
        make_list(connection, "members", now=NOW)
        people = [Subscriber(0, email, f"Name of {email}", {"town": f"Town of {email}"}) for email in PEOPLE]
        stored = add_subscribers(connection, people, now=NOW)
        join_list(connection, "members", [person.id for person in stored], source="test", now=NOW)
    with open_store(f"sqlite:///{path}") as store:
        erased_store(store)
    data = path.read_bytes().lower()
    assert b"ada@" not in data
    assert b"ben@" in data


def test_who_was_forgotten_is_known_by_address_alone_and_may_come_back(people_store: Store) -> None:
    erased_store(people_store)
    with people_store.write() as connection:
        assert forgotten_since(connection, "ADA@example.org") == NOW
        assert forgotten_since(connection, "ben@example.org") is None
        assert forgotten_among(connection, ["ada@example.org", "ben@example.org"]) == {"ada@example.org"}
        # Twice, and before they were known, is the same.
        assert forget(connection, "ada@example.org", now=NOW + timedelta(days=1)).subscriber is False
        assert forgotten_since(connection, "ada@example.org") == NOW
        assert welcome_back(connection, "ben@example.org") is False
        assert welcome_back(connection, "ada@example.org") is True
        assert forgotten_since(connection, "ada@example.org") is None
        back = merge_person(connection, Subscriber(0, "ada@example.org"), now=NOW)
        join_list(connection, "members", [back.id], source="test", now=NOW)
        assert lists_of(connection, back.id) == {"members": MembershipStatus.ACTIVE}
    # What they had been sent, and that it bounced, counts again.
    assert audience(people_store)[0] == ("ada@example.org", "bounce", True)


def test_hashes_of_two_databases_have_nothing_in_common(tmp_path: Path) -> None:
    from newsletter.store.tables import forgotten

    hashes = set()
    for name in ("one", "two"):
        with open_store(f"sqlite:///{tmp_path / name}.db") as store, store.write() as connection:
            forget(connection, "ada@example.org", now=NOW)
            hashes.add(connection.scalar(select(forgotten.c.address_hash)))
    assert len(hashes) == 2


def test_who_is_erased_between_plan_and_sending_is_not_mailed(people_store: Store) -> None:
    with people_store.write() as connection:
        number = planned(connection, "spring", *PEOPLE)
    with people_store.write() as connection:
        forget(connection, "cleo@example.org", now=NOW)
    with people_store.write() as connection:
        claim = claim_batch(connection, number, "a sender", now=NOW)
        assert claim is not None
        to_mail, _ = look_again(connection, claim)
    assert [each.email for each in to_mail] == ["ada@example.org", "Ben@example.org", "dan@example.org"]
