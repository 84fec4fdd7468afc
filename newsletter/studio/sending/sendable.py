"""An issue on its way to a plan: read, checked and rendered in the rendering process, and made an order here.

What is in doubt (a template, a document nested too deep) can take that process down, and not a sending under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.dispatch.plan import Order
from newsletter.errors import DispatchError, NewsletterError, Problem, ProblemsFound, WorkspaceError, errors_in
from newsletter.issue import RenderedIssue, slug_of
from newsletter.outbox import order_of
from newsletter.source import read_source
from newsletter.studio.rendering import workspace_at
from newsletter.studio.sending.choices import Choices
from newsletter.workspace import ISSUES, Edition, Workspace

if TYPE_CHECKING:
    from newsletter.studio.desk import Desk

_PATIENCE = 60.0
"""Seconds that a plan waits for a rendering before it gives up."""


@dataclass(frozen=True)
class Look:
    """What the rendering process found in an issue: its `text`, and all its Problems. `digest` is of the rendering
    with every block: while it stays, nothing that is sent has changed. Without one the issue can't be sent.
    """

    text: str = field(default="", repr=False)
    slug: str = ""
    title: str = ""
    problems: tuple[Problem, ...] = ()
    digest: str | None = None
    theme: str = ""
    blocks: int = 0

    @property
    def errors(self) -> list[Problem]:
        """What stops it from being sent."""
        return errors_in(self.problems)


@dataclass(frozen=True)
class Shape:
    """What only an issue's file knows of it."""

    theme: str
    blocks: int


@dataclass(frozen=True)
class Failure:
    """Why a variant could not be rendered."""

    message: str
    hint: str | None = None


def look_at(root: Path, path: Path) -> Look:
    """Read, check and render an issue; runs in the rendering process. Raises WorkspaceError when it can't be read."""
    try:
        edition = Edition.read(workspace_at(root), path)
        problems = tuple(edition.check())
    except ProblemsFound as error:
        return Look(slug=slug_of(path.stem), title=path.stem, problems=tuple(error.problems))
    except OSError as error:
        raise WorkspaceError(f"{path.name} can't be read: {error.strerror}") from None
    issue, source = edition.issue, edition.source
    if issue is None or source is None or edition.theme is None or errors_in(problems):
        title = issue.subject if issue else path.stem
        return Look(source.text if source else "", edition.slug, title, problems)
    digest = edition.render().digest
    return Look(source.text, edition.slug, issue.subject, problems, digest, edition.theme.name, len(issue.blocks))


def shape_of(root: Path, slug: str) -> Shape | None:
    """The theme and the number of blocks of an issue that is known by its slug; None when there is no file of it or
    it has faults. Runs in the rendering process."""
    path = file_of(root, slug)
    if path is None:
        return None
    try:
        edition = Edition.read(workspace_at(root), path)
    except ProblemsFound:
        return None
    return Shape(edition.theme.name, len(edition.issue.blocks)) if edition.theme and edition.issue else None


def file_of(root: Path, slug: str) -> Path | None:
    """The file of the issue that is known by `slug`; None when it is gone."""
    files = sorted(
        (root / ISSUES).glob("*.yaml"), key=lambda file: (slug_of(file.stem).endswith(slug), file), reverse=True
    )
    for file in files:
        source, _ = read_source(file, file.name)
        data = source.data if source else None
        named = data.get("slug") if isinstance(data, dict) else None
        if (named or slug_of(file.stem)) == slug:
            return file
    return None


def render_variant(root: Path, path: Path, text: str, variant: str) -> RenderedIssue | Failure:
    """Render a variant of an issue whose file holds `text`; runs in the rendering process."""
    try:
        return replace(Edition.of_text(workspace_at(root), path, text).render(variant), mjml="")
    except NewsletterError as error:
        return Failure(error.message, error.hint)


def ordered(
    workspace: Workspace, path: Path, look: Look, choices: Choices, render: Callable[[str], RenderedIssue]
) -> Order:
    """The order that was chosen, of an issue without errors, whose variants `render` gives. Raises ProblemsFound."""
    order = order_of(
        Edition.of_text(workspace, path, look.text),
        list_name=choices.list_name,
        segment=choices.segment or None,
        exclude_list=choices.exclude_lists,
        exclude_received=choices.exclude_received,
        limit=choices.limit_count(),
    )
    return replace(order, render=render, ramp=choices.ramp, rehearsal=choices.rehearsal)


def rendered_elsewhere(
    desk: Desk, loop: asyncio.AbstractEventLoop, path: Path, text: str
) -> Callable[[str], RenderedIssue]:
    """What renders a variant in the rendering process, each once: what was shown is what is sent.

    It is for threads beside `loop`, and raises DispatchError.
    """
    known: dict[str, RenderedIssue] = {}

    def render(variant: str) -> RenderedIssue:
        if variant not in known:
            call = desk.renderer.call(render_variant, desk.root, path, text, variant)
            try:
                done = asyncio.run_coroutine_threadsafe(call, loop).result(_PATIENCE)
            except (TimeoutError, CancelledError):
                raise DispatchError("the issue could not be rendered in time", hint="try again") from None
            if isinstance(done, Failure):
                raise DispatchError(done.message, hint=done.hint)
            known[variant] = done
        return known[variant]

    return render
