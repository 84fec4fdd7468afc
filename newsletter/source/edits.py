"""Edits to the text of a YAML file, in place: what is touched is replaced, all the rest stays byte for byte.

Each function takes a Source and a route in it, and returns the Edits to make at once; `apply` makes them. Items of a
list move as lines: their comments come along, and so do the blank lines above them. Where the text can't be changed
safely (anchors, aliases, tags, lists in brackets), an EditError says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import yaml

from newsletter.source.layout import (
    BREAKS,
    LINE,
    EditError,
    Item,
    Place,
    after_colon,
    chosen,
    end_of,
    find,
    gap_below,
    is_blank,
    items_of,
    keep_apart,
    limit_of,
    line_end,
    lines_in,
    refuse_links,
    takes_in,
    text_lines,
)
from newsletter.source.text import Route, Source, parse_source
from newsletter.source.writing import (
    Lines,
    Value,
    dashed,
    entry_of,
    native,
    on_one_line,
    on_own_line,
    parting_of,
    whole,
    written,
)

__all__ = [
    "Edit", "EditError", "Value", "apply", "duplicate_item", "insert_item", "item_at", "move_item", "remove_item",
    "set_value", "spans", "write_item",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: `text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` after `edits`; their places are those before any of them is made."""
    parts, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join(parts) + text[position:]


def spans(source: Source, route: Route) -> list[tuple[int, int]]:
    """Where the lines of each item of the list at `route` start and end, with the comments that belong to it.

    Those are the comments directly above it, and those below that are indented deeper than its dash. Blank lines and
    comments between items, and comments after the last one, are nobody's. Raises EditError.
    """
    return [(item.start, item.end) for item in items_of(source, route)[1]]


def item_at(source: Source, route: Route, line: int) -> int | None:
    """The index of the item of the list at `route` that `line` (from 1) falls in. Raises EditError."""
    start = 0
    for _ in range(line - 1):
        start = line_end(source.text, start)
    return next((index for index, (first, end) in enumerate(spans(source, route)) if first <= start < end), None)


def move_item(source: Source, route: Route, old: int, new: int) -> list[Edit]:
    """Takes the item at index `old` to where its index is `new`, with the blank lines above it. Raises EditError."""
    text, (_, items) = source.text, items_of(source, route)
    item = chosen(text, items, old)
    if not 0 <= new < len(items):
        raise EditError(f"there is no place {new} in the list")
    if old == new:
        return []
    first, last = (items[old - 1].end, item.end) if old else (item.start, items[1].start)
    gap = text[first : item.start] + text[item.end : last]
    above = items[new if new > old else new - 1] if new else None
    place = above.end if above else items[0].start
    words = gap + whole(text, item) if above else whole(text, item) + gap
    keep_apart((items[old - 1] if old else None, text[last:]), (above, words), (item, text[place:] if above else gap))
    return [Edit(first, last, ""), Edit(place, place, on_own_line(text, place, words))]


def duplicate_item(source: Source, route: Route, index: int) -> list[Edit]:
    """Puts a copy of the item at `index` below it. Raises EditError."""
    text, (_, items) = source.text, items_of(source, route)
    item = chosen(text, items, index)
    words = ("" if item.keeps else parting_of(text, items)) + whole(text, item)
    return [Edit(item.end, item.end, on_own_line(text, item.end, words))]


def remove_item(source: Source, route: Route, index: int) -> list[Edit]:
    """Takes out the item at `index`; a list that has no other one becomes `[]`. Raises EditError."""
    text, (_, items) = source.text, items_of(source, route)
    item = chosen(text, items, index)
    if len(items) == 1:
        colon = after_colon(text, find(source, route).key)
        return [Edit(colon, colon, " []"), Edit(item.start, item.end, "")]
    above = [*lines_in(text, items[index - 1].end, item.start)] if index else []
    below = [*lines_in(text, item.end, items[index + 1].start)] if item is not items[-1] else []
    over, under = (sum(len(line[0]) for line in takewhile(is_blank, lines)) for lines in (reversed(above), below))
    by_under = not index or (item is not items[-1] and under < over)  # of the blank lines on both sides, the more stay
    first, last = (item.start, item.end + under) if by_under else (item.start - over, item.end)
    keep_apart((items[index - 1] if index else None, text[last:]))
    return [Edit(first, last, "")]


