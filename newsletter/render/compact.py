"""The last pass over the HTML: smaller, and in lines that every mail server takes, without a changed pixel."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

MAX_LINE = 900
"""Bytes; RFC 5322 allows 998 in a line, and encodings add some."""

_CONDITIONALS = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_STYLE_ATTRIBUTE = re.compile(r' style="([^"]*)"')
_QUOTED_FONTS = re.compile(r" style='([^']*)'")
_CLASS_ATTRIBUTE = re.compile(r' class="([^"]*)"')
_STYLE_ELEMENT = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_COMMENT = re.compile(r"<!--(?!\[if|<!\[endif)(?!\s*<!).*?-->", re.DOTALL)
_SELECTOR_CLASS = re.compile(r"\.([A-Za-z_][\w-]*)")
_BREAK_AFTER = re.compile(r"(</tr>|</table>|</p>|</li>|</h[1-6]>|</style>|</ul>|</ol>|</blockquote>)(?=<)")
_PIECES = re.compile(r"<!--.*?-->|<[^>]*>|[^<]+|<", re.DOTALL)
_ATTRIBUTE_GAP = re.compile(r"""\s(?=[a-zA-Z:-]+=["'])""")


def compact(html: str) -> str:
    """`html` with neighbouring Outlook conditionals merged, unused classes and white space gone, and short lines."""
    html = _CONDITIONALS.sub("", html)
    html = _STYLE_ELEMENT.sub(lambda found: found[0].replace(found[1], _compact_css(found[1])), html)
    html = _QUOTED_FONTS.sub(lambda found: ' style="' + found[1].replace('"', "'") + '"', html)
    html = _STYLE_ATTRIBUTE.sub(
        lambda found: f' style="{_compact_declarations(found[1])}"' if found[1].strip() else "", html
    )
    used = {name for sheet in _STYLE_ELEMENT.findall(html) for name in _SELECTOR_CLASS.findall(sheet)}
    html = _CLASS_ATTRIBUTE.sub(lambda found: _used_classes(found[1], used), html)
    return "\n".join(
        short for line in _BREAK_AFTER.sub("\\1\n", html).split("\n") if line.strip() for short in _short_lines(line)
    )


def _compact_css(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", css)).replace(";}", "}").replace("}", "}\n").strip()


@functools.lru_cache(maxsize=1024)
def _compact_declarations(style: str) -> str:
    return re.sub(r"\s*([;:,])\s*", r"\1", style).rstrip("; ") if "url(" not in style and "&" not in style else style


def _used_classes(names: str, used: set[str]) -> str:
    kept = [name for name in names.split() if name in used]
    return f' class="{" ".join(kept)}"' if kept else ""


def _short_lines(line: str) -> list[str]:
    """`line` in pieces of at most `MAX_LINE` bytes, broken where white space means nothing.

    That is between words of text, between attributes, and between the tags of a conditional comment. A word or an
    attribute that is longer stays whole.
    """
    if len(line.encode()) <= MAX_LINE or "<pre" in line:
        return [line]
    lines: list[str] = []
    current: list[str] = []
    size, last_gap = 0, 0
    for unit, after_gap in _units(line):
        if after_gap and current:
            last_gap = len(current)
        current.append(unit)
        size += len(unit.encode())
        if size > MAX_LINE and last_gap:
            lines.append("".join(current[:last_gap]).rstrip(" "))
            current = [current[last_gap].lstrip(" "), *current[last_gap + 1 :]]
            size, last_gap = sum(len(each.encode()) for each in current), 0
    lines.append("".join(current))
    return lines


def _units(line: str) -> Iterator[tuple[str, bool]]:
    """What can't be broken, one after the other, and whether a line break may stand before it."""
    for piece in _PIECES.findall(line):
        if piece.startswith("<!--"):
            units = re.split(r"(?<=>)(?=<)", piece)
        elif piece.startswith("<"):
            name, *attributes = _ATTRIBUTE_GAP.split(piece)
            # The first attribute stays beside the name: what looks for `<a href=` in an email finds it.
            units = [" ".join([name, *attributes[:1]]), *(" " + attribute for attribute in attributes[1:])]
        else:
            units = re.split(r"(?<= )", piece)
        for number, unit in enumerate(units):
            yield unit, number > 0
