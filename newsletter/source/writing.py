"""Values as YAML text, in the way people write these files: quotes only where they are needed, long texts as `|`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from newsletter.source.layout import BREAKS, EditError, Item

Value: TypeAlias = "str | int | Sequence[Value] | Mapping[str, Value] | None"
"""What can be written: text, whole numbers, true and false, nothing, lists, and keys with values."""

_LINE_START = re.compile(f"(?<![^{BREAKS}])(?=[^{BREAKS}])")
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NOT_PLAIN = re.compile(
    r"""\A(?:[\s?:,\[\]{}#&*!|>'"%@`]|-(?:\s|\Z)|---|\.\.\.|(?:<<|=|~|null|true|false)?\Z)|:(?:\s|\Z)|\s(?:\#|\Z)""",
    re.IGNORECASE,
)


class Lines(str):
    """A value that is YAML already, without indentation."""

    __slots__ = ()


def _eol(text: str) -> str:
    """How the lines of `text` end."""
    found = re.search("\r\n?|\n", text)
    return found[0] if found else "\n"


def native(text: str, words: str) -> str:
    """`words` with lines that end as those of `text` do."""
    return words.replace("\n", _eol(text))


def on_own_line(text: str, place: int, words: str) -> str:
    """`words` for a line of their own at `place`, also where the last line of `text` has no end."""
    return _eol(text) + words if words and place == len(text) and text and text[-1] not in BREAKS else words


def whole(text: str, item: Item) -> str:
    """The lines of an item, the last one ended."""
    words = text[item.start : item.end]
    return words if words[-1] in BREAKS else words + _eol(text)


def parting_of(text: str, items: Sequence[Item]) -> str:
    """What a new item is parted by from the others: a blank line where most of them are."""
    gaps = [text[above.end : below.start] for above, below in pairwise(items)]
    return _eol(text) if 2 * sum(map(bool, gaps)) > len(gaps) else ""


def written(value: Value, column: int, style: str = "", step: int = 2) -> tuple[str, str]:
    """`value` under a key or behind a dash in `column`: the words on that line, and the lines below."""
    if isinstance(value, Lines):
        return "", value
    if isinstance(value, str) and ("\n" in value or style in ("|", ">")):
        step = step if 0 < step < 10 else 2
        if value.strip() and not _ODD.search(re.sub("[\n\t]", "", value)):
            indent = str(step) if re.match(r"\n*[ \t]", value) else ""
            chomp = "+" if value.endswith("\n\n") else "-" if not value.endswith("\n") else ""
            lines = value.removesuffix("\n").split("\n")
            return "|" + indent + chomp, "".join(" " * (column + step) * bool(line) + line + "\n" for line in lines)
    elif isinstance(value, Mapping) and value:
        return "", "".join(entry_of(column + step, key, each) for key, each in value.items())
    elif isinstance(value, Sequence) and value and not isinstance(value, str):
        return "", "".join(dashed(each, column + step) for each in value)
    return on_one_line(value, style), ""


def entry_of(column: int, key: str, value: Value) -> str:
    """The lines of a key in `column` and its value."""
    inline, below = ("", "") if value is None else written(value, column)
    return f"{' ' * column}{on_one_line(key)}:{' ' * bool(inline)}{inline}\n{below}"


def dashed(value: Value, column: int) -> str:
    """`value` as an item of a list whose dashes stand in `column`; comments at its beginning stand above."""
    inline, below = written(value, -2)
    words = re.sub("\r\n?", "\n", inline + "\n" * bool(inline) + below)
    head = re.match(r"(?: *(?:#.*)?\n)*", words)
    start = head.end() if head else 0
    above, item = _LINE_START.sub(" " * column, words[:start]), _LINE_START.sub(" " * (column + 2), words[start:])
    return f"{above}{' ' * column}- {item[column + 2 :]}"


def on_one_line(value: Value, style: str = "", *, flow: bool = False) -> str:
    """`value` on one line: text in quotes where it needs them or `style` says so, lists and mappings in brackets."""
    if isinstance(value, Mapping):
        pairs = [f"{on_one_line(key, flow=True)}: {on_one_line(each, flow=True)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if not isinstance(value, str):
        return f"[{', '.join(on_one_line(each, flow=True) for each in value)}]"
    if isinstance(value, Lines):
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
