"""Rules about what the author wrote: expressions, images, links, and what readers will miss."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from newsletter.errors import Problem, Severity
from newsletter.fields import HTML_TAGS, SLOT, VOID_TAGS, Image, Kind, check_url, kinds_of
from newsletter.issue import Issue
from newsletter.personalise import ExpressionError, parse_expression
from newsletter.settings import Settings
from newsletter.source import Source, problem_at

Route = tuple[str | int, ...]

WARNING = Severity.WARNING
MAX_SUBJECT = 70
"""Characters; phones show about 40, desktops about 70."""
MAX_PREHEADER = 140
MAX_HTML_DEPTH = 60
"""Beyond some depth libxml2 drops content without a word, and mrml overflows its stack."""
HEAVY_IMAGE = 5_000_000
"""Bytes of an original; it is scaled, but slows everything down."""

_PLACEHOLDERS = ("todo", "tk", "tbd", "fixme", "xxx", "lorem ipsum")
_PLACEHOLDER = re.compile(rf"\b({'|'.join(_PLACEHOLDERS)})\b", re.IGNORECASE)
_STRAY_BRACES = re.compile(r"\{\{|\{%|\}\}")
_VAGUE = {"click here", "here", "link", "this", "this link", "read this", "more here"}
_MARKDOWN_LINK = re.compile(r"\]\(\s*<?([^\s)>]+)")
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


def check_issue(source: Source, issue: Issue, settings: Settings, find_image: Callable[[str], Any]) -> list[Problem]:
    """Problems of a valid issue that its types can't tell. `find_image` finds a local image or raises ValueError."""
    problems = _check_head(source, issue, settings)
    texts = list(strings(issue))
    for route, value, kind in texts:
        problems += _check_text(source, route, value, kind)
    problems += _check_placeholders(source, texts)
    for route, when in _conditions(issue):
        problems += _check_expression(source, route, when, when)
    pictures = list(images(issue))
    for route, image in pictures:
        problems += _check_image(source, route, image, find_image)
    return problems + _check_blocks(source, issue) + _check_accessibility(source, texts, pictures)


def strings(model: BaseModel, route: Route = ()) -> Iterator[tuple[Route, str, Kind]]:
    """Every text of a model that can hold something personal, with the way to it and its kind."""
    fields = type(model).model_fields
    for name, kind in kinds_of(type(model)).items():
        yield from _strings_in(getattr(model, name), (*route, fields[name].alias or name), kind)


def _strings_in(value: Any, route: Route, kind: Kind | None) -> Iterator[tuple[Route, str, Kind]]:
    if isinstance(value, str):
        if kind is not None:
            yield route, value, kind
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _strings_in(item, (*route, number), kind)
    elif isinstance(value, BaseModel):
        yield from strings(value, route)


def images(model: BaseModel, route: Route = ()) -> Iterator[tuple[Route, Image]]:
    """Every image of a model, with the way to it."""
    if isinstance(model, Image):
        yield route, model
    fields = type(model).model_fields
    for name in kinds_of(type(model)):
        value = getattr(model, name)
        for number, item in enumerate(value) if isinstance(value, tuple) else [(None, value)]:
            if isinstance(item, BaseModel):
                here = (*route, fields[name].alias or name)
                yield from images(item, here if number is None else (*here, number))


def _conditions(issue: Issue) -> Iterator[tuple[Route, str]]:
    for number, block in enumerate(issue.blocks):
        if block.when is not None:
            yield ("blocks", number, "when"), block.when
        for place, column in enumerate(block.columns) if block.type == "columns" else ():
            for inner_number, inner in enumerate(column.blocks):
                if inner.when is not None:
                    yield ("blocks", number, "columns", place, "blocks", inner_number, "when"), inner.when


def _check_head(source: Source, issue: Issue, settings: Settings) -> list[Problem]:
    problems = []
    if issue.preheader is None:
        hint = "add `preheader:`; without it, inboxes show whatever comes first"
        problems.append(
            problem_at(source, ("subject",), "no-preheader", "there is no preheader", hint=hint, severity=WARNING)
        )
    for name, text, most in (
        ("subject", issue.subject, MAX_SUBJECT),
        ("preheader", issue.preheader or "", MAX_PREHEADER),
    ):
        if len(SLOT.sub("……", text)) > most:
            message = f"the {name} has {len(text)} characters; inboxes cut it off after about {most}"
            problems.append(
                problem_at(
                    source, (name,), f"long-{name}", message, hint="say the most important first", severity=WARNING
                )
            )
    if issue.link_parameters and settings.link_parameters is None:
        hint = "name the `domains` under `link_parameters:` in newsletter.yaml"
        problems.append(
            problem_at(
                source, ("link_parameters",), "no-domains", "no domain is set whose links get parameters", hint=hint
            )
        )
    return problems


def _check_text(source: Source, route: Route, value: str, kind: Kind) -> list[Problem]:
    problems = []
    if "{" in value or "}}" in value:
        for found in SLOT.finditer(value):
            problems += _check_expression(source, route, found[1], found[0])
        if (stray := _STRAY_BRACES.search(SLOT.sub("", value))) and kind is not Kind.HTML:
            hint = "a personal part is written `{{ … }}`"
            message = f"`{stray[0]}` will stand in the email as it is"
            problems.append(
                problem_at(source, route, "stray-braces", message, hint=hint, snippet=stray[0], severity=WARNING)
            )
    if kind is Kind.MARKDOWN:
        problems += _check_markdown(source, route, value)
    return problems


