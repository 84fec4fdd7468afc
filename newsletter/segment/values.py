"""What a segment is made of: values of a known kind, with what each means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a value is; the words are for people."""

    TEXT = "text"
    NUMBER = "a number"
    FLAG = "true or false"
    TAGS = "a list of tags"
    LIST = "a list"
    MIXED = "one thing or another"
    """What `or` gives of different kinds, and `and` of other than flags: it can only be taken for true or false."""


SINGLE = (Kind.TEXT, Kind.NUMBER, Kind.FLAG)
"""Kinds of one value, which can be compared."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is written out."""

    value: str | float | bool
    kind: Kind


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of the subscriber, or an attribute, which may be missing."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Tags:
    """The subscriber's tags."""

    kind: Kind = Kind.TAGS


@dataclass(frozen=True, slots=True)
class Items:
    """A list that is written out."""

    items: tuple[Value, ...]
    kind: Kind = Kind.LIST


@dataclass(frozen=True, slots=True)
class Length:
    """How many characters a text has, or how many tags there are; missing when `of` is."""

    of: Value
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A text without white space at its ends; missing when `of` is."""

    of: Value
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Default:
    """`fallback` when `of` is missing."""

    of: Value
    fallback: Value
    kind: Kind


@dataclass(frozen=True, slots=True)
class Both:
    """`… and …`, of two or more parts: whether all of them are true. (Jinja would give one of them.)"""

    parts: tuple[Value, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Either:
    """`… or …`, of two or more parts: the first that is true, else the last."""

    parts: tuple[Value, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Not:
    """Whether a value is false: empty, zero or missing."""

    of: Value
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Defined:
    """Whether a value isn't missing."""

    of: Value
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is Jinja's: eq, ne, lt, lteq, gt, gteq. What is missing is unequal to everything, and not ordered."""

    operator: str
    left: Value
    right: Value
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Within:
    """Whether a text is one of the tags or a part of a text, or a value is in a list."""

    value: Value
    container: Value
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Received:
    """Whether the provider has accepted the issue for this address, whatever became of it."""

    slug: str
    kind: Kind = Kind.FLAG


Value: TypeAlias = (
    Constant | Attribute | Tags | Items | Length | Trimmed | Default | Both | Either | Not | Defined | Comparison
    | Within | Received
)  # fmt: skip
