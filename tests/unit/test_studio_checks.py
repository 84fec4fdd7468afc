"""What the page of checks says: lines and their places, links that were answered, personal parts that are missing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.check.links import Answer, Link
from newsletter.dispatch.plan import Plan
from newsletter.errors import Location, NewsletterError, Problem, Severity
from newsletter.studio.checks.arriving import arriving
from newsletter.studio.checks.audience_check import concerned, outcome
from newsletter.studio.checks.examining import (
    Excerpt,
    examine,
    excerpt,
    lines_at,
    link_problems,
    problem_address,
    unfilled_problems,
)
from newsletter.studio.checks.link_check import said
from newsletter.studio.checks.page import verdict
from newsletter.studio.desk import Desk
from newsletter.workspace import Edition

WARNING = Severity.WARNING


@pytest.mark.parametrize(
    ("line", "column", "length", "shown"),
    [
        ("label: click here", 8, 10, ("label: ", "click here", "")),
        ("label: click here!", 8, 5, ("label: ", "click", " here!")),
        ("key", 4, 1, ("key", " ", "")),
        ("key", 99, 5, ("key", " ", "")),
        ("key", 1, 99, ("", "key", "")),
        ("x" * 100 + "wrong" + "y" * 100, 101, 5, ("…" + "x" * 64, "wrong", "y" * 64 + "…")),
        ("z" * 300, 1, 300, ("", "z" * 128 + "…", "")),
    ],
)
def test_what_is_wrong_is_marked_in_its_line(line: str, column: int, length: int, shown: tuple[str, str, str]) -> None:
    assert excerpt(line, Location("issue.yaml", 1, column, length)) == Excerpt(*shown)


def test_an_empty_line_is_not_shown() -> None:
    assert excerpt("   ", Location("issue.yaml")) is None


def test_lines_are_read_from_the_workspace_and_from_the_themes_that_come_along(workspace_folder: Path) -> None:
    places = [
        Location("newsletter.yaml", 2),
        Location("templates/digest/theme.yaml", 1),
        Location("templates/nowhere.mjml", 1),
        Location("newsletter.yaml", 9999),
        None,
    ]
    found = lines_at(places, workspace_folder)
    assert found["newsletter.yaml", 2] == "  name: The Test Letter"
    assert set(found) == {("newsletter.yaml", 2), ("templates/digest/theme.yaml", 1)}


def test_an_issue_is_examined_with_its_lines_and_links(edition: Callable[..., Edition], workspace_folder: Path) -> None:
    edition("blocks:\n- type: text\n  body: '[a](https://example.org/a) TODO'\n")
    found = examine(workspace_folder, workspace_folder / "issues" / "one.yaml")
    assert [problem.code for problem in found.problems] == ["placeholder"]
    assert found.can_be_sent
    assert [link.url for link in found.links if link.is_asked] == ["https://example.org/a", "https://www.example.org"]
    assert found.asked == 2
    assert found.lines["issues/one.yaml", 5].endswith("TODO'")


@pytest.mark.parametrize("stem", ["two", "../newsletter", "../issues/one", ""])
def test_what_isnt_an_issue_isnt_one(edition: Callable[..., Edition], workspace_folder: Path, stem: str) -> None:
    edition("blocks: []")
    desk = Desk(workspace_folder)
    assert desk.issue_path("one") == workspace_folder / "issues" / "one.yaml"
    assert desk.issue_path(stem) is None


def test_only_places_in_the_issue_have_an_address() -> None:
    assert (
        problem_address(Problem("tab", "…", Location("issues/a b.yaml", 3, 7)), "a b") == "/issue/a%20b?line=3&column=7"
    )
    assert problem_address(Problem("tab", "…", Location("newsletter.yaml", 3)), "a") is None
    assert problem_address(Problem("rendering", "…"), "a") is None


def test_answers_follow_their_links() -> None:
    """A link that moved is shown where it is now, one that is gone isn't, and one that stands twice is shown twice."""
    old, here, there = (Location("issues/one.yaml", line) for line in (1, 2, 3))
    answers = {
        url: Answer(Link(url, old), 404, url, Problem("dead-link", url, old, severity=WARNING) if bad else None)
        for url, bad in (
            ("https://example.org/a", True),
            ("https://example.org/b", True),
            ("https://example.org/c", False),
        )
    }
    links = [
        Link("https://example.org/a", here),
        Link("https://example.org/c", here),
        Link("https://example.org/a", there),
    ]
    found = [(problem.message, problem.location) for problem in link_problems(answers, links)]
    assert found == [("https://example.org/a", here), ("https://example.org/a", there)]


