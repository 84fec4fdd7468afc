"""The models of an issue as fields of a form: which control each has, what it is called, and what is said about it."""

from __future__ import annotations

import datetime
import re
import types
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from newsletter.fields import Condition, Email, ImageSource, Kind, Model, Plain
from newsletter.issue import Issue
from newsletter.studio.compose.kinds import ITEMS, example, kinds, type_of


class Control(StrEnum):
    """What a value is typed or chosen with."""

    LINE = "line"
    LINES = "lines"
    MARKDOWN = "markdown"
    CODE = "code"
    """Lines in a fixed-width face."""
    CONDITION = "condition"
    URL = "url"
    EMAIL = "email"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    PICTURE = "picture"
    """A picture's file or address."""
    GROUP = "group"
    """The fields of another model."""
    LIST = "list"
    BLOCK = "block"
    """The fields of one of several models, told by `type`."""
    TEXT_ONLY = "text-only"
    """What is edited in the text alone."""


@dataclass(frozen=True)
class FormField:
    """One field of a form."""

    key: str
    """As the YAML has it."""
    label: str
    help: str
    control: Control
    required: bool = False
    may_be_empty: bool = False
    """Whether it is needed, but may hold no words."""
    personal: bool = False
    """Whether `{{ … }}` may stand in it."""
    folded: bool = False
    """Whether it is out of the way while it is empty."""
    otherwise: str = ""
    """What holds when it is left out."""
    choices: tuple[tuple[str, str], ...] = ()
    """Values, and what each is called."""
    least: int | None = None
    most: int | None = None
    """The bounds of a number, or how many entries a list may have."""
    model: str = ""
    """The name of a group's model."""
    item: FormField | None = None
    """What an entry of a list is."""
    kinds: tuple[str, ...] = ()
    """The types that a block may have."""
    bare: str = ""
    """The key that a group's text stands for when it is no mapping."""


LABELS: Mapping[str, str] = {
    "url": "Link",
    "src": "Picture",
    "alt": "Description of the picture",
    "when": "Only for some readers",
    "from": "From",
    "lang": "Language",
    "dir": "Direction of writing",
    "reply_to": "Replies go to",
    "image": "Picture",
    "images": "Pictures",
    "image_position": "Where the picture stands",
    "why": "Why people get it",
    "body": "Text",
    "label": "Words of the link",
    "html": "HTML",
    "columns": "Columns",
    "blocks": "Blocks",
    "slug": "Lasting name",
}
"""Where a key's own words don't do."""

_OF_MODEL = {
    ("button", "label"): "Words",
    ("hero", "label"): "Words on the button",
    ("callout", "label"): "Words on the button",
    ("Link", "label"): "Words",
    ("quote", "text"): "What was said",
    ("html", "text"): "Plain text",
    ("gallery", "columns"): "Pictures in a row",
    ("headlines", "items"): "Headlines",
    ("links", "items"): "Links",
    ("events", "items"): "Events",
    ("social", "items"): "Profiles",
}

_HELP: Mapping[str | tuple[str, str], str] = {
    "alt": "What it shows, for those who don't see it; leave it empty when it is only decoration",
    ("Issue", "date"): "",
    ("headlines", "items"): "",
}
"""What is said in place of a docstring that is about YAML."""

FOLDED = frozenset({
    "when", "image_position", "byline", "source", "role", "credit", "logo", "slug", "dir", "link_parameters", "why",
    "address",
})  # fmt: skip

_WORDS = {
    "ltr": "Left to right", "rtl": "Right to left", "github": "GitHub", "linkedin": "LinkedIn", "rss": "RSS",
    "tiktok": "TikTok", "youtube": "YouTube",
}  # fmt: skip

_FILLERS = {
    "a",
    "an",
    "the",
    "to",
    "use",
    "line",
    "which",
    "over",
    "them",
    "its",
    "of",
    "one",
    "this",
    "it",
    "where",
    "leads",
    "is",
}


