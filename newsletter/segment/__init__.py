"""Segments: what of the expression language can choose people, as a tree of typed values that a database can follow.

A segment is an expression like those after `when:`, and means the same. Comparing what can never be equal is a fault
here, and not simply false: whoever chooses an audience has to be told.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.expression import RECEIVED, ExpressionError, Parsed
from newsletter.segment.reader import SLUG, Reader
from newsletter.segment.values import Value

__all__ = ["Segment", "choose_segment", "parse_segment"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A checked segment. `slugs` are the issues that it asks for by `received`.

    `evaluate` tells of one person, given `subscriber` and `received`, what the database tells of all of them: whether
    its result is true.
    """

    source: str
    value: Value
    slugs: tuple[str, ...]
    evaluate: Callable[[Mapping[str, Any]], Any]


@functools.lru_cache(maxsize=256)
def parse_segment(source: str) -> Segment:
    """Check `source`. Raises ExpressionError for what isn't in the language, or can't choose people."""
    parsed = Parsed.of(source, (RECEIVED,))
    reader = Reader(parsed)
    value = reader.read(parsed.tree)
    return Segment(source, value, tuple(dict.fromkeys(reader.slugs)), parsed.evaluator())


def choose_segment(words: str, named: Mapping[str, str]) -> str:
    """The expression of the segment called `words`, which are the expression when it isn't a name of `named`.

    Raises ExpressionError.
    """
    if words in named:
        return named[words]
    if re.fullmatch(SLUG, words):
        close = difflib.get_close_matches(words, named, 1)
        listed = f"there are {', '.join(sorted(named))}" if named else "name it under `segments:` in newsletter.yaml"
        hint = f"did you mean `{close[0]}`?" if close else listed
        raise ExpressionError(f"there is no segment `{words}`", hint, length=len(words))
    return parse_segment(words).source
