"""What is personal in an issue: the expressions over a subscriber, the slots they fill, and the variants they choose.

Rendering happens once: an expression leaves the content as an opaque token before Markdown or MJML see it, and comes
back as a value that is escaped for the place where the token stands.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, UndefinedError
from jinja2.exceptions import SecurityError

from newsletter.errors import RenderError
from newsletter.expression import ExpressionError, Readable, parse_expression
from newsletter.fields import FORBIDDEN, SLOT, check_url
from newsletter.issue.rendered import Place, RenderedIssue, Slot
from newsletter.subscriber import Subscriber

__all__ = [
    "UNSUBSCRIBE", "ExpressionError", "Masker", "PersonaliseError", "check_conditions", "escape", "evaluate",
    "fill_slots", "holds", "parse_expression", "sample_values", "scope", "substitutions", "variant_of",
]  # fmt: skip

UNSUBSCRIBE = "unsubscribe_url"

SAMPLE_LINK = "https://example.org/unsubscribe"
"""Where the unsubscribe link of a sample leads."""


class PersonaliseError(ValueError):
    """A subscriber's value for an expression is missing, or can't stand where it would."""


class _Person(Readable):
    """A subscriber as expressions see them: the known properties, then the attributes of their list."""

    __slots__ = ("_subscriber",)
    _PROPERTIES = frozenset({"email", "name", "first_name", "last_name", "tags"})

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name: str) -> Any:
        person = self._subscriber
        if name in self._PROPERTIES:
            return getattr(person, name)
        if name == "joined_at" and not person.attributes.get(name) and person.created_at is not None:
            return person.created_at.astimezone(UTC).date().isoformat()
        return person.attributes[name]


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


def sample_values(rendered: RenderedIssue, person: Subscriber) -> dict[str, str]:
    """The substitutions for `person`, with an unsubscribe link that leads nowhere: to look at, and for tests.

    Raises RenderError when a personal part can't be filled.
    """
    try:
        values = fill_slots(rendered.slots, person)
    except PersonaliseError as error:
        hint = 'give a fallback: `{{ subscriber.NAME or "…" }}`, or choose another subscriber'
        raise RenderError(f"the personal parts can't be filled for {person.email}: {error}", hint=hint) from None
    return substitutions(rendered, values, SAMPLE_LINK)