@cache
def fields_of(model: type[Model]) -> tuple[FormField, ...]:
    """The fields of a model in its order, `when` last, without `type`."""
    hints = get_type_hints(model, include_extras=True)
    owner = type_of(model) if "type" in model.model_fields else model.__name__
    made = [
        _field(owner, info.alias or name, hints[name], info)
        for name, info in model.model_fields.items()
        if name != "type" and not (model is Issue and name == "blocks")
    ]
    return tuple(sorted(made, key=lambda field: field.key == "when"))


def _field(owner: str, key: str, hint: Any, info: FieldInfo) -> FormField:
    label = _OF_MODEL.get((owner, key)) or LABELS.get(key) or key.replace("_", " ").capitalize()
    help_, otherwise = said_of(label, info.description or "")
    help_ = _HELP.get((owner, key), _HELP.get(key, help_))
    folded = not info.is_required() and (key in FOLDED or get_origin(_opened(hint)[0]) is dict)
    made = _of_hint(key, label, help_, hint, required=info.is_required())
    return replace(made, folded=folded, otherwise=otherwise, may_be_empty=made.required and _takes_nothing(hint))


def _of_hint(key: str, label: str, help_: str, hint: Any, *, required: bool = True) -> FormField:
    """The field for a type hint."""
    given: dict[str, Any] = {"required": required}
    hint, marks, bounds = _opened(hint)
    given |= bounds
    if (control := _simple_control(hint, marks)) is not None:
        given["personal"] = Kind.TEXT in marks or Kind.MARKDOWN in marks or Kind.HTML in marks
    elif get_origin(hint) is Literal:
        control, given["choices"] = Control.CHOICE, tuple((word, word_for(word)) for word in get_args(hint))
    elif get_origin(hint) is tuple:
        control, given["item"] = Control.LIST, _of_hint("", label.removesuffix("s"), "", get_args(hint)[0])
    elif isinstance(hint, type) and issubclass(hint, Model):
        control, given["model"], given["bare"] = Control.GROUP, hint.__name__, _bare_key(marks)
    elif get_origin(hint) in (Union, types.UnionType):
        control, given["kinds"] = Control.BLOCK, tuple(type_of(each) for each in get_args(hint))
    else:
        control = Control.TEXT_ONLY
    return FormField(key, label, help_, control, **given)


def _simple_control(hint: Any, marks: tuple[Any, ...]) -> Control | None:
    """The control of a value that isn't made of others."""
    named = {Plain: Control.LINES, Condition: Control.CONDITION, Email: Control.EMAIL, ImageSource: Control.PICTURE}
    whole = Annotated[hint, *marks] if marks else hint
    for known, control in named.items():
        if whole == known:
            return control
    of_kind = {Kind.MARKDOWN: Control.MARKDOWN, Kind.URL: Control.URL, Kind.HTML: Control.CODE, Kind.TEXT: Control.LINE}
    for kind, control in of_kind.items():
        if kind in marks:
            return control
    plain = {str: Control.LINE, int: Control.NUMBER, datetime.date: Control.DATE}
    return plain.get(hint) if isinstance(hint, type) else None


def _opened(hint: Any) -> tuple[Any, tuple[Any, ...], dict[str, int]]:
    """A hint without `None` and `Annotated` around it: the type, the marks on it, and its bounds."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            marks, hint = (*marks, *hint.__metadata__), hint.__origin__
        elif get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
            rest = tuple(each for each in get_args(hint) if each is not type(None))
            if len(rest) > 1:
                break
            hint = rest[0]
        else:
            break
    return hint, marks, _bounds(hint, marks)


def _bounds(hint: Any, marks: Iterable[Any]) -> dict[str, int]:
    """The bounds of a number, or of how many entries there are; those of a text's length are no matter of a form."""
    names = {"ge": "least", "le": "most"} if hint is int else {"min_length": "least", "max_length": "most"}
    if hint is not int and get_origin(hint) is not tuple:
        return {}
    constraints = [each for mark in marks for each in getattr(mark, "metadata", (mark,))]
    return {
        names[name]: value
        for constraint in constraints
        for name in names
        if isinstance(value := getattr(constraint, name, None), int)
    }


