"""Data into a pydantic model; what doesn't fit becomes Problems that point at line and column."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.errors import Problem, Severity
from newsletter.source.text import Route, Source

M = TypeVar("M", bound=BaseModel)

# pydantic's error types: our code, and the sentence, filled from the error's context.
_SENTENCES = {
    "missing": ("missing-key", "`{name}` is missing"),
    "extra_forbidden": ("unknown-key", "`{name}` isn't a key that belongs here"),
    "string_type": ("wrong-type", "`{name}` takes text, not {given}"),
    "list_type": ("wrong-type", "`{name}` takes a list, not {given}"),
    "model_type": ("wrong-type", "`{name}` takes keys and values, not {given}"),
    "model_attributes_type": ("wrong-type", "`{name}` takes keys and values, not {given}"),
    "dict_type": ("wrong-type", "`{name}` takes keys and values, not {given}"),
    "int_parsing": ("wrong-type", "`{name}` takes a whole number"),
    "int_type": ("wrong-type", "`{name}` takes a whole number, not {given}"),
    "float_parsing": ("wrong-type", "`{name}` takes a number"),
    "bool_parsing": ("wrong-type", "`{name}` is either true or false"),
    "bool_type": ("wrong-type", "`{name}` is either true or false"),
    "literal_error": ("unknown-word", "`{given}` isn't one of the words `{name}` takes"),
    "enum": ("unknown-word", "`{given}` isn't one of the words `{name}` takes"),
    "union_tag_not_found": ("missing-key", "this block doesn't say its `type`"),
    "union_tag_invalid": ("unknown-word", "there is no block type `{tag}`"),
    "string_too_short": ("empty-value", "`{name}` is empty"),
    "too_short": ("too-few", "`{name}` needs at least {min_length}"),
    "too_long": ("too-many", "`{name}` takes at most {max_length}"),
    "greater_than_equal": ("out-of-range", "`{name}` is at least {ge}"),
    "less_than_equal": ("out-of-range", "`{name}` is at most {le}"),
    "string_pattern_mismatch": ("wrong-form", "`{name}` isn't written as it should be"),
}
_DATES = {"date_parsing", "date_from_datetime_parsing", "date_type", "date_from_datetime_inexact"}


def validate(source: Source, model: type[M]) -> tuple[M | None, list[Problem]]:
    """`source` as a `model`; None when it doesn't fit, with every Problem that keeps it from fitting."""
    if not isinstance(source.data, dict):
        return None, [problem_at(source, (), "wrong-type", "this file has to begin with `key: value` lines")]
    try:
        return model.model_validate(source.data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    misspelt = {
        (*detail["loc"][:-1], meant)
        for detail in details
        if detail["type"] == "extra_forbidden"
        and (meant := _meant(str(detail["loc"][-1]), _fields_at(model, detail["loc"][:-1])))
    }

    def is_consequence(detail: ErrorDetails) -> bool:
        """Whether another Problem says it already: a missing key as misspelt, a short list as bad entries."""
        route = detail["loc"]
        if detail["type"] == "missing":
            return route in misspelt
        within = (other["loc"] for other in details if len(other["loc"]) > len(route))
        return detail["type"] == "too_short" and any(inner[: len(route)] == route for inner in within)

    return None, [_problem(source, model, detail) for detail in details if not is_consequence(detail)]


def problem_at(
    source: Source,
    route: Route,
    code: str,
    message: str,
    *,
    hint: str | None = None,
    snippet: str | None = None,
    part: tuple[int, int] | None = None,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A Problem at the value that `route` leads to, at the words `snippet` within it, or at a `part` of those."""
    place = source.locate(route) if snippet is None else source.locate_snippet(route, snippet, part)
    return Problem(code, message, place, hint, severity)


def _problem(source: Source, model: type[BaseModel], detail: ErrorDetails) -> Problem:
    kind, route = detail["type"], detail["loc"]
    context: dict[str, Any] = dict(detail.get("ctx", {}))
    name = str(route[-1]) if kind in {"missing", "extra_forbidden"} else source.innermost_key(route) or "this"
    values = {**context, "name": name, "given": _describe(detail["input"])}
    hint = context.get("hint")
    if kind in _SENTENCES:
        code, sentence = _SENTENCES[kind]
        message = sentence.format(**values)
        hint = hint or _hint(kind, detail, model)
    elif kind in _DATES:
        code, message, hint = "bad-date", f"`{name}` isn't a date", "written as year-month-day: `2026-03-31`"
    elif kind == "value_error":
        code, message = "wrong-value", str(context.get("error", detail["msg"]))
    else:
        code, message = kind.replace("_", "-"), detail["msg"]
        hint = hint or _hint(kind, detail, model)
    if "snippet" in context:  # a validator that knows which of the words are wrong
        return Problem(code, message, source.locate_snippet(route, context["snippet"], context["part"]), hint)
    return Problem(code, message, source.locate(route, key=kind == "extra_forbidden"), hint)


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    return str(value) if len(str(value)) <= 40 else str(value)[:39] + "…"


def _hint(kind: str, detail: ErrorDetails, model: type[BaseModel]) -> str | None:
    context, route = detail.get("ctx", {}), detail["loc"]
    if kind == "extra_forbidden":
        names = _fields_at(model, route[:-1])
        return _did_you_mean(str(route[-1]), names) or (f"the keys here are {_listed(names)}" if names else None)
    if kind in {"literal_error", "union_tag_invalid", "enum"}:
        words = str(context.get("expected_tags") or context.get("expected", "")).replace(" or ", ", ")
        allowed = [word.strip().strip("'") for word in words.split(",")]
        given = str(context.get("tag", detail["input"]))
        return _did_you_mean(given, allowed) or f"one of {_listed(allowed)}"
    if kind == "union_tag_not_found":
        return "begin it with `type:`, e.g. `type: story`"
    if kind == "missing":
        return f"add `{route[-1]}:` here"
    if kind in {"string_type", "string_too_short"} and detail["input"] in (None, ""):
        return "write something, or remove the key"
    if kind == "string_type" and isinstance(detail["input"], dict):
        return "text with `: ` or `{` in it needs quotes around it"
    if kind in {"model_type", "model_attributes_type"} and (names := _fields_at(model, route)):
        return f"its keys are {_listed(names)}"
    if kind == "list_type":
        return "each entry on a line of its own, beginning with `- `"
    return None


def _meant(word: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    return close[0] if close else None


def _did_you_mean(word: str, known: Iterable[str]) -> str | None:
    meant = _meant(word, known)
    return f"did you mean `{meant}`?" if meant else None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _fields_at(model: type[BaseModel], route: Route) -> set[str]:
    """The keys that the model at `route` takes."""
    current: list[Any] = [model]
    for step in route:
        kinds = [kind for annotation in current for kind in _members(annotation)]
        if tagged := [kind for kind in kinds if _tag(kind) == step and len(kinds) > 1]:
            current = tagged
            continue
        current = []
        for kind in kinds:
            if _is_model(kind) and step in (fields := _by_key(kind)):
                current.append(fields[str(step)])
            elif isinstance(step, int) and get_origin(kind) in (list, tuple):
                current.extend(argument for argument in get_args(kind) if argument is not Ellipsis)
    return {key for annotation in current for kind in _members(annotation) if _is_model(kind) for key in _by_key(kind)}


def _by_key(model: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tag(kind: Any) -> str | None:
    if _is_model(kind) and "type" in kind.model_fields:
        return next(iter(get_args(kind.model_fields["type"].annotation)), None)
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows, unions and Annotated opened."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _members(argument)
    else:
        yield annotation