def insert_item(source: Source, route: Route, index: int, text_of_item: str) -> list[Edit]:
    """Puts an item, written as YAML without indentation, where its index is `index`. Raises EditError.

    Where there is no list yet, or no such key, it is made.
    """
    parsed, problems = parse_source(text_of_item, "item")
    if parsed is None or parsed.root is None or problems or parsed.root.start_mark.column:
        raise EditError(problems[0].message if problems else "the item is empty, or indented")
    refuse_links(text_of_item, parsed.root)
    end, keeps = end_of(text_of_item, parsed.root)
    new = Item(0, end, keeps and end >= len(text_of_item), parsed.root)
    lines = Lines(text_of_item if new.keeps else text_of_item.rstrip("\r\n") + "\n")
    text, (column, items) = source.text, items_of(source, route)
    if not 0 <= index <= len(items):
        raise EditError(f"there is no place {index} in the list")
    if not items:
        return set_value(source, route, [lines])
    body, parting = native(text, dashed(lines, column)), parting_of(text, items)
    if not index:
        return [Edit(items[0].start, items[0].start, body + ("" if new.keeps else parting))]
    above = items[index - 1]
    keep_apart((new, text[above.end :]))
    return [Edit(above.end, above.end, on_own_line(text, above.end, ("" if above.keeps else parting) + body))]


def set_value(source: Source, route: Route, value: Value) -> list[Edit]:
    """Puts `value` at `route`, written like what stands there; None takes the key out. Raises EditError.

    A key that isn't there is put below the last one of its mapping, with those on the way to it.
    """
    text, place = source.text, find(source, route)
    if not route or not all(isinstance(step, str) for step in place.rest):
        raise EditError(f"there is no item {route[-1]}" if route else "a value without a key")
    if value is None:
        return [] if place.rest else _removed(source, route, place)
    for step in reversed(place.rest[place.node is None :]):
        value = {str(step): value}
    if place.node is None:
        return _added(text, place.parent, str(place.rest[0]), value)
    return _replaced(text, place, value)


def write_item(data: Mapping[str, Value]) -> str:
    """`data` as YAML in the way people write these files: a key a line, quotes only where they are needed."""
    return "".join(entry_of(0, key, value) for key, value in data.items()) or "{}\n"


def _replaced(text: str, place: Place, value: Value) -> list[Edit]:
    """The value at `place` by another: the words on the line of its key or dash, and the lines below."""
    parent, key, node, _ = place
    assert parent
    assert node
    refuse_links(text, node)
    start, end, style, step = node.start_mark.index, node.end_mark.index, getattr(node, "style", None) or "", 2
    brackets = isinstance(node, yaml.CollectionNode) and node.flow_style and node.value
    if brackets and "#" in text[start:end] and "\n" in text[start:end]:
        raise EditError("brackets with a comment in them", node)
    if parent.flow_style:
        words = on_one_line(value, style, flow=True)
        if key and start == end:  # `{a}`, `{a:}` or `{a: }`
            before = text[key.end_mark.index : end]
            words = f": {words}" if ":" not in before else words if before.endswith(" ") else f" {words}"
        return _changed(text, Edit(start, end, words))
    column = (key or parent).start_mark.column
    if not key and start < end:
        step = node.start_mark.column - column
    first = last = line_end(text, end)
    if isinstance(node, yaml.ScalarNode) and style in ("|", ">"):
        end, last, indent, _ = text_lines(text, node, column)
        first = line_end(text, end)
        step = indent - column if isinstance(value, str) else step
    elif isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last, _ = end_of(text, node)
        if key:
            start = end = after_colon(text, key)
        else:
            end = start + len(text[start:last].rstrip(BREAKS))
        first = min(line_end(text, end), last)
    elif start == end and key:
        start = end = after_colon(text, key)
    if brackets and not isinstance(value, str) and "\\n" not in on_one_line(value):
        inline, below = on_one_line(value), ""
    else:
        inline, below = _fitted(text, value, column, last, style, step)
    if not inline and not key:
        inline, _, below = below[column + step :].partition("\n")
    if inline and start == end:
        inline = " " + inline
    elif not inline and text[start - 1] == " ":
        start -= 1
    return _changed(text, Edit(start, end, inline), Edit(first, last, on_own_line(text, first, native(text, below))))


