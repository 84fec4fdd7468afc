"""The kinds of value that a person writes in YAML: text, Markdown, addresses, colours, images.

Each is a pydantic type that cleans and checks its value, and carries its `Kind`, by which rendering knows how slots
and links in it are treated. All text is NFC-normalised; control characters are refused (mrml and mail clients choke
on them).
"""

from __future__ import annotations

import functools
import re
import types
import unicodedata
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

SLOT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
"""A personal expression in an author's text."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Controls, surrogates and non-characters. U+0080-9F are Windows-1252 text that was read wrongly."""


_WORDS_OF_HTML = (
    "a abbr b blockquote br caption center code dd del div dl dt em h2 h3 h4 h5 h6 hr i img ins li ol p pre q s small "
    "span strong sub sup table tbody td tfoot th thead tr u ul"
)
HTML_TAGS = frozenset(_WORDS_OF_HTML.split())
"""What an author's own HTML may be made of."""

VOID_TAGS = frozenset({"br", "hr", "img"})


class Kind(Enum):
    """What a field's text is, and so how its slots are escaped and its links treated."""

    TEXT = "text"
    MARKDOWN = "markdown"
    URL = "url"
    HTML = "html"


class Model(BaseModel):
    """The base of everything read from YAML: unknown keys are refused, values can't be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        if found := FORBIDDEN.search(value):
            code = f"U+{ord(found[0]):04X}"
            raise PydanticCustomError(
                "control-character",
                "the invisible character {character} can't stand in an email",
                {"character": code, "hint": "delete it; it often comes along when text is pasted"},
            )
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return value


def _one_line(value: str) -> str:
    return re.sub(r"[ \t\n]+", " ", value).strip(" ")


def _no_edges(value: str) -> str:
    return value.strip("\n")


def _not_empty(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError(
            "empty-value", "there is nothing here", {"hint": "write something, or remove the key"}
        )
    return value


def check_url(value: str) -> str:
    """`value` when it is an http(s), mailto or tel address, possibly with slots; otherwise a located complaint."""
    plain = SLOT.sub("x", value)
    if SLOT.match(value):
        return value  # a whole address that comes from the subscriber; checked when it is filled
    if re.search(r"\s", plain):
        raise PydanticCustomError("bad-url", "an address can't hold spaces", {"hint": "write a space as `%20`"})
    scheme = plain.partition(":")[0].lower() if ":" in plain else ""
    if scheme in {"http", "https"}:
        try:
            host = urlsplit(plain).hostname
        except ValueError:
            host = None
        if not host or host.startswith(".") or ".." in host:
            raise PydanticCustomError(
                "bad-url", "this address names no website", {"hint": "e.g. `https://example.org/page`"}
            )
        return value
    if scheme == "mailto" and "@" in plain:
        return value
    if scheme == "tel" and re.search(r"\d", plain):
        return value
    if scheme and "." not in scheme:
        allowed = "an address begins with `https://`, `http://`, `mailto:` or `tel:`"
        raise PydanticCustomError(
            "bad-url", "`{scheme}:` addresses aren't allowed", {"scheme": scheme, "hint": allowed}
        )
    hint = f"write `https://{value.lstrip('/')}`" if "." in plain else "e.g. `https://example.org/page`"
    raise PydanticCustomError("bad-url", "this is not a full address", {"hint": hint})


def _image_source(value: str) -> str:
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", value):
        if not value.lower().startswith("https://"):
            raise PydanticCustomError(
                "bad-image-address",
                "an image is a file beside the issue, or an https:// address",
                {"hint": "mail clients refuse images from anything else"},
            )
        return check_url(value)
    return value


def _colour(value: str) -> str:
    found = re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value)
    if found is None:
        raise PydanticCustomError(
            "bad-colour", "a colour is written `#1a2b3c`", {"hint": "six hexadecimal digits, in quotes"}
        )
    digits = found[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def check_email(value: str) -> str:
    """`value` with its domain normalised, when it is an address by email-validator's rules (no DNS)."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise PydanticCustomError(
            "bad-email", "{reason}", {"reason": str(error).rstrip("."), "hint": "e.g. `news@example.org`"}
        ) from None


_Clean = BeforeValidator(_clean)
_Filled = AfterValidator(_not_empty)

Text = Annotated[str, _Clean, AfterValidator(_one_line), _Filled, Kind.TEXT]
"""One line of words; runs of white space count as one space."""

Markdown = Annotated[str, _Clean, AfterValidator(_no_edges), _Filled, Kind.MARKDOWN]
"""Paragraphs, lists, emphasis and links in Markdown."""

Url = Annotated[str, _Clean, AfterValidator(str.strip), _Filled, AfterValidator(check_url), Kind.URL]
"""An http(s), mailto or tel address."""

Html = Annotated[str, _Clean, _Filled, Kind.HTML]
"""Raw HTML."""

Plain = Annotated[str, _Clean, AfterValidator(_no_edges), _Filled]
"""Lines of text as they are (a postal address); nothing personal in it."""

ImageSource = Annotated[str, _Clean, AfterValidator(str.strip), _Filled, AfterValidator(_image_source)]
"""A file beside the issue (or in the workspace), or an https address."""

Colour = Annotated[str, AfterValidator(_colour)]
"""A colour as six hexadecimal digits after `#`."""

Email = Annotated[str, _Clean, AfterValidator(check_email)]
"""An email address."""

Condition = Annotated[str, _Clean, AfterValidator(_one_line), _Filled]
"""A condition over a subscriber, such as `subscriber.region == "north"`."""


class Image(Model):
    """A picture."""

    src: ImageSource
    """A file beside the issue, e.g. `photos/harbour.jpg`, or an https:// address."""
    alt: Annotated[str, _Clean, AfterValidator(_one_line), Kind.TEXT]
    """What the picture shows, for those who don't see it; `""` when it is only decoration."""


@functools.cache
def kinds_of(model: type[BaseModel]) -> dict[str, Kind | None]:
    """The fields of `model` that hold text of a kind, with that kind; those that hold models, which may, with None."""
    found: dict[str, Kind | None] = {}
    for name, info in model.model_fields.items():
        kind = next((item for item in info.metadata if isinstance(item, Kind)), None)
        kinds, models = _inside(info.annotation)
        if kind is not None or kinds or models:
            found[name] = kind or next(iter(kinds), None)
    return found


def _inside(annotation: Any) -> tuple[set[Kind], bool]:
    kinds: set[Kind] = set()
    models = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    if get_origin(annotation) in (Union, types.UnionType, tuple, list) or hasattr(annotation, "__metadata__"):
        kinds |= {item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, Kind)}
        for argument in get_args(annotation):
            inner_kinds, inner_models = _inside(argument)
            kinds |= inner_kinds
            models = models or inner_models
    return kinds, models
