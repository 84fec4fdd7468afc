"""Laying out plain text: lines of at most 72 columns, and an address never broken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

WIDTH = 72


def columns(text: str) -> int:
    """The columns that `text` takes in a fixed-width font: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me", "Mn") else
        2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
        for character in text
    )  # fmt: skip


def wrap(text: str, width: int = WIDTH, *, indent: str = "") -> str:
    """`text` in lines of at most `width` columns, broken at white space only; given line breaks stay.

    A word that is longer than a line (an address) stands on a line of its own, whole. Lines after the first begin with
    `indent`.
    """
    return "\n".join(_wrap_line(line, width, indent) for line in text.split("\n"))


def _wrap_line(text: str, width: int, indent: str) -> str:
    text = text.strip(" \t")
    if len(text) <= width and text.isascii() and "  " not in text and "\t" not in text:
        return text
    wide: Callable[[str], int] = len if text.isascii() else columns
    lines: list[str] = []
    line, used = "", 0
    for word in re.split(r"[ \t]+", text):
        size = wide(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = indent + word, len(indent) + size
        elif line:
            line, used = f"{line} {word}", used + 1 + size
        else:
            line, used = word, size
    lines.append(line)
    return "\n".join(lines)


def underline(text: str, mark: str = "-", width: int = WIDTH) -> str:
    """`text`, wrapped, with a line of `mark` under it, as long as its longest line."""
    wrapped = wrap(text, width)
    return wrapped + "\n" + mark * min(width, max(columns(line) for line in wrapped.split("\n")))


def tidy(text: str) -> str:
    """`text` with at most one empty line in a row, no spaces at line ends, and one line break at its end."""
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
