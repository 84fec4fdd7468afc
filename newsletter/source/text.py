"""YAML text into plain data, with the position of everything in it.

Scalars stay text (`title: No`, `12:30` and dates are words): the models say what is a number. Only an empty value,
`~` and `null` are None. What can't be read, or is a trap (duplicate keys, alias bombs, tags), is a Problem with its
place. Values are validated first, and their places looked up afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from newsletter.errors import Location, Problem

Route = Sequence[str | int]
"""The way to a value: mapping keys and sequence indices, from the top."""

MAX_BYTES = 4_000_000
MAX_NODES = 250_000
"""Values in one file, aliases counted each time they are used."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NULLS = {"", "~", "null", "Null", "NULL"}
_CORE_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "null", "bool", "int", "float", "timestamp")
}
_CORE_TAGS |= {"tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"}  # how PyYAML resolves plain `<<` and `=`


@dataclass(frozen=True)
class Source:
    """A parsed YAML file: its `text`, its `data` (dicts, lists, strings and None), and where each value stands."""

    file: str
    text: str = field(repr=False)
    data: Any = field(repr=False)
    root: yaml.Node | None = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def locate(self, route: Route, *, key: bool = False) -> Location:
        """The place of the value at `route`, or of its key; of the nearest thing around it where there is none.

        Parts of the route that name neither a key nor an index are skipped: validators put their own names in.
        """
        node, key_node = self._find(route)
        chosen = key_node if key and key_node is not None else node
        if chosen is None:
            return Location(self.file)
        return self._location(chosen)

    def locate_snippet(self, route: Route, snippet: str, part: tuple[int, int] | None = None) -> Location:
        """The place of `snippet` (one line of text) within the value at `route`; of the value where it isn't found.

        With `part`, an offset and a length, the place of those characters of the snippet.
        """
        node, _ = self._find(route)
        if node is not None:
            lines = self.lines
            for number in range(node.start_mark.line, min(node.end_mark.line + 1, len(lines))):
                start = node.start_mark.column if number == node.start_mark.line else 0
                column = lines[number].find(snippet, start)
                if column >= 0:
                    offset, length = part or (0, len(snippet))
                    return Location(self.file, number + 1, column + 1 + offset, length)
        return self.locate(route)

    def innermost_key(self, route: Route) -> str | None:
        """The last mapping key that is met on the way along `route`."""
        key = None
        value = self.data
        for step in route:
            if isinstance(value, dict) and step in value:
                key, value = str(step), value[step]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
        return key

    def _find(self, route: Route) -> tuple[yaml.Node | None, yaml.Node | None]:
        node, key_node = self.root, None
        for step in route:
            if isinstance(node, yaml.MappingNode):
                for child_key, child in node.value:
                    if child_key.value == step:
                        node, key_node = child, child_key
                        break
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node, key_node = node.value[step], None
        return node, key_node

    def _location(self, node: yaml.Node) -> Location:
        start, end = node.start_mark, node.end_mark
        if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
            return self._location(node.value[0][0])
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        stop = end.column if end.line == start.line else len(line)
        return Location(self.file, start.line + 1, start.column + 1, max(1, stop - start.column))


def read_source(path: Path, file: str) -> tuple[Source | None, list[Problem]]:
    """Read and parse the YAML file at `path`; `file` is the name to show. No Source means it can't be read at all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Problem("unreadable-file", f"can't read this file: {error.strerror}", Location(file))]
    return decode_source(raw, file)


def decode_source(raw: bytes, file: str) -> tuple[Source | None, list[Problem]]:
    """As `read_source`, from bytes."""
    if len(raw) > MAX_BYTES:
        return None, [
            Problem("file-too-large", f"the file has {len(raw):,} bytes; {MAX_BYTES:,} are the limit", Location(file))
        ]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        guess = raw[error.start : error.start + 1].decode("cp1252", "replace")
        hint = f"save the file as UTF-8; read as Windows-1252 this would be `{guess}`"
        return None, [Problem("not-utf-8", "this is not UTF-8 text", Location(file, line, column), hint)]
    return parse_source(text, file)


def parse_source(text: str, file: str) -> tuple[Source | None, list[Problem]]:
    """Parse YAML `text`. Problems may come along with a Source: a duplicate key doesn't hide the rest."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        return None, [_syntax_problem(error, text, file)]
    except RecursionError:
        return None, [Problem("too-deep", "values are nested too deeply to read", Location(file))]
    finally:
        loader.dispose()
    problems: list[Problem] = []
    source = Source(file, text, None, root)
    if root is None:
        return Source(file, text, {}, None), problems
    try:
        oversized = _Measure().nodes(root) > MAX_NODES
    except RecursionError:
        return None, [Problem("too-deep", "values are nested too deeply to read", Location(file))]
    if oversized:
        hint = "write repeated parts out, without `*` aliases"
        return None, [
            Problem("too-many-values", f"aliases expand to more than {MAX_NODES:,} values", Location(file), hint)
        ]
    data = _construct(root, source, problems)
    return Source(file, text, data, root), problems


