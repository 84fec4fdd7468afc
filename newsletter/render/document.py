"""The MJML document of an issue: each block's fragment in the theme's layout, checked, faults located."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.errors import Problem, RenderError
from newsletter.issue import Issue
from newsletter.render import mjml
from newsletter.render.inline import forbidden_in_css
from newsletter.render.masked import raw
from newsletter.render.templates import Templates
from newsletter.settings import Settings
from newsletter.theme import Theme

NumberedBlock = tuple[int | None, Any]
"""A block with its number in the issue; no number where it comes from the settings."""
Mark = Callable[[str, int | None], str]
"""Gives a block's fragment, and its number, back with a mark in it."""

_MARKER = "@@here@@"


@dataclass(frozen=True)
class Inputs:
    """What a rendering is made from. `file` is the issue's name for people; `folders` and `root` bound its images."""

    issue: Issue
    slug: str
    settings: Settings
    theme: Theme
    folders: tuple[Path, ...]
    root: Path
    file: str


@dataclass(frozen=True)
class _Fragment:
    """What a template gave for a block, and the line of the body where it begins."""

    template: str
    number: int | None
    text: str
    line: int


def mjml_document(
    templates: Templates,
    names: dict[str, Any],
    masked: Callable[[Any], Any],
    blocks: list[NumberedBlock],
    file: str,
    mark: Mark | None = None,
) -> str:
    """The whole document, plain and checked. `masked` takes the expressions out of a block.

    Raises RenderError that names the template, the line in it, and the block that was being rendered.
    """

    def render_block(block: Any, **more: Any) -> Any:
        return raw(
            templates.render(f"{block.type}.mjml", {**names, "render_block": render_block, "block": block, **more})
        )

    rendered = [
        (number, block.type, str(render_block(masked(block), narrow=False, level=level)))
        for (number, block), level in zip(blocks, heading_levels(blocks), strict=True)
    ]
    body, fragments = _assembled(rendered, templates, names, mark)
    before, after = _frame(
        templates, "layout.mjml", {**names, "body": _MARKER, "css": style_sheet(templates, "head.css", names)}
    )
    document = before + body + after
    try:
        mjml.check(document)
    except mjml.MjmlError as error:
        raise _located(error, fragments, before.count("\n"), templates, file) from None
    return document


def heading_levels(blocks: list[NumberedBlock]) -> list[int]:
    """The level of each block's heading: 1 for the publication's name, 2 for a section, 3 for what stands under one."""
    levels, under_section = [], False
    for _, block in blocks:
        levels.append(
            1 if block.type == "header" else 3 if under_section and block.type not in ("section", "hero") else 2
        )
        under_section = under_section or block.type == "section"
    return levels


def style_sheet(templates: Templates, name: str, names: dict[str, Any]) -> Any:
    """A theme's style sheet. Raises RenderError when it would fetch anything."""
    css = templates.render(name, names)
    if found := forbidden_in_css(css):
        place = templates.find_line(name, found.splitlines()[0])
        problem = Problem(
            "css-fetches", f"`{found}` in a style sheet fetches something", place, "leave it out: mail clients block it"
        )
        raise RenderError(problem.message, problem=problem)
    return raw(css)


def _frame(templates: Templates, name: str, names: dict[str, Any]) -> tuple[str, str]:
    """What a template puts before and after the marker that it was given."""
    before, _, after = mjml.plain(templates.render(name, names)).partition(_MARKER)
    return before, after


def _assembled(
    rendered: list[tuple[int | None, str, str]], templates: Templates, names: dict[str, Any], mark: Mark | None
) -> tuple[str, list[_Fragment]]:
    """The body: rows (`<tr>`) of neighbouring blocks share one table, everything else is a section of its own.

    Structure decides the size of an email: a row takes a quarter of the bytes of a section.
    """
    open_table, close_table = _frame(templates, "rows.mjml", {**names, "rows": _MARKER})
    pieces: list[str] = []
    fragments: list[_Fragment] = []
    line, in_table = 1, False

    def add(piece: str) -> None:
        nonlocal line
        pieces.append(piece)
        line += piece.count("\n") + 1

    for number, kind, fragment in rendered:
        text = mjml.plain(fragment.strip())
        is_row = text.startswith("<tr")
        if mark is not None:
            text = mark(text, number)
        if is_row != in_table:
            add(open_table if is_row else close_table)
            in_table = is_row
        fragments.append(_Fragment(f"{kind}.mjml", number, text, line))
        add(text)
    if in_table:
        add(close_table)
    return "\n".join(pieces), fragments


def _located(
    error: mjml.MjmlError, fragments: list[_Fragment], offset: int, templates: Templates, file: str
) -> RenderError:
    line = error.line - offset
    within = [item for item in fragments if item.line <= line <= item.line + item.text.count("\n")]
    template = within[-1].template if within else "layout.mjml"
    message = str(error)
    if within and within[-1].number is not None:
        message += f" (met at blocks[{within[-1].number}] of {file})"
    place = templates.find_line(template, f"<{error.tag}")
    return RenderError(message, problem=Problem("mjml", message, place, error.hint))
