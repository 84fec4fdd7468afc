"""Edits in place: the text before, the text after, and what is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.scaffold import new_issue
from newsletter.source import Source, parse_source
from newsletter.source.edits import (
    Edit,
    EditError,
    apply,
    duplicate_item,
    insert_item,
    item_at,
    move_item,
    remove_item,
    set_value,
    spans,
    write_item,
)

BLOCKS = ("blocks",)

LETTER = """\
subject: x
blocks:
  # The greeting
  - type: text
    body: |
      # Dear you

      hello
    # when: later

  # --- News ---

  # Ask Ada about it
  - type: story   # the long one
    headline: A
  - type: divider

  - type: quote
    text: B
  # - type: button
  #   label: not yet
slug: x
"""


def read(text: str) -> Source:
    source, problems = parse_source(text, "f.yaml")
    assert problems == []
    assert source is not None
    return source


def after(text: str, edit: Callable[..., list[Edit]], route: Any, *details: Any) -> str:
    return apply(text, edit(read(text), route, *details))


def test_an_item_owns_the_comments_above_it_and_those_in_it() -> None:
    assert [LETTER[start:end] for start, end in spans(read(LETTER), BLOCKS)] == [
        "  # The greeting\n  - type: text\n    body: |\n      # Dear you\n\n      hello\n    # when: later\n",
        "  # Ask Ada about it\n  - type: story   # the long one\n    headline: A\n",
        "  - type: divider\n",
        "  - type: quote\n    text: B\n",
    ]


def test_a_deep_comment_below_one_that_is_nobodys_is_nobodys() -> None:
    text = "blocks:\n  - a: 1\n      # of a\n\n  # nobody's\n      # nor this\n\n  - b: 2\n"
    start, end = spans(read(text), BLOCKS)[0]
    assert text[start:end] == "  - a: 1\n      # of a\n"


@pytest.mark.parametrize(
    ("line", "index"),
    [(1, None), (2, None), (3, 0), (6, 0), (9, 0), (10, None), (11, None), (13, 1), (15, 1), (16, 2), (18, 3), (20, None), (99, None)],
)  # fmt: skip
def test_the_item_in_a_line(line: int, index: int | None) -> None:
    assert item_at(read(LETTER), BLOCKS, line) == index


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (0, 1, "blocks:\n  # Ask Ada about it\n  - type: story   # the long one\n    headline: A\n\n  # --- News ---\n\n  # The"),
        (2, 1, "    # when: later\n  - type: divider\n\n  # --- News ---\n\n  # Ask Ada about it\n  - type: story"),
        (3, 0, "blocks:\n  - type: quote\n    text: B\n\n  # The greeting\n  - type: text"),
        (1, 3, "    text: B\n\n  # --- News ---\n\n  # Ask Ada about it\n  - type: story   # the long one\n    headline: A\n  # - type"),
    ],
)  # fmt: skip
def test_an_item_moves_with_the_lines_above_it_and_back(old: int, new: int, expected: str) -> None:
    moved = after(LETTER, move_item, BLOCKS, old, new)
    blocks = read(LETTER).data["blocks"]
    blocks.insert(new, blocks.pop(old))
    assert expected in moved
    assert read(moved).data["blocks"] == blocks
    assert after(moved, move_item, BLOCKS, new, old) == LETTER


LIST = "blocks:\n- a: 1\n- b: 2\n- c: 3\n"
KEPT = "- a: |+\n    1\n\n"
KEEPING = f"blocks:\n{KEPT}- b: 2\n\n- c: 3\n\n- e: 5\n"
PARTED = "blocks:\n  - a: 1\n\n  - b: 2\n\n  - c: 3\nslug: x\n"


@pytest.mark.parametrize(
    ("text", "edit", "details", "expected"),
    [
        (LIST, duplicate_item, [1], "blocks:\n- a: 1\n- b: 2\n- b: 2\n- c: 3\n"),
        (LIST[:-1], duplicate_item, [2], LIST + "- c: 3\n"),
        (KEEPING, duplicate_item, [0], KEEPING.replace(KEPT, KEPT * 2)),
        (KEEPING, insert_item, [1, "d: 4\n"], KEEPING.replace(KEPT, KEPT + "- d: 4\n")),
        (KEEPING, insert_item, [0, "d: |+\n  4\n\n"], KEEPING.replace("blocks:\n", "blocks:\n- d: |+\n    4\n\n")),
        (PARTED, duplicate_item, [2], PARTED.replace("c: 3\n", "c: 3\n\n  - c: 3\n")),
        (LIST, remove_item, [1], "blocks:\n- a: 1\n- c: 3\n"),
        (LIST[:-1], remove_item, [2], "blocks:\n- a: 1\n- b: 2\n"),
        (PARTED, remove_item, [0], "blocks:\n  - b: 2\n\n  - c: 3\nslug: x\n"),
        (PARTED, remove_item, [1], "blocks:\n  - a: 1\n\n  - c: 3\nslug: x\n"),
        (PARTED, remove_item, [2], "blocks:\n  - a: 1\n\n  - b: 2\nslug: x\n"),
        ("blocks:\n  - a: 1\n  - b: 2\n\n  - c: 3\n", remove_item, [1], "blocks:\n  - a: 1\n\n  - c: 3\n"),
        ("blocks:\n  - a: 1\n\n  - b: 2\n  - c: 3\n", remove_item, [1], "blocks:\n  - a: 1\n\n  - c: 3\n"),
        (
            "blocks:\n  - a: |+\n      1\n    # note\n  - b: 2\n\n  - c: 3\n",
            remove_item,
            [1],
            "blocks:\n  - a: |+\n      1\n    # note\n\n  - c: 3\n",
        ),
        ("blocks:  # all\n  - a: 1\n  # b\n", remove_item, [0], "blocks: []  # all\n  # b\n"),
        (LIST, insert_item, [0, "d: 4\n"], "blocks:\n- d: 4\n- a: 1\n- b: 2\n- c: 3\n"),
        (
            LIST,
            insert_item,
            [1, "# e\nd: |\n  4\n\n  5"],
            "blocks:\n- a: 1\n# e\n- d: |\n    4\n\n    5\n- b: 2\n- c: 3\n",
        ),
        (LIST[:-1], insert_item, [3, "d: 4\n"], LIST + "- d: 4\n"),
        (
            LIST.replace("\n", "\r\n"),
            insert_item,
            [3, "d: 4\ne: 5\n"],
            (LIST + "- d: 4\n  e: 5\n").replace("\n", "\r\n"),
        ),
        (PARTED, insert_item, [3, "d: 4\n"], PARTED.replace("c: 3\n", "c: 3\n\n  - d: 4\n")),
        (PARTED, insert_item, [0, "d: 4\n"], PARTED.replace("blocks:\n", "blocks:\n  - d: 4\n\n")),
        ("blocks: []  # none\na: b\n", insert_item, [0, "d: 4\n"], "blocks:  # none\n  - d: 4\na: b\n"),
        ("blocks:\n  # - a\na: b\n", insert_item, [0, "d: 4\n"], "blocks:\n  - d: 4\n  # - a\na: b\n"),
        ("blocks: ~", insert_item, [0, "d: 4\n"], "blocks:\n  - d: 4\n"),
        ("a: b\n# c\n", insert_item, [0, "d: 4\n"], "a: b\nblocks:\n  - d: 4\n# c\n"),
        ("", insert_item, [0, "d: 4\n"], "blocks:\n  - d: 4\n"),
        ("# c", insert_item, [0, "d: 4\n"], "# c\nblocks:\n  - d: 4\n"),
    ],
)
def test_items_come_and_go(text: str, edit: Callable[..., list[Edit]], details: list[Any], expected: str) -> None:
    assert after(text, edit, BLOCKS, *details) == expected


def test_what_a_new_issue_has_in_comments_stays_at_the_end() -> None:
    text = new_issue("A title", "a-title", datetime.date(2026, 3, 31))
    unused = text[text.index("  # - type: section") :]
    empty = after(text, remove_item, BLOCKS, 0)
    filled = after(empty, insert_item, BLOCKS, 0, "type: divider\n")
    for edited in (empty, filled, after(text, insert_item, BLOCKS, 1, "type: divider\n")):
        assert edited.endswith(unused)
    assert read(empty).data["blocks"] == []
    assert read(filled).data["blocks"] == [{"type": "divider"}]


def test_blocks_in_columns_move_as_well() -> None:
    text = "blocks:\n  - type: columns\n    columns:\n      - blocks:\n          - a: 1\n          # to b\n          - b: 2\n"
    moved = after(text, move_item, ("blocks", 0, "columns", 0, "blocks"), 1, 0)
    assert moved.endswith("- blocks:\n          # to b\n          - b: 2\n          - a: 1\n")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("k: old  # note\nz: 1\n", "new", "k: new  # note\nz: 1\n"),
        ("k: old  # note\nz: 1\n", "12:30", "k: 12:30  # note\nz: 1\n"),
        ("k: old  # note\nz: 1\n", "new: it", 'k: "new: it"  # note\nz: 1\n'),
        ("k: old  # note\nz: 1\n", 'the "new" #1 #', "k: 'the \"new\" #1 #'  # note\nz: 1\n"),
        ("k: old  # note\nz: 1\n", "one\n\ntwo\n", "k: |  # note\n  one\n\n  two\nz: 1\n"),
        ("k: old  # note\nz: 1\n", "one\ntwo", "k: |-  # note\n  one\n  two\nz: 1\n"),
        ("k: old  # note\nz: 1\n", "one\n\n\n", "k: |+  # note\n  one\n\n\nz: 1\n"),
        ("k: old  # note\n\nz: 1\n", "one\n\n\n", 'k: "one\\n\\n\\n"  # note\n\nz: 1\n'),
        ("k: old  # note\nz: 1\n", "  one\ntwo\n", "k: |2  # note\n    one\n  two\nz: 1\n"),
        ("k: old  # note\n    # deep\nz: 1\n", "one\ntwo\n", 'k: "one\\ntwo\\n"  # note\n    # deep\nz: 1\n'),
        ("k: 'it''s'\n", "they're", "k: 'they''re'\n"),
        ('k: "old"\n', "C:\\new", 'k: "C:\\\\new"\n'),
        ("k: 'old'\n", "tab\tbed", 'k: "tab\\tbed"\n'),
        ("k: |\n    old\n\nz: 1\n", "new\nlines\n", "k: |\n    new\n    lines\n\nz: 1\n"),
        ("k: |\n    old\n", "one line", "k: |-\n    one line\n"),
        ("k: |  # note\n    old\n\nz: 1\n", " new\n", "k: |4  # note\n     new\n\nz: 1\n"),
        ("k: >-\n  old\n  folded\n", "new\nlines\n", "k: |\n  new\n  lines\n"),
        ("k: |\n    old\n", "", 'k: ""\n'),
        ("k:\n  # note\nz: 1\n", "new", "k: new\n  # note\nz: 1\n"),
        ("k: ~\n", "~", 'k: "~"\n'),
        ("k: old\n", True, "k: true\n"),
        ("k: old\n", "true", 'k: "true"\n'),
        ("k: old\n", 3, "k: 3\n"),
        ("k: old", "one\ntwo\n", "k: |\n  one\n  two\n"),
        ("k: old\r\nz: 1\r\n", "one\ntwo\n", "k: |\r\n  one\r\n  two\r\nz: 1\r\n"),
        ("k: [a, b]  # note\n", ["a", "c, d"], 'k: [a, "c, d"]  # note\n'),
        ("k:\n- a\nz: 1\n", ["a", {"b": "c", "d": None}], "k:\n  - a\n  - b: c\n    d:\nz: 1\n"),
        ("k:\n  a: 1  # note\nz: 1\n", "new", "k: new\nz: 1\n"),
        ("k: old\n", {"a": "1", "b": ["2"]}, "k:\n  a: 1\n  b:\n    - 2\n"),
        ("k: old\n", [], "k: []\n"),
        ("a: b\nk: old  # note\nz: 1\n", None, "a: b\nz: 1\n"),
        ("a: b\nk:\n  - old\n  # note\n# z\nz: 1\n", None, "a: b\n# z\nz: 1\n"),
        ("k: old\n", None, ""),
        ("{k: old, z: 1}\n", None, "{z: 1}\n"),
        ("{a: b, k: [1,\n  2]}\n", None, "{a: b}\n"),
        ("{k: old,}\n", None, "{}\n"),
        ("{k: , z: 1}\n", "new?", '{k: "new?", z: 1}\n'),
        ("{k, z: 1}\n", "one\ntwo", '{k: "one\\ntwo", z: 1}\n'),
        ("a: b\n\n# last\n", "new", "a: b\nk: new\n\n# last\n"),
        ("a: |\n  b\n  \n\n# last\n", "one\ntwo\n", "a: |\n  b\nk: |\n  one\n  two\n  \n\n# last\n"),
        ("a: b", {"c": {}}, "a: b\nk:\n  c: {}\n"),
        ("{a: b}\n", {"c": [True, None]}, "{a: b, k: {c: [true, null]}}\n"),
        ("{}\n", "new", "{k: new}\n"),
        ("", "new", "k: new\n"),
        ("a: b\n", None, "a: b\n"),
    ],
)
def test_a_value_is_written_like_the_one_before(text: str, value: Any, expected: str) -> None:
    assert after(text, set_value, ("k",), value) == expected


ITEM = "blocks:\n  - type: story  # first\n    image: {src: a}\n    # last\n  - type: text\n"


@pytest.mark.parametrize(
    ("route", "value", "expected"),
    [
        (("blocks", 0, "body"), "x", ITEM.replace("a}\n", "a}\n    body: x\n")),
        (("blocks", 0, "image", "alt"), "A, b", ITEM.replace("src: a", 'src: a, alt: "A, b"')),
        (("blocks", 0, "image", "src"), None, ITEM.replace("src: a", "")),
        (("blocks", 0, "type"), None, ITEM.replace("type: story  # first\n    image", "image")),
        (("blocks", 1, "type"), None, ITEM.replace("type: text", "{}")),
        (("blocks", 1, "image", "src"), "b", ITEM + "    image:\n      src: b\n"),
        (("blocks", 1), "text", ITEM.replace("type: text", "text")),
        (("blocks", 1), {"a": "b\nc", "d": "e"}, ITEM.replace("type: text\n", "a: |-\n      b\n      c\n    d: e\n")),
        (("from", "email"), "ada@example.org", ITEM + "from:\n  email: ada@example.org\n"),
    ],
)
def test_values_in_items(route: tuple[str | int, ...], value: Any, expected: str) -> None:
    assert after(ITEM, set_value, route, value) == expected


def test_an_item_keeps_its_distance_from_the_dash() -> None:
    text = "k:\n-   a: 1\n    b: 2\n-   c\n"
    assert after(text, set_value, ("k", 0), {"d": "e", "f": ["g"]}) == "k:\n-   d: e\n    f:\n      - g\n-   c\n"
    assert after(text, set_value, ("k", 1), {"d": "e", "f": "g"}) == "k:\n-   a: 1\n    b: 2\n-   d: e\n    f: g\n"


def test_only_what_is_new_is_replaced() -> None:
    text = "body: |\n  one\n  two\n  three\nlabel: x\n"
    assert set_value(read(text), ("body",), "one\ntwenty\nthree\n") == [Edit(18, 19, "enty")]
    assert set_value(read(text), ("body",), "one\ntwo\nthree\n") == []


@pytest.mark.parametrize(
    ("text", "edit", "details"),
    [
        ("blocks:\n  - &a {b: c}\n  - *a\n", move_item, [0, 1]),
        ("blocks:\n  - &a {b: c}\n  - *a\n", remove_item, [1]),
        ("x: &a b\nblocks:\n  - c: *a\n  - d: e\n", duplicate_item, [0]),
        ("blocks: &a\n  - b: c\n", remove_item, [0]),
        ("blocks: [{a: b}]\n", move_item, [0, 0]),
        ("blocks: [{a: b}]\n", insert_item, [0, "a: b\n"]),
        ("{blocks: }\n", insert_item, [0, "a: b\n"]),
        ("blocks: text\n", insert_item, [0, "a: b\n"]),
        ("blocks:\n  - a: |+\n      b\n  - c: d\n\n  - e: f\n", move_item, [0, 1]),
        ("blocks:\n  - a: b\n\n  - c: d\n", insert_item, [1, "e: |+\n  f\n\n"]),
        ("blocks:\n  - a: |+\n      b\n  - c: d\n\n  - e: f\n", remove_item, [1]),
        ("blocks:\n  - a: b\n\n  - c: |+\n\n        ", move_item, [0, 1]),
        ("blocks:\n  - a: b\n", insert_item, [0, "a: b: c\n"]),
        ("blocks:\n  - a: b\n", insert_item, [0, "# nothing\n"]),
        ("blocks:\n  - a: b\n", insert_item, [0, "  a: b\n"]),
        ("blocks:\n  - a: b\n", insert_item, [2, "a: b\n"]),
        ("blocks:\n  - a: b\n", move_item, [0, 1]),
        ("blocks:\n  - a: b\n", remove_item, [-1]),
        ("- - a\n  - b\n", move_item, [0, 1]),
    ],
)
def test_what_cant_be_edited_safely_is_refused(text: str, edit: Callable[..., list[Edit]], details: list[Any]) -> None:
    route: tuple[str | int, ...] = (0,) if text.startswith("-") else BLOCKS
    with pytest.raises(EditError, match="edit the text itself"):
        edit(read(text), route, *details)


@pytest.mark.parametrize(
    ("text", "route", "value"),
    [
        ("a: &x b\nc: *x\n", ("c",), "d"),
        ("a: &x b\nc: *x\n", ("a",), "d"),
        ("a: &x {b: c}\nd: *x\n", ("d", "b"), "e"),
        ("a: &x {b: c}\nd:\n  <<: *x\n", ("d", "b"), "e"),
        ("a: &x b\nc: *x\n", ("d",), "e"),
        ("k: [a,  # first\n  b]\n", ("k",), ["a"]),
        ("? k\n: a\n", ("k", "b"), None),
        ("? k\n: a\n", ("z",), "b"),
        ("k: |+\n  a\nb: c\n\nd: e\n", ("b",), None),
        ("k: a\n", ("k", "b"), "c"),
        ("k: [a]\n", ("k", 1), "c"),
        ("k: [a]\n", ("k", 0), None),
        ("k: [a: b]\n", ("k", 0, "c"), "d"),
        ("k: a\n", (), "c"),
        ("k: a\n", ("k",), "\ud800"),
    ],
)
def test_values_that_cant_be_set_safely_are_refused(text: str, route: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(EditError, match="edit the text itself"):
        set_value(read(text), route, value)


def test_items_beside_aliases_can_be_edited() -> None:
    before = "blocks:\n  - a: &x\n      b\n"
    aliases = "  - *x\n  - e:\n      *x\n  - f:\n      - g\n      - *x\n  - h:\n    - *x\n"
    last = "  # i\n  - i: k\n"
    text = before + aliases + last
    assert "".join(text[start:end] for start, end in spans(read(text), BLOCKS)[1:5]) == aliases
    assert after(text, move_item, BLOCKS, 5, 1) == before + last + aliases


def test_a_key_that_stands_twice_is_refused() -> None:
    source, _ = parse_source("k: a\nk: b\n", "f.yaml")
    assert source is not None
    with pytest.raises(EditError, match=r"`k` stands twice.* in line 1"):
        set_value(source, ("k",), None)


def test_an_item_is_written_as_people_write_it() -> None:
    item = {
        "type": "story",
        "headline": "Spring tides: the wall is open",
        "date": "2026-03-31",
        "url": "https://example.org/a?b=c#d",
        "image": {"src": "images/a.jpg", "alt": "A, [b] and {c}"},
        "items": ["bare", {"headline": "linked", "url": None}, "{{ subscriber.name }}", "two\nlines\n"],
        "body": "Dear you,\n\n- one\n- two\n",
    }
    assert write_item(item) == (
        'type: story\nheadline: "Spring tides: the wall is open"\ndate: 2026-03-31\nurl: https://example.org/a?b=c#d\n'
        "image:\n  src: images/a.jpg\n  alt: A, [b] and {c}\n"
        'items:\n  - bare\n  - headline: linked\n    url:\n  - "{{ subscriber.name }}"\n  - |\n    two\n    lines\n'
        "body: |\n  Dear you,\n\n  - one\n  - two\n"
    )
