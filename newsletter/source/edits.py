"""Edits to the text of a YAML file, in place: what is touched is replaced, all the rest stays byte for byte.

Each function takes a Source and a route in it, and returns the Edits to make at once; `apply` makes them. Items of a
list move as lines: their comments come along, and so do the blank lines above them. Where the text can't be changed
safely (anchors, aliases, tags, tabs, lists in brackets), an EditError says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any, NamedTuple, TypeAlias

import yaml

from newsletter.errors import NewsletterError
from newsletter.source.text import Route, Source, parse_source

Value: TypeAlias = "str | int | Sequence[Value] | Mapping[str, Value] | None"
"""What can be written: text, whole numbers, true and false, nothing, lists, and keys with values."""

_BREAKS = "\n\r\x85\u2028\u2029"
_LINE = re.compile(f"( *)([^{_BREAKS}]*)(\r\n|[{_BREAKS}]|\\Z)")
_LINE_START = re.compile(f"(?<![^{_BREAKS}])(?=[^{_BREAKS}])")
_HEADER = re.compile(r"(?:[&!]\S*\s+)*[|>]([-+1-9]*)")
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NOT_PLAIN = re.compile(
    r"""\A(?:[\s?:,\[\]{}#&*!|>'"%@`]|-(?:\s|\Z)|---|\.\.\.|(?:<<|=|~|null|true|false)?\Z)|:(?:\s|\Z)|\s(?:\#|\Z)""",
    re.IGNORECASE,
)


class EditError(NewsletterError):
    """The text can't be edited safely; the message says why, and to edit it by hand."""

    def __init__(self, why: str, node: yaml.Node | None = None) -> None:
        place = f" in line {node.start_mark.line + 1}" if node else ""
        super().__init__(f"{why}{place}: edit the text itself")


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: `text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


class _Item(NamedTuple):
    """The lines of a list's item; `keeps` when it ends in a `|+` text, which blank lines below would belong to."""

    start: int
    end: int
    keeps: bool
    node: yaml.Node


class _Place(NamedTuple):
    """Where a route leads: to `node`, under its `key`, in `parent`; or as far as there is something, and the `rest`."""

    parent: Any  # a collection's node: PyYAML's types don't say what it has in common
    key: yaml.Node | None
    node: yaml.Node | None
    rest: Route


class _Lines(str):
    """A value that is YAML already, without indentation."""

    __slots__ = ()


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
    return [(item.start, item.end) for item in _items(source, route)[1]]


def item_at(source: Source, route: Route, line: int) -> int | None:
    """The index of the item of the list at `route` that `line` (from 1) falls in. Raises EditError."""
    start = 0
    for _ in range(line - 1):
        start = _line_end(source.text, start)
    return next((index for index, (first, end) in enumerate(spans(source, route)) if first <= start < end), None)


def move_item(source: Source, route: Route, old: int, new: int) -> list[Edit]:
    """Takes the item at index `old` to where its index is `new`, with the blank lines above it. Raises EditError."""
    text, (_, items) = source.text, _items(source, route)
    item = _chosen(text, items, old)
    if not 0 <= new < len(items):
        raise EditError(f"there is no place {new} in the list")
    if old == new:
        return []
    first, last = (items[old - 1].end, item.end) if old else (item.start, items[1].start)
    gap = text[first : item.start] + text[item.end : last]
    above = items[new if new > old else new - 1] if new else None
    place = above.end if above else items[0].start
    words = gap + _whole(text, item) if above else _whole(text, item) + gap
    _keep_apart((items[old - 1] if old else None, text[last:]), (above, words), (item, text[place:] if above else gap))
    return [Edit(first, last, ""), Edit(place, place, _below(text, place, words))]


def duplicate_item(source: Source, route: Route, index: int) -> list[Edit]:
    """Puts a copy of the item at `index` below it. Raises EditError."""
    text, (_, items) = source.text, _items(source, route)
    item = _chosen(text, items, index)
    words = ("" if item.keeps else _parting(text, items)) + _whole(text, item)
    return [Edit(item.end, item.end, _below(text, item.end, words))]


def remove_item(source: Source, route: Route, index: int) -> list[Edit]:
    """Takes out the item at `index`; a list that has no other one becomes `[]`. Raises EditError."""
    text, (_, items) = source.text, _items(source, route)
    item = _chosen(text, items, index)
    if len(items) == 1:
        colon = _colon(text, _find(source, route).key)
        return [Edit(colon, colon, " []"), Edit(item.start, item.end, "")]
    above = [*_lines(text, items[index - 1].end, item.start)] if index else []
    below = [*_lines(text, item.end, items[index + 1].start)] if item is not items[-1] else []
    over, under = (sum(len(line[0]) for line in takewhile(_is_blank, lines)) for lines in (reversed(above), below))
    by_under = not index or (item is not items[-1] and under < over)  # of the blank lines on both sides, the more stay
    first, last = (item.start, item.end + under) if by_under else (item.start - over, item.end)
    _keep_apart((items[index - 1] if index else None, text[last:]))
    return [Edit(first, last, "")]


def insert_item(source: Source, route: Route, index: int, text_of_item: str) -> list[Edit]:
    """Puts an item, written as YAML without indentation, where its index is `index`. Raises EditError.

    Where there is no list yet, or no such key, it is made.
    """
    written, problems = parse_source(text_of_item, "item")
    if written is None or written.root is None or problems or written.root.start_mark.column:
        raise EditError(problems[0].message if problems else "the item is empty, or indented")
    _check(text_of_item, written.root)
    end, keeps = _end(text_of_item, written.root)
    new = _Item(0, end, keeps and end >= len(text_of_item), written.root)
    lines = _Lines(text_of_item if new.keeps else text_of_item.rstrip("\r\n") + "\n")
    text, (column, items) = source.text, _items(source, route)
    if not 0 <= index <= len(items):
        raise EditError(f"there is no place {index} in the list")
    if not items:
        return set_value(source, route, [lines])
    body, parting = _native(text, _dashed(lines, column)), _parting(text, items)
    if not index:
        return [Edit(items[0].start, items[0].start, body + ("" if new.keeps else parting))]
    above = items[index - 1]
    _keep_apart((new, text[above.end :]))
    return [Edit(above.end, above.end, _below(text, above.end, ("" if above.keeps else parting) + body))]


def set_value(source: Source, route: Route, value: Value) -> list[Edit]:
    """Puts `value` at `route`, written like what stands there; None takes the key out. Raises EditError.

    A key that isn't there is put below the last one of its mapping, with those on the way to it.
    """
    text, place = source.text, _find(source, route)
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
    return "".join(_entry(0, key, value) for key, value in data.items()) or "{}\n"


# Where things stand.


def _lines(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The lines from `start` to `end`, each in three groups: indentation, words, break."""
    while start < end and (line := _LINE.match(text, start)):
        yield line
        start = line.end()


def _line_end(text: str, position: int) -> int:
    return line.end() if (line := _LINE.match(text, position)) else position


def _is_blank(line: re.Match[str]) -> bool:
    return not line[2]


def _is_nothing(node: yaml.Node | None) -> bool:
    """Whether a value is left out, or written as `~` or `null`."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value.lower() in ("", "~", "null")


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _check(text: str, node: yaml.Node, *, deep: bool = True) -> None:
    """Raises EditError for an anchor, alias or tag in `node`; the node of an alias is that of its anchor."""
    if text.startswith(("&", "!"), node.start_mark.index):
        raise EditError("an anchor, alias or tag", node)
    for part in _parts(node) if deep else []:
        _check(text, part)


def _colon(text: str, key: yaml.Node | None) -> int:
    """The place behind the colon of a key. Raises EditError where it stands elsewhere."""
    found = re.compile("[ \t]*:").match(text, key.end_mark.index) if key else None
    if not found:
        raise EditError("an unusual key", key)
    return found.end()


def _find(source: Source, route: Route) -> _Place:
    """Where `route` leads. Raises EditError for a list that isn't so long, and for anchors and aliases on the way."""
    parent: yaml.Node | None = None
    key: yaml.Node | None = None
    node = source.root
    for number, step in enumerate(route):
        if node is None or _is_nothing(node):
            return _Place(parent, key, node, route[number:])
        pairs: list[tuple[yaml.Node | None, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == step]
            if len(pairs) > 1 or any(name.value == "<<" for name, _ in node.value):
                raise EditError(f"`{step}` stands twice" if len(pairs) > 1 else "keys merged with `<<`", node)
            if not pairs:
                return _Place(node, None, None, route[number:])
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
            pairs = [(None, node.value[step])]
        if not pairs:
            raise EditError(f"there is no `{step}`", node)
        for part in filter(None, pairs[0]):
            _check(source.text, part, deep=False)
        parent, (key, node) = node, pairs[0]
    return _Place(parent, key, node, ())


def _items(source: Source, route: Route) -> tuple[int, list[_Item]]:
    """The column of the dashes of the list at `route`, and its items."""
    (_, key, node, rest), text = _find(source, route), source.text
    if node is None or rest or _is_nothing(node) or (isinstance(node, yaml.SequenceNode) and not node.value):
        return 0, []
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        raise EditError("a list in brackets" if isinstance(node, yaml.SequenceNode) else "there is no list", node)
    column, limit = node.start_mark.column, _limit(text, node)
    position = node.start_mark.index - column
    if key or not route:
        position = _line_end(text, key.end_mark.index) if key else 0
    _, start, dash = _gap(text, position, limit, column)
    items = []
    for child in node.value:
        if dash is None:
            raise EditError("dashes that don't stand below each other", node)
        end, keeps = _end(text, child, column) if child.start_mark.index > dash else (_line_end(text, dash), False)
        last, following, dash = _gap(text, min(end, limit), limit, column)
        items.append(_Item(start, last, keeps and not text[end:last].strip(), child))
        start = following
    return column, items


def _gap(text: str, start: int, end: int, column: int) -> tuple[int, int, int | None]:
    """Of the lines below an item: where its own end, where the next item begins, and where its dash's line does."""
    own, above, closed = start, None, False
    for line in _lines(text, start, end):
        indent, words = len(line[1]), line[2]
        if indent == column and words[:2] in ("-", "- ", "-\t"):
            return own, line.start() if above is None else above, line.start()
        if words.startswith("#") and indent <= column:
            closed, above = True, line.start() if above is None else above
            continue
        above = None
        if words and not words.startswith("#"):  # an alias on a line of its own
            own, closed = line.end(), False
        elif indent > column and not closed:
            own = line.end()
    return own, end, None


def _end(text: str, node: yaml.Node, column: int = 0) -> tuple[int, bool]:
    """Where the lines of a value end, without comments below it, and whether blank lines below would belong to it.

    `column` is that of its key or dash.
    """
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = max(_parts(node), key=lambda part: part.start_mark.index)
        if last.start_mark.index < node.start_mark.index:
            return _line_end(text, node.start_mark.index), False
        column, node = node.start_mark.column, last
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        _, end, _, keeps = _text_lines(text, node, column)
        return end, keeps
    return _line_end(text, node.end_mark.index), False


def _text_lines(text: str, node: yaml.Node, column: int) -> tuple[int, int, int, bool]:
    """Of a `|` or `>` text whose key or dash stands in `column`: where its header and its lines end, how far they are
    indented (0 when all are blank), and whether blank lines below would belong to it.
    """
    header = _HEADER.match(text, node.start_mark.index)
    assert header
    start = _line_end(text, header.end())
    lines = [*_lines(text, start, node.end_mark.index)]
    if digit := re.search(r"\d", header[1]):
        indent = column + int(digit[0])
    else:
        indent = next((len(line[1]) for line in lines if line[2]), 0)
    keeps = "+" in header[1]
    while not keeps and lines and _is_blank(lines[-1]) and (not indent or len(lines[-1][1]) <= indent):
        lines.pop()
    return header.end(), lines[-1].end() if lines else start, indent, keeps


def _limit(text: str, node: yaml.Node) -> int:
    """The start of the line on which what follows `node` begins."""
    end = node.end_mark.index
    return len(text) if end >= len(text) else end - node.end_mark.column


def _chosen(text: str, items: Sequence[_Item], index: int) -> _Item:
    if not 0 <= index < len(items):
        raise EditError(f"there is no item {index} in the list")
    _check(text, items[index].node)
    return items[index]


def _keep_apart(*meetings: tuple[_Item | None, str]) -> None:
    """Raises EditError where a blank line would come below a `|+` text: it would be read as part of it."""
    for item, following in meetings:
        if item and item.keeps and following and (line := _LINE.match(following)) and not line[2]:
            raise EditError("a text after `|+` above a blank line", item.node)


def _takes_in(text: str, position: int, indent: int, *, keeps: bool) -> bool:
    """Whether lines from `position` on would be read as part of a `|` text above them that is indented by `indent`."""
    for line in _lines(text, position, len(text)):
        if line[2]:
            return len(line[1]) >= indent
        if keeps or len(line[1]) > indent:
            return True
    return False


# What is changed in a mapping.


def _replaced(text: str, place: _Place, value: Value) -> list[Edit]:
    """The value at `place` by another: the words on the line of its key or dash, and the lines below."""
    parent, key, node, _ = place
    assert parent
    assert node
    _check(text, node)
    start, end, style, step = node.start_mark.index, node.end_mark.index, getattr(node, "style", None) or "", 2
    brackets = isinstance(node, yaml.CollectionNode) and node.flow_style and node.value
    if brackets and "#" in text[start:end] and "\n" in text[start:end]:
        raise EditError("brackets with a comment in them", node)
    if parent.flow_style:
        words = _inline(value, style, flow=True)
        if key and start == end:  # `{a}`, `{a:}` or `{a: }`
            before = text[key.end_mark.index : end]
            words = f": {words}" if ":" not in before else words if before.endswith(" ") else f" {words}"
        return _changed(text, Edit(start, end, words))
    column = (key or parent).start_mark.column
    if not key and start < end:
        step = node.start_mark.column - column
    first = last = _line_end(text, end)
    if isinstance(node, yaml.ScalarNode) and style in ("|", ">"):
        end, last, indent, _ = _text_lines(text, node, column)
        first = _line_end(text, end)
        step = indent - column if isinstance(value, str) else step
    elif isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last, _ = _end(text, node)
        if key:
            start = end = _colon(text, key)
        else:
            end = start + len(text[start:last].rstrip(_BREAKS))
        first = min(_line_end(text, end), last)
    elif start == end and key:
        start = end = _colon(text, key)
    if brackets and not isinstance(value, str) and "\\n" not in _inline(value):
        inline, below = _inline(value), ""
    else:
        inline, below = _fitted(text, value, column, last, style, step)
    if not inline and not key:
        inline, _, below = below[column + step :].partition("\n")
    if inline and start == end:
        inline = " " + inline
    elif not inline and text[start - 1] == " ":
        start -= 1
    return _changed(text, Edit(start, end, inline), Edit(first, last, _below(text, first, _native(text, below))))


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
        _check(text, last)
        place = last.end_mark.index
    if parent and parent.flow_style:
        if text[parent.start_mark.index] != "{":
            raise EditError("a mapping without brackets", parent)
        place = place if parent.value else parent.start_mark.index + 1
        entry = _inline({name: value})[1:-1]
        return [Edit(place, place, f", {entry}" if parent.value else entry)]
    if parent:
        column = parent.start_mark.column
        _colon(text, last_key)
        if parent.value[0][0].start_mark.index != parent.start_mark.index:
            raise EditError("an unusual key", parent)
        place, _ = _end(text, parent)
    inline, below = _fitted(text, value, column, place)
    entry = _native(text, f"{' ' * column}{_inline(name)}:{' ' * bool(inline)}{inline}\n{below}")
    return [Edit(place, place, _below(text, place, entry))]


def _removed(source: Source, route: Route, place: _Place) -> list[Edit]:
    """A key and its value, with the comment behind them and the deeper ones below."""
    text, (parent, key, node, _) = source.text, place
    if key is None or node is None or parent is None:
        raise EditError("an item of a list", node)
    _check(text, node)
    pairs = parent.value
    number = next(number for number, (name, _) in enumerate(pairs) if name is key)
    if len(pairs) == 1 and len(route) > 1:
        return _replaced(text, _find(source, route[:-1]), {})
    if parent.flow_style:
        start, end = key.start_mark.index, node.end_mark.index
        if len(pairs) == 1:
            return [Edit(parent.start_mark.index, parent.end_mark.index, "{}")]
        if number:
            _check(text, pairs[number - 1][1])
            start = pairs[number - 1][1].end_mark.index
        else:
            end = pairs[1][0].start_mark.index
        if "#" in text[start:end] and "\n" in text[start:end]:
            raise EditError("brackets with a comment in them", node)
        return [Edit(start, end, "")]
    column, start = key.start_mark.column, key.start_mark.index
    after = pairs[number + 1][0].start_mark if number + 1 < len(pairs) else None
    end, _ = _end(text, node, column)
    end, _, _ = _gap(text, end, after.index - after.column if after else _limit(text, parent), column)
    if text[start - column : start].strip(" "):  # behind a dash: what follows comes up
        indent = _LINE.match(text, end)
        return [Edit(start, end + min(column, len(indent[1]) if indent else 0), "")]
    if number:
        _, keeps = _end(text, pairs[number - 1][1], column)
        _keep_apart((_Item(0, 0, keeps, key), text[end:]))
    return [Edit(start - column, end, "")]


def _fitted(text: str, value: Value, column: int, place: int, style: str = "", step: int = 2) -> tuple[str, str]:
    """As `_written`, but on one line where a text would take in what stands below `place`."""
    inline, below = _written(value, column, style, step)
    last = value
    while last and isinstance(last, (Mapping, Sequence)) and not isinstance(last, str):
        last = [*last.values()][-1] if isinstance(last, Mapping) else last[-1]
    is_text = inline.startswith("|") or (below and isinstance(last, str) and "\n" in last)
    if is_text and _takes_in(text, place, column + (step if inline else 3), keeps=below.endswith("\n\n")):
        return _inline(value, style), ""
    return inline, below


# How values are written.


def _eol(text: str) -> str:
    """How the lines of `text` end."""
    found = re.search("\r\n?|\n", text)
    return found[0] if found else "\n"


def _native(text: str, words: str) -> str:
    return words.replace("\n", _eol(text))


def _below(text: str, place: int, words: str) -> str:
    """`words` for a line of their own at `place`, also where the last line of `text` has no end."""
    return _eol(text) + words if words and place == len(text) and text and text[-1] not in _BREAKS else words


def _whole(text: str, item: _Item) -> str:
    """The lines of an item, the last one ended."""
    words = text[item.start : item.end]
    return words if words[-1] in _BREAKS else words + _eol(text)


def _parting(text: str, items: Sequence[_Item]) -> str:
    """What a new item is parted by from the others: a blank line where most of them are."""
    gaps = [text[above.end : below.start] for above, below in pairwise(items)]
    return _eol(text) if 2 * sum(map(bool, gaps)) > len(gaps) else ""


def _written(value: Value, column: int, style: str = "", step: int = 2) -> tuple[str, str]:
    """`value` under a key or behind a dash in `column`: the words on that line, and the lines below."""
    if isinstance(value, _Lines):
        return "", value
    if isinstance(value, str) and ("\n" in value or style in ("|", ">")):
        step = step if 0 < step < 10 else 2
        if value.strip() and not _ODD.search(re.sub("[\n\t]", "", value)):
            indent = str(step) if re.match(r"\n*[ \t]", value) else ""
            chomp = "+" if value.endswith("\n\n") else "-" if not value.endswith("\n") else ""
            lines = value.removesuffix("\n").split("\n")
            return "|" + indent + chomp, "".join(" " * (column + step) * bool(line) + line + "\n" for line in lines)
    elif isinstance(value, Mapping) and value:
        return "", "".join(_entry(column + step, key, each) for key, each in value.items())
    elif isinstance(value, Sequence) and value and not isinstance(value, str):
        return "", "".join(_dashed(each, column + step) for each in value)
    return _inline(value, style), ""


def _entry(column: int, key: str, value: Value) -> str:
    inline, below = ("", "") if value is None else _written(value, column)
    return f"{' ' * column}{_inline(key)}:{' ' * bool(inline)}{inline}\n{below}"


def _dashed(value: Value, column: int) -> str:
    """`value` as an item of a list whose dashes stand in `column`; comments at its beginning stand above."""
    inline, below = _written(value, -2)
    words = re.sub("\r\n?", "\n", inline + "\n" * bool(inline) + below)
    head = re.match(r"(?: *(?:#.*)?\n)*", words)
    start = head.end() if head else 0
    above, item = _LINE_START.sub(" " * column, words[:start]), _LINE_START.sub(" " * (column + 2), words[start:])
    return f"{above}{' ' * column}- {item[column + 2 :]}"


def _inline(value: Value, style: str = "", *, flow: bool = False) -> str:
    """`value` on one line: text in quotes where it needs them or `style` says so, lists and mappings in brackets."""
    if isinstance(value, Mapping):
        pairs = [f"{_inline(key, flow=True)}: {_inline(each, flow=True)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if not isinstance(value, str):
        return f"[{', '.join(_inline(each, flow=True) for each in value)}]"
    if isinstance(value, _Lines):
        raise EditError("an item can't be written on one line")
    if re.search("[\ud800-\udfff]", value):
        raise EditError("half a character can't be written")
    odd = _ODD.search(value)
    needs_quotes = style in ("'", '"') or odd or _NOT_PLAIN.search(value) or (flow and re.search(r"[,\[\]{}?]", value))
    if not needs_quotes:
        return value
    if not odd and (style == "'" or (style != '"' and re.search(r'["\\]', value))):
        return "'" + value.replace("'", "''") + "'"
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