class _Loader(yaml.CSafeLoader):
    """libyaml's loader, without guesses about what a plain scalar means."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002 - PyYAML's signature
        return "tag:yaml.org,2002:str"

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class _Measure:
    """Counts the values a node stands for, aliases each time, without walking any node twice."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def nodes(self, node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        if (known := self._known.get(id(node))) is not None:
            return known
        self._known[id(node)] = MAX_NODES + 1  # an alias inside its own anchor has no end
        children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        total = 1 + sum(map(self.nodes, children))
        self._known[id(node)] = total
        return total


def _construct(node: yaml.Node, source: Source, problems: list[Problem]) -> Any:
    if node.tag not in _CORE_TAGS:
        hint = "remove it; a value that begins with `!` needs quotes around it"
        problems.append(
            Problem("yaml-tag", f"the tag `{_short_tag(node.tag)}` means nothing here", source._location(node), hint)
        )
    if isinstance(node, yaml.ScalarNode):
        return None if not node.style and node.value in _NULLS else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_construct(child, source, problems) for child in node.value]
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode):
            hint = "text with `{` or `[` at its start, such as `{{ … }}`, needs quotes around it"
            problems.append(Problem("bad-key", "a key has to be a word", source._location(key_node), hint))
        elif key in mapping:
            first = next(known for known, _ in node.value if known.value == key)
            hint = f"the first one is at line {first.start_mark.line + 1}; keep one of them"
            problems.append(Problem("duplicate-key", f"`{key}` stands here twice", source._location(key_node), hint))
        else:
            mapping[key] = _construct(value_node, source, problems)
    return mapping


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """libyaml's complaint in words that help."""
    if isinstance(error, yaml.reader.ReaderError):
        position = error.position if isinstance(error.position, int) else 0
        before = text[:position]
        place = Location(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Problem(
            "control-character",
            "a control character can't stand in a YAML file",
            place,
            "delete it and type the text again",
        )
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = _LINE_BREAK.split(text)
    written = lines[line] if line < len(lines) else ""
    message = error.problem or error.context or "this is not YAML"
    if (
        "tab" in message
        or written[column : column + 1] == "\t"
        or "\t" in written[: len(written) - len(written.lstrip())]
    ):
        column = max(written.find("\t"), 0)
        return Problem("tab", "a tab can't indent YAML", Location(file, line + 1, column + 1), "indent with two spaces")
    hint = None
    if "mapping values are not allowed" in message:
        message, hint = (
            "a second `: ` in one line",
            "put the whole text in quotes, or start it on the next line after `|`",
        )
    elif "undefined alias" in message or "alias" in (error.context or ""):
        message, hint = "a value that begins with `*` is read as an alias", "put the text in quotes"
    elif "could not find expected ':'" in message:
        message, hint = "a line that is neither `key: value` nor text belonging to one", "check the indentation above"
    elif "did not find expected" in message or "block" in message:
        message, hint = "the structure breaks here", "check the indentation and the quotes, here and in the lines above"
    elif "unexpected end of stream" in message or "quoted" in (error.context or ""):
        message, hint = "a quotation mark is never closed", "close it, or use `|` and start the text on the next line"
        start = error.context_mark
        if start is not None:
            line, column = start.line, start.column
    elif "cannot start any token" in message:
        hint = "text that begins with `@`, `` ` `` or `%` needs quotes around it"
        message = "this character can't begin a value"
    return Problem("yaml-syntax", message, Location(file, line + 1, column + 1), hint)
