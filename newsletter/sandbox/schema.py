"""The shape of a v3 Mail Send body: which keys there are, of which type, how long.

This follows the provider's public OpenAPI description (tsg_mail_v3), with two differences: a key that it doesn't name
is a violation, and `custom_args` of the whole message is an object (the description's `string` is a slip). What a
shape can't say is in `contract`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_PERSONALIZATIONS = 1000
MAX_ADDRESS = 320

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NO_STRING = "This has to be a string."
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]*/[A-Za-z0-9][\w.+-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Violation:
    """One entry of an answer's `errors`: `field` is the path of the culprit, or None when the provider names none."""

    message: str
    field: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"message": self.message, "field": self.field, "help": None}


@dataclass(frozen=True, slots=True)
class Text:
    """A string of `minimum` to `maximum` characters; a `line` goes into a header: no control characters."""

    minimum: int = 0
    maximum: int | None = None
    line: bool = False
    ascii: bool = False
    choices: tuple[str, ...] = ()
    forbidden: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """An email address: an ASCII dot-atom (RFC 5321 section 4.1.2, without quoted strings) at a domain with a dot."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A bare media type such as `text/html`, without parameters."""


@dataclass(frozen=True, slots=True)
class Integer:
    pass


@dataclass(frozen=True, slots=True)
class Boolean:
    pass


@dataclass(frozen=True, slots=True)
class AnyObject:
    """An object whose keys the caller chooses."""


@dataclass(frozen=True, slots=True)
class Object:
    keys: Mapping[str, Spec]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    items: Spec
    minimum: int = 0
    maximum: int | None = None
    unique: bool = False


Spec = Text | Address | MediaType | Integer | Boolean | AnyObject | Object | Array

_PERSON = Object({"email": Address(), "name": Text(line=True)}, required=("email",))
_SWITCH: dict[str, Spec] = {"enable": Boolean()}
_TAG = Text(minimum=1)

PERSONALIZATION = Object(
    {
        "from": _PERSON,
        "to": Array(_PERSON, minimum=1),
        "cc": Array(_PERSON, maximum=1000),
        "bcc": Array(_PERSON, maximum=1000),
        "subject": Text(minimum=1, line=True),
        "headers": AnyObject(),
        "substitutions": AnyObject(),
        "dynamic_template_data": AnyObject(),
        "custom_args": AnyObject(),
        "send_at": Integer(),
    },
    required=("to",),
)

MESSAGE = Object(
    {
        "personalizations": Array(PERSONALIZATION, minimum=1, maximum=MAX_PERSONALIZATIONS),
        "from": _PERSON,
        "reply_to": _PERSON,
        "reply_to_list": Array(_PERSON, minimum=1, maximum=1000, unique=True),
        "subject": Text(minimum=1, line=True),
        "content": Array(
            Object({"type": MediaType(), "value": Text(minimum=1)}, required=("type", "value")), minimum=1
        ),
        "attachments": Array(
            Object(
                {
                    "content": Text(minimum=1),
                    "type": MediaType(),
                    "filename": Text(minimum=1, line=True, forbidden=";,"),
                    "disposition": Text(choices=("inline", "attachment")),
                    "content_id": Text(minimum=1, line=True, ascii=True, forbidden=";,<> "),
                },
                required=("content", "filename"),
            )
        ),
        "template_id": Text(),
        "headers": AnyObject(),
        "categories": Array(Text(minimum=1, maximum=255, line=True, ascii=True), maximum=10, unique=True),
        "custom_args": AnyObject(),
        "send_at": Integer(),
        "batch_id": Text(minimum=1),
        "asm": Object(
            {"group_id": Integer(), "groups_to_display": Array(Integer(), maximum=25)},
            required=("group_id",),
        ),
        "ip_pool_name": Text(minimum=2, maximum=64),
        "mail_settings": Object(
            {
                "bypass_list_management": Object(_SWITCH),
                "bypass_spam_management": Object(_SWITCH),
                "bypass_bounce_management": Object(_SWITCH),
                "bypass_unsubscribe_management": Object(_SWITCH),
                "footer": Object({**_SWITCH, "text": Text(), "html": Text()}),
                "sandbox_mode": Object(_SWITCH),
            }
        ),
        "tracking_settings": Object(
            {
                "click_tracking": Object({**_SWITCH, "enable_text": Boolean()}),
                "open_tracking": Object({**_SWITCH, "substitution_tag": _TAG}),
                "subscription_tracking": Object({**_SWITCH, "text": Text(), "html": Text(), "substitution_tag": _TAG}),
                "ganalytics": Object(
                    {
                        **_SWITCH,
                        "utm_source": Text(),
                        "utm_medium": Text(),
                        "utm_term": Text(),
                        "utm_content": Text(),
                        "utm_campaign": Text(),
                    }
                ),
            }
        ),
    },
    required=("personalizations", "from"),
)


