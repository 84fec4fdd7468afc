"""However a file is laid out: an edit changes the data as it says, and not a character that it needn't."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

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
PLAIN = ["A b", "x: y", "No", "12:30", "- a", "# a", "a #b", "a # b", "'", '"', "{{ a }}", "[a](b)", "a:", "", " a", "a ", "~", "*a*", "&a", "%", "!x", "é 😀", "\\", "|", "---", "a, b?", "<<", "\u00a0", "true"]  # fmt: skip
LINES = ["words", "# Heading", "- item", "  deeper", "key: value", "", "", "   ", "\ttab", "---", "x ", "'", "é"]
ODD = ["\r", "\t", "\x85", "\u2028", "\x01", "\x7f", "\ufeff", "\\n", "\r\n"]

often = settings(max_examples=50, deadline=None)
short = st.sampled_from(PLAIN) | st.text(st.sampled_from("ab:#-'\"{}[],&*?|>!%@` \\é"), max_size=6)
long = st.lists(st.sampled_from(LINES), min_size=1, max_size=5).map("\n".join)
odd = st.lists(st.sampled_from([*ODD, "a", "\n"]), min_size=1, max_size=5).map("".join)
words = short | long | odd
scalars = words | st.integers(-9, 99) | st.booleans()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(short | odd, inner | st.none(), max_size=3),
    max_leaves=5,
)
blocks = st.dictionaries(st.sampled_from(["type", "headline", "body", "image", "items"]) | short, values, min_size=1)


def as_read(value: Any) -> Any:
    """`value` as the reader gives it back."""
    if isinstance(value, dict):
        return {key: as_read(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_read(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else value


def read(text: str) -> Source:
    source, problems = parse_source(text, "f.yaml")
    assert problems == []
    assert source is not None
    return source


@st.composite
def comments(draw: st.DrawFn, column: int) -> list[str]:
    """Lines between others: empty ones, blank ones, comments at any depth."""
    depths = st.sampled_from([0, column, column, column + 1, column + 2, column + 4, column + 7])
    comment = depths.map(lambda depth: " " * depth + "# a comment: - x")
    return draw(st.lists(st.one_of(st.just(""), st.just(""), comment, depths.map(" ".__mul__)), max_size=3))


@st.composite
def values_written(draw: st.DrawFn, column: int) -> list[str]:
    """What stands behind a colon in `column`, and the lines below, by hand."""
    kind = draw(st.sampled_from(["plain", "plain", "quoted", "text", "text", "flow", "keys", "list", "bare"]))
    note = draw(st.sampled_from(["", "", "  # note"]))
    if kind == "plain":
        return [draw(st.sampled_from(["words here", "https://example.org/#a", "12", "null", "", "~"])) + note]
    if kind == "quoted":
        quoted = ['"a: b"', "'it''s'", '"two\n' + " " * (column + 3) + 'lines"', '""', r'"\u00e9 # no"']
        return (draw(st.sampled_from(quoted)) + note).split("\n")
    if kind == "text":
        header = draw(st.sampled_from(["|", "|", "|", "|-", "|+", ">", ">-", ">+", "|2", "|2-"]))
        indent = column + (2 if "2" in header else draw(st.integers(1, 5)))
        lines = draw(st.lists(st.sampled_from(LINES), max_size=5))
        return [header + note, *(" " * indent * bool(line) + line for line in lines)]
    if kind == "flow":
        flow = ["{src: a, alt: 'b, c'}", "[a, {b: c}]", "{}", "[]", "{a: , b}", "[a,\n" + " " * (column + 2) + "b]"]
        return (draw(st.sampled_from(flow)) + note).split("\n")
    inner = column + draw(st.integers(1, 3))
    if kind == "keys":
        lines = [f"{' ' * inner}{key}: {draw(st.sampled_from(['x', '|', '# y']))}" for key in draw(names)]
        return [note, *lines, *(draw(comments(inner)))]
    if kind == "list":
        inner = draw(st.sampled_from([column, inner]))
        return [
            note,
            *(" " * inner + line for line in draw(st.lists(st.sampled_from(["- a", "- b: c", "-"]), min_size=1))),
        ]
    return [note]


names = st.lists(
    st.sampled_from(["type", "headline", "body", "url", "image", "'a b'", "when"]), min_size=1, unique=True
)


@st.composite
def mappings(draw: st.DrawFn, column: int) -> list[str]:
    lines: list[str] = []
    for name in draw(names):
        first, *below = draw(values_written(column))
        lines += [*(draw(comments(column)) if lines else []), f"{' ' * column}{name}: {first}", *below]
    return lines


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A file with a list of blocks, as different people might write it."""
    column, dash = draw(st.sampled_from([0, 2, 2, 2, 4])), draw(st.sampled_from(["- ", "- ", "- ", "-   "]))
    lines = ["# yaml-language-server: $schema=x.json", "subject: x", "blocks:" + draw(st.sampled_from(["", "  # all"]))]
    for _ in range(draw(st.integers(1, 5))):
        inner = column + len(dash)
        lines += draw(comments(column))
        first, *rest = draw(mappings(inner))
        if draw(st.integers(0, 5)):
            first = " " * column + dash + first[inner:]
        else:
            lines.append(" " * column + "-" + draw(st.sampled_from(["", "  # note"])))
        lines += [first, *rest]
    lines += draw(comments(column))
    if draw(st.booleans()):
        lines += ["slug: y"]
    elif draw(st.booleans()):
        lines += [f"{' ' * column}# - type: story", f"{' ' * column}#   headline: one that isn't used"]
    text = draw(st.sampled_from(["\n", "\n", "\r\n"])).join([*lines, ""])
    source, problems = parse_source(text, "f.yaml")
    assume(source is not None and not problems)
    assume(isinstance(source.data["blocks"], list) and all(isinstance(each, dict) for each in source.data["blocks"]))
    return text


