"""Whoever a segment's SQL selects is whoever its expression is true for, in both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.expression import ExpressionError
from newsletter.personalise import scope
from newsletter.segment import parse_segment
from newsletter.store import Store
from newsletter.store.segments import condition
from newsletter.store.subscribers import add_subscribers, make_list
from newsletter.store.tables import batches, deliveries, dispatches, rendered_issues, subscribers
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, tzinfo=UTC)
ACCEPTED = {"accepted", "deferred", "delivered", "bounced", "dropped", "complained"}

WORDS = ["", " ", "n", "north", "North", "nörth", "2026-03-31", "2025-12-31", "ﬀ", "\U0001f600", "\uffee", "a b  c", "\u3000a\u00a0", "'", '"', "\\", "%", "?", ":x", "$.a", "0", "1"]  # fmt: skip
ATTRIBUTES = ["region", "first_name", "last_name", "joined_at", "age", "x y", "é", "a.b", "$x"]
PROPERTIES = ["email", "name", "first_name", "last_name", "joined_at"]

words = st.one_of(st.sampled_from(WORDS), st.text(alphabet="ab ñ\u3000😀", max_size=4))
people = st.lists(
    st.builds(
        Subscriber,
        id=st.just(0),
        email=st.just(""),
        name=words,
        attributes=st.dictionaries(st.sampled_from(ATTRIBUTES), words, max_size=6),
        tags=st.lists(words, max_size=3).map(tuple),
        created_at=st.integers(0, 93 * 24).map(
            lambda hours: datetime(2025, 12, 30, tzinfo=UTC) + timedelta(hours=hours)
        ),
    ),
    min_size=1,
    max_size=6,
)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def expressions() -> st.SearchStrategy[str]:
    texts = st.deferred(
        lambda: st.one_of(
            words.map(quoted),
            st.sampled_from(PROPERTIES).map("subscriber.{}".format),
            st.sampled_from(ATTRIBUTES).map('subscriber["{}"]'.format),
            st.builds("({} | trim)".format, texts),
            st.builds("({} | default({}{}))".format, texts, texts, st.sampled_from(["", ", true", ", boolean=false"])),
            st.builds("({} or {})".format, texts, texts),
        )
    )
    numbers = st.deferred(
        lambda: st.one_of(
            st.sampled_from(["0", "1", "2", "3", "1.5"]),
            st.builds("({} | length)".format, st.one_of(texts, st.just("subscriber.tags"))),
            st.builds("({} or {})".format, numbers, numbers),
        )
    )
    comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    memberships = st.sampled_from(["in", "not in"])
    received = st.sampled_from(["spring", "spring", "autumn"]).map('received("{}")'.format)
    facts: st.SearchStrategy[str] = st.deferred(
        lambda: st.one_of(
            st.builds("({} {} {})".format, texts, comparisons, texts),
            st.builds("({} {} {} {} {})".format, texts, comparisons, texts, comparisons, texts),
            st.builds("({} {} {})".format, numbers, comparisons, numbers),
            st.builds("({} {} {})".format, facts, st.sampled_from(["==", "!="]), facts),
            st.builds("({} {} {})".format, texts, memberships, texts),
            st.builds("({} {} subscriber.tags)".format, texts, memberships),
            st.builds("({} {} [{}])".format, texts, memberships, st.lists(texts, max_size=3).map(", ".join)),
            st.builds("({} {} [{}])".format, numbers, memberships, st.lists(numbers, max_size=3).map(", ".join)),
            st.builds("({} is {})".format, texts, st.sampled_from(["defined", "not defined", "undefined"])),
            st.builds("(not {})".format, anything),
            st.builds("({} {} {})".format, facts, st.sampled_from(["and", "or"]), facts),
            st.sampled_from(["true", "false"]),
            received,
        )
    )
    anything: st.SearchStrategy[str] = st.deferred(
        lambda: st.one_of(
            facts,
            texts,
            numbers,
            st.builds("({} {} {})".format, anything, st.sampled_from(["and", "or"]), anything),
            st.sampled_from(["subscriber.tags", "[]", '["a"]']),
        )
    )
    # What is asked for by itself is as likely as what is nested.
    return st.one_of(facts, received, st.builds("({} {} {})".format, texts, memberships, texts), anything)


def stored(
    connection: Connection, people: list[Subscriber], sent: list[DeliveryStatus | BatchState]
) -> list[Subscriber]:
    """`people` as they are stored, each with a delivery of `spring` that stands as `sent` says."""
    for table in (deliveries, batches, rendered_issues, dispatches, subscribers):
        connection.execute(delete(table))
    make_list(connection, "members", now=NOW)
    connection.execute(
        insert(dispatches).values(
            id=1,
            issue_slug="spring",
            list_name="members",
            rehearsal=False,
            audience={},
            envelope={},
            state="sending",
            planned_at=NOW,
        )
    )
    content = {
        "digest": "",
        "subject": "",
        "preheader": "",
        "html": "",
        "text": "",
        "conditions": [],
        "slots": [],
        "images": b"",
    }
    connection.execute(insert(rendered_issues).values(dispatch_id=1, variant="", **content))
    known = []
    for number, (person, status) in enumerate(zip(people, sent, strict=False)):
        person = Subscriber(0, f"p{number}@example.org", person.name, person.attributes, person.tags, person.created_at)
        known += add_subscribers(connection, [person], now=person.created_at or NOW)
        of_batch = isinstance(status, BatchState)
        state = status.value if of_batch else "accepted"
        connection.execute(insert(batches).values(id=number, dispatch_id=1, variant="", size=1, stage=0, state=state))
        connection.execute(
            insert(deliveries).values(
                id=number, dispatch_id=1, batch_id=number, subscriber_id=known[-1].id, issue_slug="spring",
                address_key=person.email, email=person.email, name="", status=None if of_batch else status.value,
            )
        )  # fmt: skip
    return known


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    people=people,
    sent=st.lists(st.sampled_from([*BatchState, *DeliveryStatus]), min_size=6, max_size=6),
    sources=st.lists(expressions(), min_size=1, max_size=8),
)
def test_sql_selects_whom_the_expression_is_true_for(
    store: Store, people: list[Subscriber], sent: list[DeliveryStatus | BatchState], sources: list[str]
) -> None:
    with store.write() as connection:
        known = stored(connection, people, sent)
        for source in sources:
            try:
                segment = parse_segment(source)
            except ExpressionError as error:
                if "nested too deeply" not in str(error):
                    raise
                continue
            expected = [
                person.id
                for person, status in zip(known, sent, strict=False)
                if segment.evaluate(
                    {
                        **scope(person),
                        "received": lambda slug, status=status: slug == "spring" and status.value in ACCEPTED,
                    }
                )
            ]
            found = connection.scalars(select(subscribers.c.id).where(condition(source, connection.dialect.name)))
            assert sorted(found) == sorted(expected), source
