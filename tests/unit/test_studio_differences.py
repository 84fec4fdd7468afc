"""What an editor is told about a plan and the last issue that the list got."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery import BatchState, DispatchState
from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order, freeze
from newsletter.issue import Place, RenderedIssue, Slot
from newsletter.store import Store
from newsletter.store.audience import Selection
from newsletter.store.batches import cancel_planned
from newsletter.store.dispatches import change_state
from newsletter.store.resolutions import assume_sent
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.studio.sending.differences import Outline, differences, last_sent_to, outline_of
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
THEN = Outline(
    slug="winter",
    recipients=4812,
    subject="Winter tides",
    preheader="Low water",
    envelope=Envelope("news@example.org", "The Letter", unsubscribe_group=1),
    selection=Selection(),
    size=60_000,
    variants=1,
    theme="digest",
    blocks=12,
)
SPRING = replace(THEN, slug="spring", subject="Spring tides", preheader="High water")


def told(**changes: object) -> list[tuple[str, str]]:
    return [(each.tone, each.text) for each in differences(replace(SPRING, **changes), THEN)]


def test_what_is_as_always_is_not_told() -> None:
    assert told() == []
    assert told(recipients=4812, size=66_000) == []


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({"recipients": 4400}, "plain", "412 fewer recipients than last time: 4,812 then"),
        ({"recipients": 4813}, "plain", "1 more recipient than"),
        ({"recipients": 400}, "warn", "4,412 fewer recipients"),
        ({"recipients": 9000}, "warn", "4,188 more recipients"),
        ({"subject": "winter  TIDES"}, "warn", "Same subject as last time"),
        ({"preheader": "Low water"}, "warn", "Same preheader as last time"),
        ({"envelope": replace(THEN.envelope, from_email="hello@example.org")}, "warn", "now hello@example.org"),
        ({"envelope": replace(THEN.envelope, from_name="A Person")}, "warn", "name changed"),
        ({"envelope": replace(THEN.envelope, reply_to="desk@example.org")}, "plain", "go to desk@example.org now"),
        ({"envelope": replace(THEN.envelope, unsubscribe_group=9)}, "warn", "group 9 now"),
        ({"envelope": replace(THEN.envelope, track_clicks=True)}, "plain", "Clicks are counted now"),
        ({"selection": Selection(segment='"donor" in subscriber.tags')}, "plain", '"donor" in subscriber.tags'),
        ({"selection": Selection(exclude_lists=("staff",))}, "plain", "staff; last time none"),
        ({"selection": Selection(limit=100)}, "plain", "At most 100 get it"),
        ({"theme": "magazine"}, "plain", "Theme magazine; last time digest"),
        ({"blocks": 1}, "plain", "1 block; last time 12"),
        ({"variants": 3}, "plain", "3 variants; last time 1"),
        ({"size": 90_000}, "plain", "88 KB of HTML; last time 59 KB"),
    ],
)
def test_what_is_not_as_it_was_is_told_once(changes: dict[str, object], tone: str, words: str) -> None:
    [(its_tone, its_words)] = told(**changes)
    assert words in its_words
    assert its_tone == tone


def test_an_address_in_other_letters_is_the_same_sender() -> None:
    assert told(envelope=replace(THEN.envelope, from_email="News@Example.org")) == []


def test_what_only_a_lost_file_knew_is_not_compared() -> None:
    lost = replace(THEN, theme=None, blocks=None)
    assert differences(replace(SPRING, theme="magazine", blocks=3), lost) == []


def rendered(variant: str) -> RenderedIssue:
    slots = (Slot("zqabcde0000t", 'subscriber.first_name or "friend"', Place.TEXT),)
    return RenderedIssue("x", "Hello zqabcde0000t", "", "<p>é</p>", "x", variant=variant, slots=slots)


def test_the_last_sending_is_the_newest_that_reached_somebody(store: Store) -> None:
    """Plans that were never started, what was called off whole, other lists and the issue itself don't count."""
    with store.write() as connection:
        for name in ("members", "others"):
            make_list(connection, name, now=NOW)
            people = [Subscriber(0, f"{name}{number}@example.org", "A Person") for number in range(3)]
            added = add_subscribers(connection, people, now=NOW)
            join_list(connection, name, [each.id for each in added], source="test", now=NOW)

    def sent(slug: str, hours: int, list_name: str = "members", state: DispatchState = DispatchState.COMPLETE) -> int:
        order = Order(slug, (), rendered, THEN.envelope, list_name)
        plan = freeze(store, order, now=NOW + timedelta(hours=hours))
        assert plan.dispatch is not None
        with store.write() as connection:
            change_state(connection, plan.dispatch.id, state, since={DispatchState.PLANNED})
            if state is DispatchState.CANCELLED:
                cancel_planned(connection, plan.dispatch.id, "cancelled")
            elif state is DispatchState.COMPLETE:
                mark_accepted(connection, plan.dispatch.id)
        return plan.dispatch.id

    def mark_accepted(connection: object, number: int) -> None:
        from sqlalchemy import update

        from newsletter.store.tables import batches

        ours = batches.c.dispatch_id == number
        connection.execute(update(batches).where(ours).values(state=BatchState.UNCERTAIN.value))
        first = number << 33
        assert assume_sent(connection, number, range(first, first + 3), "test") == 3

    with store.read() as connection:
        assert last_sent_to(connection, "members", but="spring") is None
    sent("autumn", 1)
    winter = sent("winter", 2)
    sent("winter-reminder", 3, state=DispatchState.CANCELLED)
    sent("elsewhere", 4, "others")
    sent("planned", 5, state=DispatchState.PLANNED)
    sent("spring", 6)
    with store.read() as connection:
        last = last_sent_to(connection, "members", but="spring")
        assert last is not None
        assert last.id == winter
        outline = outline_of(connection, last)
    assert (outline.slug, outline.recipients, outline.variants, outline.size) == ("winter", 3, 1, 9)
    assert outline.subject == 'Hello {{ subscriber.first_name or "friend" }}'
    assert outline.envelope == THEN.envelope