def edited(text: str, edits: Callable[[], list[Edit]], written: str = "") -> str:
    """`text` after the edits, which may be refused only for a `|+` above a blank line."""
    try:
        return apply(text, edits())
    except EditError as refused:
        if "`|+`" not in refused.message or "+" not in text + written:
            raise
        reject()


def cut(text: str) -> list[str]:
    """`text` in pieces: what stands above the first item, that item, what is between, and so on."""
    places = [place for span in spans(read(text), BLOCKS) for place in span]
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def comments_in(text: str) -> Counter[str]:
    return Counter(line for line in text.splitlines() if line.lstrip().startswith("#"))


@given(texts(), st.data())
@often
def test_a_moved_item_is_moved_and_nothing_else(text: str, data: st.DataObject) -> None:
    source = read(text)
    last = len(source.data["blocks"]) - 1
    old, new = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
    after = edited(text, lambda: move_item(source, BLOCKS, old, new))
    wanted = copy.deepcopy(source.data)
    wanted["blocks"].insert(new, wanted["blocks"].pop(old))
    assert read(after).data == wanted
    assert Counter(after.splitlines(True)) == Counter(text.splitlines(True))
    assert edited(after, lambda: move_item(read(after), BLOCKS, new, old)) == text


@given(texts(), st.data())
@often
def test_a_copy_is_the_same_and_all_else_stays(text: str, data: st.DataObject) -> None:
    source = read(text)
    index = data.draw(st.integers(0, len(source.data["blocks"]) - 1))
    edits = duplicate_item(source, BLOCKS, index)
    wanted = copy.deepcopy(source.data)
    wanted["blocks"].insert(index, wanted["blocks"][index])
    assert read(apply(text, edits)).data == wanted
    assert [edit.start - edit.end for edit in edits] == [0]


@given(texts(), st.data())
@often
def test_a_removed_item_takes_its_own_lines_along(text: str, data: st.DataObject) -> None:
    source = read(text)
    index = data.draw(st.integers(0, len(source.data["blocks"]) - 1))
    start, end = spans(source, BLOCKS)[index]
    after = edited(text, lambda: remove_item(source, BLOCKS, index))
    wanted = copy.deepcopy(source.data)
    del wanted["blocks"][index]
    assert read(after).data == wanted
    assert comments_in(after) == comments_in(text) - comments_in(text[start:end])


@given(texts(), blocks, st.data())
@often
def test_an_inserted_item_is_read_as_it_was_meant(text: str, block: dict[str, Any], data: st.DataObject) -> None:
    source = read(text)
    index = data.draw(st.integers(0, len(source.data["blocks"])))
    after = edited(text, lambda: insert_item(source, BLOCKS, index, write_item(block)), write_item(block))
    wanted = copy.deepcopy(source.data)
    wanted["blocks"].insert(index, as_read(block))
    assert read(after).data == wanted
    assert Counter(text.splitlines(True)) <= Counter(after.splitlines(True))


@given(texts(), values, st.data())
@often
def test_a_value_that_is_set_is_read(text: str, value: Any, data: st.DataObject) -> None:
    source = read(text)
    index = data.draw(st.integers(0, len(source.data["blocks"]) - 1))
    name = data.draw(st.sampled_from([*source.data["blocks"][index], "caption", "a: b"]))
    after = apply(text, set_value(source, (*BLOCKS, index, name), value))
    wanted = copy.deepcopy(source.data)
    wanted["blocks"][index][name] = as_read(value)
    assert read(after).data == wanted
    assert all(
        one == other
        for number, (one, other) in enumerate(zip(cut(text), cut(after), strict=True))
        if number != 2 * index + 1
    )


@given(texts(), values, st.data())
@often
def test_an_inner_value_that_is_set_is_read(text: str, value: Any, data: st.DataObject) -> None:
    source = read(text)
    inside = [
        (*BLOCKS, index, name, inner)
        for index, block in enumerate(source.data["blocks"])
        for name, outer in block.items()
        if isinstance(outer, (dict, list))
        for inner in (outer if isinstance(outer, dict) else range(len(outer)))
    ]
    assume(inside)
    route = data.draw(st.sampled_from(inside))
    after, wanted = apply(text, set_value(source, route, value)), copy.deepcopy(source.data)
    place = wanted
    for step in route[:-1]:
        place = place[step]
    place[route[-1]] = as_read(value)
    assert read(after).data == wanted


@given(texts(), st.data())
@often
def test_a_key_that_is_taken_out_is_gone(text: str, data: st.DataObject) -> None:
    source = read(text)
    index = data.draw(st.integers(0, len(source.data["blocks"]) - 1))
    name = data.draw(st.sampled_from([*source.data["blocks"][index]]))
    after = edited(text, lambda: set_value(source, (*BLOCKS, index, name), None))
    wanted = copy.deepcopy(source.data)
    del wanted["blocks"][index][name]
    assert read(after).data == wanted


@given(texts(), st.data())
@often
def test_every_line_of_an_item_is_in_it(text: str, data: st.DataObject) -> None:
    source = read(text)
    lines = text.splitlines(True)
    number = data.draw(st.integers(1, len(lines)))
    start = len("".join(lines[: number - 1]))
    found = [index for index, (first, end) in enumerate(spans(source, BLOCKS)) if first <= start < end]
    assert found == [index for index in [item_at(source, BLOCKS, number)] if index is not None]


@given(blocks)
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read(block: dict[str, Any]) -> None:
    assert read(write_item(block)).data == as_read(block)
