"""The outline: a row a block, with what is wrong within its lines."""

from __future__ import annotations

import pytest

from newsletter.errors import Location, Problem, Severity
from newsletter.source import parse_source
from newsletter.source.edits import apply
from newsletter.studio.compose.outline import difference, head_line, rows_of
from newsletter.studio.compose.turns import first_line
from newsletter.studio.rendering import BlockLines

BLOCKS = (BlockLines("text", "Hello", 3, 6), BlockLines("story", "News", 8, 12, conditional=True))


def at(line: int, severity: Severity = Severity.ERROR, file: str = "a.yaml") -> Problem:
    return Problem("x", "wrong", Location(file, line), severity=severity)


def test_problems_are_counted_at_the_block_they_stand_in() -> None:
    problems = [
        at(1), at(3), at(6), at(7), at(8, Severity.WARNING), at(40, Severity.WARNING), at(9, file="newsletter.yaml"),
        Problem("x", "nowhere"),
    ]  # fmt: skip
    head, rows = rows_of(BLOCKS, problems, "a.yaml")
    assert head == (1, 0)
    assert rows == [("text", "Hello", False, 3, 0), ("story", "News", True, 0, 2)]


def test_an_issue_without_blocks_has_no_rows() -> None:
    assert rows_of((), [at(5)], "a.yaml") == ((1, 0), [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("subject: x\n", 1),
        ("# a comment\n\n---\n# more\nsubject: x\n", 5),
        ("", 1),
        ("# only this\n", 1),
    ],
)
def test_the_head_begins_below_the_comments(text: str, line: int) -> None:
    assert head_line(text) == line


@pytest.mark.parametrize(("index", "line"), [(0, 3), (1, 5), (2, None)])
def test_a_block_is_found_with_its_comment(index: int, line: int | None) -> None:
    assert (
        first_line("subject: x\nblocks:\n  - type: divider\n\n  # about it\n  - type: text\n    body: y\n", index)
        == line
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [("", "abc"), ("abc", ""), ("abc", "abc"), ("aaa", "aa"), ("one two three", "one three"), ("ab", "b")],
)
def test_a_removed_block_comes_back_as_it_was(old: str, new: str) -> None:
    edit = difference(old, new)
    assert apply(old, [edit]) == new
    assert parse_source(new, "x") is not None
    assert len(edit.text) <= max(len(new) - len(old), 1)
