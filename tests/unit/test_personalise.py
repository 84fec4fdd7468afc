"""Expressions over a subscriber: what they may say, what they give, and how values are escaped for their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from newsletter.issue import Place
from newsletter.personalise import (
    ExpressionError,
    Masker,
    PersonaliseError,
    evaluate,
    fill_slots,
    holds,
    parse_expression,
    scope,
    variant_of,
)
from newsletter.subscriber import Subscriber
from newsletter.workspace import Edition

ADA = Subscriber(
    1,
    "ada@example.org",
    "Ada Example",
    {"region": "north", "note": '<b> & "q" 100%', "page": "https://example.org/a?b=1&c=2"},
    ("donor",),
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("subscriber.first_name", "Ada"),
        ('subscriber.nickname or "friend"', "friend"),
        ('subscriber.nickname | default("friend")', "friend"),
        ('"yes" if "donor" in subscriber.tags else "no"', "yes"),
        ("subscriber['region'] | upper", "NORTH"),
        ("subscriber.tags", "donor"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert evaluate(expression, scope(ADA)) == value


@pytest.mark.parametrize(
    "expression", ["subscriber.nickname", "subscriber.nickname | upper", '"x" ~ subscriber.nickname']
)
def test_a_missing_value_is_named_rather_than_left_out(expression: str) -> None:
    with pytest.raises(PersonaliseError, match="nickname"):
        evaluate(expression, scope(ADA))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('subscriber.region == "north"', True),
        ('subscriber.planet == "earth"', False),
        ('subscriber.planet != "earth"', True),
        ('subscriber.age > "3" or "donor" in subscriber.tags', True),
        ("not subscriber.planet", True),
        # What is missing makes its own comparison false, not the whole condition.
        ('subscriber.planet in "earth" or "donor" in subscriber.tags', True),
        ('subscriber.planet | lower == "earth" or "donor" in subscriber.tags', True),
        ('subscriber.planet not in ["earth", "mars"]', True),
        ("subscriber.planet | length < 3", False),
        ('"a" < subscriber.region <= "north"', True),
        ('subscriber["_subscriber"] is defined', False),
        ('subscriber["__class__"] is defined', False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert holds(condition, scope(ADA)) is expected


def test_when_somebody_joined_is_a_date_of_theirs_or_of_the_store() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    stored = Subscriber(1, "ada@example.org", created_at=late)
    assert evaluate("subscriber.joined_at", scope(stored)) == "2026-04-01"
    assert evaluate("subscriber.joined_at", scope(replace(stored, attributes={"joined_at": "2019"}))) == "2019"
    assert evaluate("subscriber.joined_at", scope(replace(stored, attributes={"joined_at": ""}))) == "2026-04-01"
    assert not holds("subscriber.joined_at", scope(ADA))


@pytest.mark.parametrize(
    ("line", "column", "length"),
    [
        ("when: 'subscriber.region == nort'", 33, 4),
        ("when: subscriber.region == nort", 32, 4),
        ('when: "nort == \\"\\x41\\""', 11, 18),
        ("body: 'Dear {{  nort }}, and {{ subscriber.name }}'", 21, 4),
    ],
)
def test_the_word_that_is_wrong_is_underlined_in_the_file(
    edition: Callable[..., Edition], line: str, column: int, length: int
) -> None:
    rest = "" if line.startswith("body") else "    body: words\n"
    made = edition(f"blocks:\n  - type: text\n    {line}\n{rest}")
    [place] = [each.location for each in made.problems if each.code == "bad-expression"]
    assert place is not None
    assert (place.column, place.length) == (column, length)


def test_a_variant_has_a_bit_for_each_condition() -> None:
    assert variant_of(('subscriber.region == "north"', 'subscriber.region == "south"'), ADA) == "10"
    assert variant_of((), ADA) == ""


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "name",
        "subscriber.name()",
        "1 + 1",
        "subscriber.__class__",
        "a }} {{ b",
        "x if",
        "subscriber.name | tojson",
        "[1] * 9",
        "lambda: 1",
    ],
)
def test_what_is_not_in_the_language(expression: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(expression)


def test_values_are_escaped_for_their_place() -> None:
    masker = Masker("")
    note = [masker.token("subscriber.note", place) for place in (Place.HTML, Place.TEXT, Place.URL)]
    page = [masker.token("subscriber.page", place) for place in (Place.HREF, Place.LINK)]
    slots = masker.slots_in(" ".join(note + page))
    values = dict(zip((slot.token for slot in slots), fill_slots(slots, ADA), strict=True))
    assert [values[token] for token in note] == [
        "&lt;b&gt; &amp; &quot;q&quot; 100%",
        '<b> & "q" 100%',
        "%3Cb%3E%20%26%20%22q%22%20100%25",
    ]
    assert [values[token] for token in page] == ["https://example.org/a?b=1&amp;c=2", "https://example.org/a?b=1&c=2"]


def test_a_whole_address_has_to_be_one() -> None:
    masker = Masker("")
    slots = masker.slots_in(masker.token("subscriber.note", Place.HREF))
    with pytest.raises(PersonaliseError, match="address"):
        fill_slots(slots, ADA)


def test_an_authors_words_are_never_taken_for_a_token() -> None:
    first = Masker("some text")
    hostile = first.token("subscriber.name", Place.HTML)
    second = Masker(f"some text {hostile}")
    assert second.slots_in(hostile) == ()
