"""What is personal in an issue: expressions over a subscriber, the slots they fill, and the variants they choose.

The language is a safe subset of Jinja's expressions, the same in `{{ … }}` and in `when:`. Rendering happens once:
an expression leaves the content as an opaque token before Markdown or MJML see it, and comes back as a value that is
escaped for the place where the token stands.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from newsletter.fields import FORBIDDEN, SLOT, check_url
from newsletter.issue.rendered import Place, RenderedIssue, Slot
from newsletter.subscriber import Subscriber

NAMES = ("subscriber", "unsubscribe_url")
"""What an expression can speak of. `unsubscribe_url` is the recipient's own link to leave."""

UNSUBSCRIBE = "unsubscribe_url"

FILTERS = (
    "capitalize",
    "default",
    "first",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "title",
    "trim",
    "truncate",
    "upper",
)
TESTS = ("defined", "undefined", "in", "none", "string")

_ALLOWED = (
    nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple, nodes.And, nodes.Or, nodes.Not,
    nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Concat, nodes.Keyword,
)  # fmt: skip


class ExpressionError(ValueError):
    """An expression that isn't one of ours; `hint` says what to write."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class PersonaliseError(ValueError):
    """A subscriber's value for an expression is missing, or can't stand where it would."""


class _Missing(StrictUndefined):
    """An attribute that a subscriber doesn't have: false in a condition and equal to nothing, but never printed."""

    __slots__ = ()


for _operator in ("__bool__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__"):
    setattr(_Missing, _operator, lambda *_: False)
setattr(_Missing, "__ne__", lambda *_: True)  # noqa: B010 - as above, what StrictUndefined refuses


