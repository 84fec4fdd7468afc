"""Where the parts of a YAML file stand in its text: the values on a route, and the lines of a list's items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from newsletter.errors import NewsletterError
from newsletter.source.text import Route, Source

BREAKS = "\n\r\x85\u2028\u2029"
"""What ends a line."""

LINE = re.compile(f"( *)([^{BREAKS}]*)(\r\n|[{BREAKS}]|\\Z)")
"""A line, in three groups: indentation, words, break."""

_HEADER = re.compile(r"(?:[&!]\S*\s+)*[|>]([-+1-9]*)")


class EditError(NewsletterError):
    """The text can't be edited safely; the message says why, and to edit it by hand."""

    def __init__(self, why: str, node: yaml.Node | None = None) -> None:
        place = f" in line {node.start_mark.line + 1}" if node else ""
        super().__init__(f"{why}{place}: edit the text itself")


class Item(NamedTuple):
    """The lines of a list's item; `keeps` when it ends in a `|+` text, which blank lines below would belong to."""

    start: int
    end: int
    keeps: bool
    node: yaml.Node


class Place(NamedTuple):
    """Where a route leads: to `node`, under its `key`, in `parent`; or as far as there is something, and the `rest`."""

    parent: Any  # a collection's node: PyYAML's types don't say what it has in common
    key: yaml.Node | None
    node: yaml.Node | None
    rest: Route


def lines_in(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The lines from `start` to `end`, each in three groups: indentation, words, break."""
    while start < end and (line := LINE.match(text, start)):
        yield line
        start = line.end()


def line_end(text: str, position: int) -> int:
    """Where the next line begins."""
    return line.end() if (line := LINE.match(text, position)) else position


def is_blank(line: re.Match[str]) -> bool:
    """Whether a line has nothing but spaces."""
    return not line[2]


def _is_nothing(node: yaml.Node | None) -> bool:
    """Whether a value is left out, or written as `~` or `null`."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value.lower() in ("", "~", "null")


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def refuse_links(text: str, node: yaml.Node, *, deep: bool = True) -> None:
    """Raises EditError for an anchor, alias or tag in `node`; the node of an alias is that of its anchor."""
    if text.startswith(("&", "!"), node.start_mark.index):
        raise EditError("an anchor, alias or tag", node)
    for part in _parts(node) if deep else []:
        refuse_links(text, part)


def after_colon(text: str, key: yaml.Node | None) -> int:
    """The place behind the colon of a key. Raises EditError where it stands elsewhere."""
    found = re.compile("[ \t]*:").match(text, key.end_mark.index) if key else None
    if not found:
        raise EditError("an unusual key", key)
    return found.end()


def find(source: Source, route: Route) -> Place:
    """Where `route` leads. Raises EditError for a list that isn't so long, and for anchors and aliases on the way."""
    parent: yaml.Node | None = None
    key: yaml.Node | None = None
    node = source.root
    for number, step in enumerate(route):
        if node is None or _is_nothing(node):
            return Place(parent, key, node, route[number:])
        pairs: list[tuple[yaml.Node | None, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == step]
            if len(pairs) > 1 or any(name.value == "<<" for name, _ in node.value):
                raise EditError(f"`{step}` stands twice" if len(pairs) > 1 else "keys merged with `<<`", node)
            if not pairs:
                return Place(node, None, None, route[number:])
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
            pairs = [(None, node.value[step])]
        if not pairs:
            raise EditError(f"there is no `{step}`", node)
        for part in filter(None, pairs[0]):
            refuse_links(source.text, part, deep=False)
        parent, (key, node) = node, pairs[0]
    return Place(parent, key, node, ())


def items_of(source: Source, route: Route) -> tuple[int, list[Item]]:
    """The column of the dashes of the list at `route`, and its items."""
    (_, key, node, rest), text = find(source, route), source.text
    if node is None or rest or _is_nothing(node) or (isinstance(node, yaml.SequenceNode) and not node.value):
        return 0, []
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        raise EditError("a list in brackets" if isinstance(node, yaml.SequenceNode) else "there is no list", node)
    column, limit = node.start_mark.column, limit_of(text, node)
    position = node.start_mark.index - column
    if key or not route:
        position = line_end(text, key.end_mark.index) if key else 0
    _, start, dash = gap_below(text, position, limit, column)
    items = []
    for child in node.value:
        if dash is None:
            raise EditError("dashes that don't stand below each other", node)
        end, keeps = end_of(text, child, column) if child.start_mark.index > dash else (line_end(text, dash), False)
        last, following, dash = gap_below(text, min(end, limit), limit, column)
        items.append(Item(start, last, keeps and not text[end:last].strip(), child))
        start = following
    return column, items


def gap_below(text: str, start: int, end: int, column: int) -> tuple[int, int, int | None]:
    """Of the lines below an item: where its own end, where the next item begins, and where its dash's line does."""
    own, above, closed = start, None, False
    for line in lines_in(text, start, end):
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


def end_of(text: str, node: yaml.Node, column: int = 0) -> tuple[int, bool]:
    """Where the lines of a value end, without comments below it, and whether blank lines below would belong to it.

    `column` is that of its key or dash.
    """
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = max(_parts(node), key=lambda part: part.start_mark.index)
        if last.start_mark.index < node.start_mark.index:
            return line_end(text, node.start_mark.index), False
        column, node = node.start_mark.column, last
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        _, end, _, keeps = text_lines(text, node, column)
        return end, keeps
    return line_end(text, node.end_mark.index), False


def text_lines(text: str, node: yaml.Node, column: int) -> tuple[int, int, int, bool]:
    """Of a `|` or `>` text whose key or dash stands in `column`: where its header and its lines end, how far they are
    indented (0 when all are blank), and whether blank lines below would belong to it.
    """
    header = _HEADER.match(text, node.start_mark.index)
    assert header
    start = line_end(text, header.end())
    lines = [*lines_in(text, start, node.end_mark.index)]
    if digit := re.search(r"\d", header[1]):
        indent = column + int(digit[0])
    else:
        indent = next((len(line[1]) for line in lines if line[2]), 0)
    keeps = "+" in header[1]
    while not keeps and lines and is_blank(lines[-1]) and (not indent or len(lines[-1][1]) <= indent):
        lines.pop()
    return header.end(), lines[-1].end() if lines else start, indent, keeps


def limit_of(text: str, node: yaml.Node) -> int:
    """The start of the line on which what follows `node` begins."""
    end = node.end_mark.index
    return len(text) if end >= len(text) else end - node.end_mark.column


def chosen(text: str, items: Sequence[Item], index: int) -> Item:
    """The item at `index`. Raises EditError where there is none, or one with an anchor, alias or tag in it."""
    if not 0 <= index < len(items):
        raise EditError(f"there is no item {index} in the list")
    refuse_links(text, items[index].node)
    return items[index]


def keep_apart(*meetings: tuple[Item | None, str]) -> None:
    """Raises EditError where a blank line would come below a `|+` text: it would be read as part of it."""
    for item, following in meetings:
        if item and item.keeps and following and (line := LINE.match(following)) and not line[2]:
            raise EditError("a text after `|+` above a blank line", item.node)


def takes_in(text: str, position: int, indent: int, *, keeps: bool) -> bool:
    """Whether lines from `position` on would be read as part of a `|` text above them that is indented by `indent`."""
    for line in lines_in(text, position, len(text)):
        if line[2]:
            return len(line[1]) >= indent
        if keeps or len(line[1]) > indent:
            return True
    return False