def shape_violations(value: object, spec: Spec = MESSAGE, path: str = "") -> list[Violation]:
    """All places in `value`, parsed JSON at `path`, that differ from `spec`."""
    found: list[Violation] = []
    _CHECKS[type(spec)](value, spec, path, found)
    return found


def is_integer(value: object) -> bool:
    """Whether JSON has a whole number here (a `true` isn't one)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_address(value: str) -> bool:
    """Whether the provider takes `value` for an email address: its syntax alone."""
    return len(value) <= MAX_ADDRESS and value.find("@") <= 64 and _ADDRESS.fullmatch(value) is not None


def has_control_characters(value: str) -> bool:
    """Whether `value` would break out of a header line or is otherwise not text on one line."""
    return not value.isprintable() and _CONTROL.search(value) is not None


def _check_object(value: object, spec: Object, path: str, found: list[Violation]) -> None:
    if not isinstance(value, dict):
        found.append(Violation("This has to be an object.", path or None))
        return
    prefix = f"{path}." if path else ""
    for key in spec.required:
        if key not in value:
            found.append(Violation(f"The {key} parameter is required.", prefix + key))
    for key, item in value.items():
        expected = spec.keys.get(key)
        if expected is None:
            found.append(Violation(f"There is no parameter {key!r} here.", prefix + key))
        else:
            _CHECKS[type(expected)](item, expected, prefix + key, found)


def _check_array(value: object, spec: Array, path: str, found: list[Violation]) -> None:
    if not isinstance(value, list):
        found.append(Violation("This has to be an array.", path))
        return
    if len(value) < spec.minimum:
        found.append(Violation(f"This has to have at least {spec.minimum} item(s).", path))
    if spec.maximum is not None and len(value) > spec.maximum:
        found.append(Violation(f"This may have at most {spec.maximum} items and has {len(value)}.", path))
    if spec.unique and any(item in value[:index] for index, item in enumerate(value)):
        found.append(Violation("The items of this have to differ.", path))
    check = _CHECKS[type(spec.items)]
    for index, item in enumerate(value):
        check(item, spec.items, f"{path}.{index}", found)


def _check_any_object(value: object, _: Spec, path: str, found: list[Violation]) -> None:
    if not isinstance(value, dict):
        found.append(Violation("This has to be an object.", path))


def _check_boolean(value: object, _: Spec, path: str, found: list[Violation]) -> None:
    if not isinstance(value, bool):
        found.append(Violation("This has to be true or false.", path))


def _check_integer(value: object, _: Spec, path: str, found: list[Violation]) -> None:
    if not is_integer(value):
        found.append(Violation("This has to be an integer.", path))


def _check_address(value: object, _: Spec, path: str, found: list[Violation]) -> None:
    if not isinstance(value, str):
        found.append(Violation(_NO_STRING, path))
    elif not is_address(value):
        found.append(Violation("This doesn't contain a valid address.", path))


def _check_media_type(value: object, _: Spec, path: str, found: list[Violation]) -> None:
    if not isinstance(value, str):
        found.append(Violation(_NO_STRING, path))
    elif not _MEDIA_TYPE.fullmatch(value):
        found.append(Violation("This has to be a media type such as text/html, without parameters.", path))


def _check_text(value: object, spec: Text, path: str, found: list[Violation]) -> None:
    if not isinstance(value, str):
        found.append(Violation(_NO_STRING, path))
    else:
        found.extend(Violation(message, path) for message in _text_faults(value, spec))


def _text_faults(value: str, spec: Text) -> Iterator[str]:
    if len(value) < spec.minimum:
        yield f"This has to have at least {spec.minimum} character(s)."
    if spec.maximum is not None and len(value) > spec.maximum:
        yield f"This may have at most {spec.maximum} characters."
    if spec.line and has_control_characters(value):
        yield "This may not contain line breaks or control characters."
    if spec.ascii and not value.isascii():
        yield "This may contain ASCII characters only."
    if spec.choices and value not in spec.choices:
        yield f"This has to be one of: {', '.join(spec.choices)}."
    if spec.forbidden and any(character in value for character in spec.forbidden):
        yield f"This may not contain any of {spec.forbidden!r}."


# A table rather than a `match`, and one list rather than generators: a call has ten thousand places to look at.
_CHECKS: Mapping[type[Spec], Callable[[object, Any, str, list[Violation]], None]] = {
    Object: _check_object,
    Array: _check_array,
    AnyObject: _check_any_object,
    Boolean: _check_boolean,
    Integer: _check_integer,
    Address: _check_address,
    MediaType: _check_media_type,
    Text: _check_text,
}