def _changed(text: str, *edits: Edit) -> list[Edit]:
    """`edits`, each without what it would leave as it is at its ends."""
    changed = []
    for edit in edits:
        old, new = text[edit.start : edit.end], edit.text
        same = _alike(old, new)
        old, new = old[same:], new[same:]
        tail = _alike(old[::-1], new[::-1])
        if old or new:
            changed.append(Edit(edit.start + same, edit.end - tail, new[: len(new) - tail]))
    return changed


def _alike(old: str, new: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(old), len(new)))


def _added(text: str, parent: Any, name: str, value: Value) -> list[Edit]:
    """A new key, below the last one of `parent`."""
    column, place = 0, len(text)
    if parent and parent.value:
        last_key, last = parent.value[-1]
        refuse_links(text, last)
        place = last.end_mark.index
    if parent and parent.flow_style:
        if text[parent.start_mark.index] != "{":
            raise EditError("a mapping without brackets", parent)
        place = place if parent.value else parent.start_mark.index + 1
        entry = on_one_line({name: value})[1:-1]
        return [Edit(place, place, f", {entry}" if parent.value else entry)]
    if parent:
        column = parent.start_mark.column
        after_colon(text, last_key)
        if parent.value[0][0].start_mark.index != parent.start_mark.index:
            raise EditError("an unusual key", parent)
        place, _ = end_of(text, parent)
    inline, below = _fitted(text, value, column, place)
    entry = native(text, f"{' ' * column}{on_one_line(name)}:{' ' * bool(inline)}{inline}\n{below}")
    return [Edit(place, place, on_own_line(text, place, entry))]


def _removed(source: Source, route: Route, place: Place) -> list[Edit]:
    """A key and its value, with the comment behind them and the deeper ones below."""
    text, (parent, key, node, _) = source.text, place
    if key is None or node is None or parent is None:
        raise EditError("an item of a list", node)
    refuse_links(text, node)
    pairs = parent.value
    number = next(number for number, (name, _) in enumerate(pairs) if name is key)
    if len(pairs) == 1 and len(route) > 1:
        return _replaced(text, find(source, route[:-1]), {})
    if parent.flow_style:
        start, end = key.start_mark.index, node.end_mark.index
        if len(pairs) == 1:
            return [Edit(parent.start_mark.index, parent.end_mark.index, "{}")]
        if number:
            refuse_links(text, pairs[number - 1][1])
            start = pairs[number - 1][1].end_mark.index
        else:
            end = pairs[1][0].start_mark.index
        if "#" in text[start:end] and "\n" in text[start:end]:
            raise EditError("brackets with a comment in them", node)
        return [Edit(start, end, "")]
    column, start = key.start_mark.column, key.start_mark.index
    after = pairs[number + 1][0].start_mark if number + 1 < len(pairs) else None
    end, _ = end_of(text, node, column)
    end, _, _ = gap_below(text, end, after.index - after.column if after else limit_of(text, parent), column)
    if text[start - column : start].strip(" "):  # behind a dash: what follows comes up
        indent = LINE.match(text, end)
        return [Edit(start, end + min(column, len(indent[1]) if indent else 0), "")]
    if number:
        _, keeps = end_of(text, pairs[number - 1][1], column)
        keep_apart((Item(0, 0, keeps, key), text[end:]))
    return [Edit(start - column, end, "")]


def _fitted(text: str, value: Value, column: int, place: int, style: str = "", step: int = 2) -> tuple[str, str]:
    """As `written`, but on one line where a text would take in what stands below `place`."""
    inline, below = written(value, column, style, step)
    last = value
    while last and isinstance(last, (Mapping, Sequence)) and not isinstance(last, str):
        last = [*last.values()][-1] if isinstance(last, Mapping) else last[-1]
    is_text = inline.startswith("|") or (below and isinstance(last, str) and "\n" in last)
    if is_text and takes_in(text, place, column + (step if inline else 3), keeps=below.endswith("\n\n")):
        return on_one_line(value, style), ""
    return inline, below