_environment = SandboxedEnvironment(undefined=_Missing, autoescape=False)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its source as written, and how to evaluate it."""

    source: str
    evaluate: Callable[[Mapping[str, Any]], Any]


@functools.lru_cache(maxsize=4096)
def parse_expression(source: str) -> Expression:
    """Check `source` (what stands between the braces, or after `when:`) and make it ready to be evaluated.

    Raises ExpressionError for what isn't in the language: unknown names, filters, tests, calls and arithmetic.
    """
    source = " ".join(source.split())
    if not source:
        raise ExpressionError("there is nothing between the braces", "e.g. `{{ subscriber.first_name }}`")
    try:
        tree = _environment.parse("{{ " + source + " }}")
    except TemplateSyntaxError as error:
        compared = "got '='" in str(error.message)
        hint = "two values are compared with `==`" if compared else 'e.g. `subscriber.first_name or "friend"`'
        raise ExpressionError(f"`{source}` can't be read: {error.message}", hint) from None
    output = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise ExpressionError(f"`{source}` isn't one expression", "only values stand between the braces, no statements")
    for node in _walk(output.nodes[0]):
        _check_node(node)
    compiled = _environment.compile_expression(source, undefined_to_none=False)
    return Expression(source, lambda scope: compiled(**scope))


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _check_node(node: nodes.Node) -> None:
    if isinstance(node, nodes.Name) and node.name not in NAMES:
        close = difflib.get_close_matches(node.name, NAMES, 1)
        hint = (
            f"did you mean `{close[0]}`?"
            if close
            else f"a subscriber's `{node.name}` is written `subscriber.{node.name}`"
        )
        raise ExpressionError(f"there is nothing called `{node.name}`", hint)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise ExpressionError(f"there is no filter `{node.name}`", _known(node.name, FILTERS))
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise ExpressionError(f"there is no test `{node.name}`", _known(node.name, TESTS))
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise ExpressionError(f"`{node.attr}` can't be read", "attributes begin with a letter")
    if isinstance(node, nodes.Call):
        raise ExpressionError("nothing can be called in an expression", f"the filters are {', '.join(FILTERS)}")
    if not isinstance(node, _ALLOWED):
        raise ExpressionError(
            "this can't be written in an expression", "values, `and`, `or`, `not`, comparisons and filters can"
        )


def _known(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean `{close[0]}`?" if close else f"there are {', '.join(names)}"


class _Person:
    """A subscriber as expressions see them: the known properties, then the attributes of their list."""

    __slots__ = ("_subscriber",)
    _PROPERTIES = frozenset({"email", "name", "first_name", "last_name", "tags"})

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber

    def __getattr__(self, name: str) -> Any:
        if name in self._PROPERTIES:
            return getattr(self._subscriber, name)
        try:
            return self._subscriber.attributes[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name) from None


def scope(subscriber: Subscriber) -> dict[str, Any]:
    """The names that expressions are evaluated with, for one subscriber."""
    return {"subscriber": _Person(subscriber)}


def evaluate(source: str, names: Mapping[str, Any]) -> str:
    """The text of an expression. Raises PersonaliseError when a value that is to be printed is missing."""
    try:
        value = parse_expression(source).evaluate(names)
        if isinstance(value, StrictUndefined):
            str(value)
    except (UndefinedError, SecurityError, TypeError, ValueError) as error:
        raise PersonaliseError(f"`{source}` has no value: {_reason(error)}") from None
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _reason(error: Exception) -> str:
    missing = re.search(r"has no attribute '(\w+)'|has no element '(\w+)'", str(error))
    return f"no `{missing[1] or missing[2]}`" if missing else str(error)


def holds(condition: str, names: Mapping[str, Any]) -> bool:
    """Whether a `when:` holds. An attribute that is missing makes a comparison false."""
    try:
        return bool(parse_expression(condition).evaluate(names))
    except (UndefinedError, SecurityError, TypeError):
        return False


def variant_of(conditions: Sequence[str], subscriber: Subscriber) -> str:
    """A `1` or `0` for each condition: the variant this subscriber gets."""
    if not conditions:
        return ""
    names = scope(subscriber)
    return "".join("1" if holds(condition, names) else "0" for condition in conditions)


def check_conditions(sources: Iterable[str]) -> tuple[str, ...]:
    """The distinct conditions, in order of appearance. Raises ExpressionError."""
    return tuple(dict.fromkeys(parse_expression(source).source for source in sources))


class Masker:
    """Takes expressions out of text, and gives each one token a place.

    `corpus` is all the text that will be rendered: tokens begin with a prefix that isn't in it, so that an author's
    words are never mistaken for one. A token is lower-case ASCII letters and digits of one fixed length, safe in
    Markdown, XML, CSS and URLs, and no token is a part of another.
    """

    def __init__(self, corpus: str) -> None:
        number = 0
        while True:
            seed = hashlib.sha256(f"{number}:{corpus}".encode()).hexdigest()
            self._prefix = "zq" + "".join(chr(ord("g") + int(digit, 16)) for digit in seed[:5])
            if self._prefix not in corpus.lower():
                break
            number += 1
        self._numbers: dict[str, int] = {}
        self._constants: dict[str, str] = {}
        self.tokens = re.compile(self._prefix + r"[0-9]{4}[a-z]")

    def token(self, source: str, place: Place) -> str:
        """The token of an expression at a place. Raises ExpressionError."""
        source = parse_expression(source).source
        number = self._numbers.setdefault(source, len(self._numbers))
        return f"{self._prefix}{number:04d}{place.value}"

    def mask(self, text: str, place: Place) -> str:
        """`text` with its expressions as tokens of a place; a whole address for a URL that is only an expression."""
        if "{{" not in text:
            return text
        if place in (Place.HREF, Place.LINK):
            inner = Place.URL
            return SLOT.sub(lambda found: self.token(found[1], place if found.start() == 0 else inner), text)
        return SLOT.sub(lambda found: self.token(found[1], place), text)

    def replaced(self, text: str, place: Place) -> str:
        """`text` with the tokens in it moved to another place (a token that turned out to stand in a URL)."""
        if self._prefix not in text:
            return text
        if place in (Place.HREF, Place.LINK):
            return self.tokens.sub(
                lambda found: found[0][:-1] + (place if found.start() == 0 else Place.URL).value, text
            )
        return self.tokens.sub(lambda found: found[0][:-1] + place.value, text)

    def slots_in(self, *texts: str) -> tuple[Slot, ...]:
        """The slots whose tokens stand in `texts`, in the order of their tokens."""
        sources = {number: source for source, number in self._numbers.items()}
        found = sorted({token for text in texts for token in self.tokens.findall(text)})
        begin = len(self._prefix)
        return tuple(Slot(token, sources[int(token[begin : begin + 4])], Place(token[-1])) for token in found)


def escape(value: str, place: Place) -> str:
    """`value` written for a place. Raises PersonaliseError for a whole address that isn't one."""
    value = " ".join(FORBIDDEN.sub("", value).split()) if place is not Place.URL else value
    match place:
        case Place.HTML:
            return html.escape(value, quote=True)
        case Place.TEXT:
            return value
        case Place.URL:
            return quote(value, safe="")
        case Place.HREF | Place.LINK:
            try:
                address = quote(check_url(value), safe="!#$%&'()*+,/:;=?@[]~") if value else ""
            except ValueError as error:
                raise PersonaliseError(f"`{value}` isn't an address: {error}") from None
            return html.escape(address, quote=True) if place is Place.HREF else address


def fill_slots(slots: Sequence[Slot], subscriber: Subscriber) -> tuple[str, ...]:
    """The values of `slots` for a subscriber, escaped, in order; `unsubscribe_url` slots are left empty.

    Raises PersonaliseError, which says what the subscriber lacks.
    """
    names = scope(subscriber)
    known: dict[str, str] = {}
    values = []
    for slot in slots:
        if slot.expression == UNSUBSCRIBE:
            values.append("")
            continue
        if slot.expression not in known:
            known[slot.expression] = evaluate(slot.expression, names)
        values.append(escape(known[slot.expression], slot.place))
    return tuple(values)


def substitutions(rendered: RenderedIssue, values: Sequence[str], unsubscribe_url: str) -> dict[str, str]:
    """What the provider is told to put in place of each token: `values` as `fill_slots` gave them, and the link."""
    return {
        slot.token: escape(unsubscribe_url, slot.place) if slot.expression == UNSUBSCRIBE else value
        for slot, value in zip(rendered.slots, values, strict=True)
    }