def _takes_nothing(hint: Any) -> bool:
    """Whether an empty text is a value."""
    with suppress(ValidationError):
        return bool(TypeAdapter(hint).validate_python("") == "")
    return False


def _bare_key(marks: Iterable[Any]) -> str:
    """The key that a text stands for where a mapping is expected."""
    for mark in marks:
        if isinstance(mark, BeforeValidator):
            made: Any = mark.func("text")  # type: ignore[call-arg]  # a validator of one value
            if isinstance(made, dict):
                return str(next(iter(made)))
    return ""


def said_of(label: str, text: str) -> tuple[str, str]:
    """What a docstring says beyond the label, without Markdown's marks, and what it says holds when left out."""
    said = " ".join(text.replace("`", "").split()).removesuffix(".")
    otherwise = ""
    if found := re.search(r"; ([^;]+) when left out(?:\. )?", said):
        otherwise = found[1][0].upper() + found[1][1:]
        said = ". ".join(filter(None, (said[: found.start()], said[found.end() :])))
    words = {word.strip(".,:;").lower() for word in said.split()}
    return "" if words <= _FILLERS | {word.lower() for word in label.split()} else said, otherwise


def word_for(choice: str) -> str:
    """What a choice is called."""
    return _WORDS.get(choice, choice.capitalize())


def head_fields(themes: Iterable[str]) -> tuple[FormField, ...]:
    """The fields of the issue itself, its themes to choose from."""
    return tuple(
        replace(field, control=Control.CHOICE, personal=False, choices=tuple((theme, theme) for theme in themes))
        if field.key == "theme"
        else field
        for field in fields_of(Issue)
    )


def catalogue(themes: Iterable[str]) -> dict[str, Any]:
    """All that the browser has to know of the fields: by the name of their model, blocks by their `type`, and the issue
    itself as `issue`; how each kind is called; and what a new one begins as."""
    models: dict[str, tuple[FormField, ...]] = {"issue": head_fields(themes)}
    blocks = {kind.model: kind.name for kind in kinds().values()}
    models |= {blocks.get(model, model.__name__): fields_of(model) for model in _all_models() if model is not Issue}
    looks = {kind.name: [kind.look.label, kind.look.icon, kind.about] for kind in kinds().values()}
    examples = {**ITEMS, **{name: example(name) for name in kinds()}}
    plain = {name: [_plain(field) for field in fields] for name, fields in models.items()}
    return {"models": plain, "looks": looks, "examples": examples}


@cache
def model_named(name: str) -> tuple[FormField, ...]:
    """The fields of a model by the name that the catalogue has for it."""
    if name == "issue":
        return fields_of(Issue)
    if name in kinds():
        return fields_of(kinds()[name].model)
    return next((fields_of(model) for model in _all_models() if model.__name__ == name), ())


@cache
def _all_models() -> tuple[type[Model], ...]:
    found: dict[type[Model], None] = {}
    waiting: list[type[Model]] = [Issue, *(kind.model for kind in kinds().values())]
    while waiting:
        model = waiting.pop()
        found[model] = None
        waiting += [each for each in _models_in(model) if each not in found]
    return tuple(found)


def _models_in(model: type[Model]) -> list[type[Model]]:
    """The models that a model's own fields hold, blocks left out."""
    found: list[type[Model]] = []
    for name, hint in get_type_hints(model, include_extras=True).items():
        if name in model.model_fields:
            kind, _, _ = _opened(hint)
            kind = _opened(get_args(kind)[0])[0] if get_origin(kind) is tuple else kind
            if isinstance(kind, type) and issubclass(kind, Model):
                found.append(kind)
    return found


def _plain(field: FormField) -> dict[str, Any]:
    """A field as JSON, without what is as usual."""
    made = {key: value for key, value in asdict(field).items() if value not in (None, "", (), False)}
    return made | ({"item": _plain(field.item)} if field.item else {})