def test_reasons_that_are_the_same_are_one_problem_at_its_expression() -> None:
    text = "subject: Hi\nbody: In {{ subscriber.town }}\n"
    reasons = [("a@example.org", "`subscriber.town` has no value"), ("b@example.org", "too long")]
    reasons.append(("c@example.org", "`subscriber.town` has no value"))
    [(town, who), (other, whom)] = unfilled_problems(reasons, text, "issues/one.yaml")
    assert (town.location, who) == (Location("issues/one.yaml", 2, 13, 15), ["a@example.org", "c@example.org"])
    assert (other.location, whom) == (Location("issues/one.yaml"), ["b@example.org"])


@pytest.mark.parametrize(
    ("addresses", "more", "words"),
    [
        (["a"], 0, "Missing for a"),
        (["a", "b"], 3, "Missing for a, b and 3 more"),
        (list("abcdefg"), 0, "Missing for a, b, c, d, e and 2 more"),
        (list("abcdefg"), 1000, "Missing for a, b, c, d, e and 1,002 more"),
    ],
)
def test_whom_it_concerns(addresses: list[str], more: int, words: str) -> None:
    assert concerned(addresses, more) == words


@pytest.mark.parametrize(
    ("recipients", "failed", "words"),
    [
        (0, 0, "Nobody on members would get it now."),
        (1200, 0, "Every personal part can be filled, for all 1,200 who would get it."),
        (1199, 1, "For 1 of 1,200 people something is missing."),
    ],
)
def test_what_a_survey_found(recipients: int, failed: int, words: str) -> None:
    assert outcome(Plan(recipients, 1, {}, {}, 0, {}, (), failed), "members") == words


@pytest.mark.parametrize(
    ("errors", "warnings", "title", "tone"),
    [
        (0, 0, "Nothing to mend", "good"),
        (0, 1, "One thing to look at", "warn"),
        (0, 3, "3 things to look at", "warn"),
        (1, 2, "One thing stops it from being sent", "bad"),
        (2, 0, "2 things stop it from being sent", "bad"),
    ],
)
def test_the_verdict(errors: int, warnings: int, title: str, tone: str) -> None:
    found = [Problem("tab", "…")] * errors + [Problem("placeholder", "…", severity=WARNING)] * warnings
    told = verdict(found)
    assert (told[0], told[3]) == (title, tone)


def test_how_far_the_asking_is() -> None:
    link = Link("https://example.org/")
    bad = Problem("dead-link", "…", severity=WARNING)
    answers = [Answer(link, 200, "", None), Answer(link, 404, "", bad), Answer(link, 403, "", None)]
    assert said(answers, 5) == "3 of 5 answered: 1 fine, 1 to look at, 1 can't be told."


def test_results_arrive_one_by_one_from_another_thread() -> None:
    seen: list[str] = []

    def work() -> Iterator[str]:
        for number in range(3):
            yield f"{number} {threading.current_thread() is threading.main_thread()}"

    async def collect() -> None:
        seen.extend([item async for item in arriving(work)])

    asyncio.run(collect())
    assert seen == ["0 False", "1 False", "2 False"]


def test_a_failure_arrives_after_what_came_before_it() -> None:
    seen: list[int] = []

    def work() -> Iterator[int]:
        yield 1
        raise NewsletterError("no more")

    async def collect() -> None:
        async for item in arriving(work):
            seen.append(item)

    with pytest.raises(NewsletterError, match="no more"):
        asyncio.run(collect())
    assert seen == [1]


def test_work_ends_when_nobody_waits_any_more() -> None:
    went_on, ended, went_too_far = threading.Event(), threading.Event(), threading.Event()

    def work() -> Iterator[int]:
        try:
            yield 1
            went_on.wait(10)
            yield 2
            went_too_far.set()
            yield 3
        finally:
            ended.set()

    async def leave_after_the_first() -> int:
        results = arriving(work)
        first = await anext(results)
        await results.aclose()  # type: ignore[attr-defined]  # it is a generator
        went_on.set()
        return first

    assert asyncio.run(leave_after_the_first()) == 1
    assert ended.wait(10)
    assert not went_too_far.is_set()
