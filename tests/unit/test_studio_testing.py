"""Whom a test goes to, and what became of it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from newsletter.errors import NewsletterError
from newsletter.esp import (
    Accepted,
    NotAuthorised,
    NotSent,
    Outcome,
    RecipientsRefused,
    RequestRefused,
    Throttled,
    Uncertain,
)
from newsletter.studio.checks.problem_list import sentences
from newsletter.studio.sending.addressees import MOST, Remembered, read_remembered, remember, split_addresses
from newsletter.studio.sending.testing import state_of


@pytest.mark.parametrize(
    ("typed", "addresses"),
    [
        ("", []),
        ("  me@Example.org ", ["me@example.org"]),
        ("a@example.org, b@example.org;c@example.org\nd@example.org e@example.org", list("abcde")),
        ("Ada Lovelace <a@example.org>, <b@example.org>", list("ab")),
        ('"Lovelace, Ada" <a@example.org>; Ben <b@example.org>', list("ab")),
        ("a@example.org A@example.org", ["A@example.org"]),
    ],
)
def test_addresses_are_taken_from_what_was_typed(typed: str, addresses: list[str]) -> None:
    assert split_addresses(typed) == [each if "@" in each else f"{each}@example.org" for each in addresses]


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [("me", "me"), ("a@example.org, b@", "b@"), ("Ada <a at example.org>", "a at example.org")],
)
def test_what_isnt_an_address_is_named(typed: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^“{wrong}” isn't an address"):
        split_addresses(typed)


def test_the_newest_address_comes_first_and_no_more_than_some_are_kept() -> None:
    kept = Remembered()
    for number in range(MOST + 3):
        kept = kept.with_address(f"p{number}@example.org")
    assert len(kept.known) == MOST
    assert kept.known[0] == f"p{MOST + 2}@example.org"
    again = kept.with_address("P5@example.org")
    assert (again.known[0], len(again.known)) == ("P5@example.org", MOST)


def test_addresses_are_ticked_and_removed() -> None:
    kept = Remembered(("a", "b", "c"), ("a", "c"))
    assert kept.ticked("a", is_chosen=False).chosen == ("c",)
    assert kept.ticked("b", is_chosen=True).chosen == ("a", "b", "c")
    assert kept.without("a") == Remembered(("b", "c"), ("c",))


def test_they_are_remembered_for_the_owner_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert read_remembered(state) == Remembered()
    kept = Remembered(("a@example.org", "b@example.org"), ("b@example.org",))
    remember(state, kept)
    assert read_remembered(state) == kept
    assert [stat.S_IMODE(file.stat().st_mode) for file in state.iterdir()] == [0o600]


@pytest.mark.parametrize("content", ["", "[]", '{"known": 3}', "{", '{"known": ["a"]}'])
def test_a_file_that_cant_be_read_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    remember(tmp_path, Remembered(("a",)))
    [file] = tmp_path.iterdir()
    file.write_text(content)
    assert read_remembered(tmp_path) == Remembered()


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted("id"), ("accepted", "good")),
        (Uncertain("reset"), ("uncertain", "warn")),
        (NotSent("refused"), ("not sent", "bad")),
        (Throttled("429"), ("not sent", "bad")),
        (RecipientsRefused({0: "no"}), ("refused", "bad")),
        (RequestRefused("400"), ("refused", "bad")),
        (NotAuthorised("401"), ("refused", "bad")),
    ],
)
def test_what_became_of_it_in_a_word(outcome: Outcome, state: tuple[str, str]) -> None:
    assert state_of(outcome) == state


def test_a_failure_is_said_in_sentences() -> None:
    assert sentences(NewsletterError("it broke", hint="mend it")) == "It broke. Mend it"
    assert sentences(NewsletterError("it broke")) == "It broke"