def _check_placeholders(source: Source, texts: Sequence[tuple[Route, str, Kind]]) -> list[Problem]:
    words = [
        (route, SLOT.sub("", value) if "{{" in value else value) for route, value, kind in texts if kind is not Kind.URL
    ]
    everything = "\n".join(value for _, value in words).lower()
    if not any(word in everything for word in _PLACEHOLDERS):
        return []
    problems = []
    for route, value in words:
        if left := _PLACEHOLDER.search(value):
            message = f"`{left[0]}` was left in the text"
            problems.append(problem_at(source, route, "placeholder", message, snippet=left[0], severity=WARNING))
    return problems


def _check_expression(source: Source, route: Route, expression: str, snippet: str) -> list[Problem]:
    try:
        parse_expression(expression)
    except ExpressionError as error:
        written = snippet.split("\n", maxsplit=1)[0]
        offset = snippet.find(expression) + error.offset
        part = (offset, error.length) if offset < len(written) else None
        return [
            problem_at(source, route, "bad-expression", str(error), hint=error.hint, snippet=written, part=part),
        ]
    return []


def _check_markdown(source: Source, route: Route, value: str) -> list[Problem]:
    problems = []
    if picture := _MARKDOWN_IMAGE.search(value):
        hint = "use a block of type `image`, which knows its size and its alt text"
        problems.append(
            problem_at(source, route, "image-in-text", "a picture can't stand in a text", hint=hint, snippet=picture[0])
        )
        return problems
    for found in _MARKDOWN_LINK.finditer(SLOT.sub(lambda slot: "x" * len(slot[0]), value)):
        written = value[found.start(1) : found.end(1)]
        try:
            check_url(written)
        except PydanticCustomError as error:
            advice = (error.context or {}).get("hint")
            problems.append(problem_at(source, route, "bad-url", error.message(), hint=advice, snippet=written))
    return problems


def _check_image(source: Source, route: Route, image: Image, find_image: Callable[[str], Any]) -> list[Problem]:
    if image.src.startswith("https:"):
        return []
    try:
        file = find_image(image.src)
    except ValueError as error:
        return [
            problem_at(
                source, (*route, "src"), "missing-image", str(error), hint="the path starts at the issue's folder"
            )
        ]
    if file.weight > HEAVY_IMAGE:
        message = f"the image has {file.weight / 1e6:.1f} MB"
        return [
            problem_at(
                source, (*route, "src"), "heavy-image", message, hint="a photo of 2,000 px is plenty", severity=WARNING
            )
        ]
    return []


def _check_blocks(source: Source, issue: Issue) -> list[Problem]:
    problems = []
    for kind in ("header", "footer"):
        numbers = [number for number, block in enumerate(issue.blocks) if block.type == kind and block.when is None]
        for number in numbers[1:]:
            message = f"there is a {kind} already"
            problems.append(problem_at(source, ("blocks", number), "second-block", message, hint="keep one of them"))
    for number, block in enumerate(issue.blocks):
        here: Route = ("blocks", number)
        if block.type in ("story", "hero", "callout") and block.label and not block.url:
            message = f"`label` needs a `url`: where does `{block.label}` lead?"
            problems.append(problem_at(source, (*here, "label"), "label-without-url", message, hint="add `url:`"))
        if block.type == "html":
            problems += _check_raw_html(source, (*here, "html"), block.html)
    return problems


def _check_accessibility(
    source: Source, texts: Sequence[tuple[Route, str, Kind]], pictures: Sequence[tuple[Route, Image]]
) -> list[Problem]:
    problems = []
    for route, value, _ in texts:
        if route[-1] == "label" and value.strip(" .!»>→").lower() in _VAGUE:
            message = f"`{value}` doesn't say where the link goes"
            hint = "screen readers list links without what is around them: `Read the report`"
            problems.append(problem_at(source, route, "vague-link", message, hint=hint, severity=WARNING))
    for place, image in pictures:
        if image.alt == "" and getattr(image, "url", None):
            message = "a picture that is a link needs an alt text"
            hint = "say where the link leads"
            problems.append(problem_at(source, (*place, "alt"), "no-alt", message, hint=hint, severity=WARNING))
    return problems


def _check_raw_html(source: Source, route: Route, html: str) -> list[Problem]:
    reader = _Elements()
    reader.feed(html)
    problems = [
        problem_at(
            source,
            route,
            "removed-html",
            f"`<{tag}>` is taken out: an email can't hold it",
            snippet=f"<{tag}",
            severity=WARNING,
        )
        for tag in dict.fromkeys(reader.seen)
        if tag not in HTML_TAGS
    ]
    if reader.deepest > MAX_HTML_DEPTH:
        message = f"elements are nested {reader.deepest} deep; {MAX_HTML_DEPTH} is the limit"
        problems.append(problem_at(source, route, "deep-html", message))
    return problems


class _Elements(HTMLParser):
    """Which elements a piece of HTML has, and how deeply they are nested."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.deepest = 0
        self._open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser's signature
        self.seen.append(tag)
        if tag not in VOID_TAGS:
            self._open += 1
            self.deepest = max(self.deepest, self._open)

    def handle_endtag(self, tag: str) -> None:
        self._open -= tag not in VOID_TAGS
