"""Rendering in a process of its own: mjml-python holds the interpreter's lock while it works, and a template or a
document can take a process down. The page that asked never waits for a rendering that a newer one has overtaken.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.errors import NewsletterError, Problem, ProblemsFound
from newsletter.source import Source
from newsletter.source.edits import spans
from newsletter.studio.kept import KeptWorkspace
from newsletter.subscriber import Subscriber, sample_subscriber

if TYPE_CHECKING:
    from newsletter.workspace import Edition, Workspace

IMAGES = "/images/"
"""Where the Studio serves the images of renderings."""
PATIENCE = 20.0
"""Seconds after which a rendering is given up, and its process ended."""


@dataclass(frozen=True)
class Request:
    """What to render: the issue at `path` of the workspace at `root`, with `text` in place of the file's content where
    that is given, as `person` would get it (a sample subscriber when None), in `variant` (the person's when None).

    `check` asks for the Problems of the rendering too; `known_images` are those that needn't be returned again.
    """

    root: Path
    path: Path
    text: str | None = field(default=None, repr=False)
    person: Subscriber | None = None
    variant: str | None = None
    check: bool = False
    known_images: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BlockLines:
    """A block of the issue as its text has it: where it begins and ends (lines count from 1), and a word about it."""

    kind: str
    title: str
    first: int
    last: int
    conditional: bool = False


@dataclass(frozen=True)
class Rendering:
    """What came of a Request. Without `html` it couldn't be rendered: `failure` and `problems` say why."""

    html: str | None = field(default=None, repr=False)
    """The HTML part with the personal parts filled in, its images at addresses of the Studio."""
    source: str = field(default="", repr=False)
    """The HTML part as the provider gets it, tokens and all."""
    text: str = field(default="", repr=False)
    subject: str = ""
    preheader: str = ""
    sender: tuple[str, str] = ("", "")
    """Name and address."""
    variant: str = ""
    conditions: tuple[str, ...] = ()
    slots: tuple[tuple[str, str], ...] = ()
    """Each personal expression of the issue, and what this person gets in its place."""
    blocks: tuple[BlockLines, ...] | None = ()
    """The issue's blocks as the text has them; None when the text can't be read."""
    problems: tuple[Problem, ...] = ()
    """Those of the issue; when it was checked, those of its rendering too."""
    of_rendering: tuple[Problem, ...] | None = None
    """Of `problems`, those that only the rendering shows; None when it wasn't checked."""
    failure: str | None = None
    images: Mapping[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    """Media type and bytes by the name under `IMAGES`; those that were known are left out."""
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of the HTML part, which is what Gmail's limit is about."""
        return len(self.source.encode())


class Renderer:
    """A rendering process, kept warm; started again when a rendering took it down. To be closed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._newest: dict[object, int] = {}
        self._turns: dict[object, asyncio.Lock] = {}

    async def render(self, request: Request, asker: object = None) -> Rendering | None:
        """Render. None when the same `asker` has asked again before this one's turn came: the newer is the one to show.

        An asker's renderings come back in the order in which they were asked for.
        """
        if asker is None:
            return await self._run(request)
        number = self._newest[asker] = self._newest.get(asker, 0) + 1
        async with self._turns.setdefault(asker, asyncio.Lock()):
            return await self._run(request) if self._newest.get(asker) == number else None

    def forget(self, asker: object) -> None:
        """Drop what is kept about an asker whose page was closed."""
        self._newest.pop(asker, None)
        self._turns.pop(asker, None)

    async def call(self, function: Any, *arguments: Any) -> Any:
        """Run a function of a module in the process. Raises NewsletterError when it dies of it or takes too long."""
        loop = asyncio.get_running_loop()
        pool = self._pool = self._pool or ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_begin
        )
        try:
            return await asyncio.wait_for(loop.run_in_executor(pool, function, *arguments), PATIENCE)
        except BrokenProcessPool:
            self._end(pool)
            raise NewsletterError(
                "rendering ended its process", hint="something in the issue is nested too deep"
            ) from None
        except TimeoutError:
            self._end(pool)
            raise NewsletterError(f"rendering took longer than {PATIENCE:.0f} seconds and was stopped") from None

    async def _run(self, request: Request) -> Rendering:
        try:
            done: Rendering = await self.call(render_request, request)
        except NewsletterError as error:
            return Rendering(failure=error.message)
        return done

    def _end(self, pool: ProcessPoolExecutor) -> None:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        if self._pool is pool:
            self._pool = None

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._end(self._pool)


def _begin() -> None:
    # Most of what is here stays: looking through it for garbage took a tenth of a second at every sixteenth key.
    gc.set_threshold(50_000, 50, 1000)
    # A Studio that is killed can't end its process, which would wait for work for ever.
    threading.Thread(target=_end_with_the_studio, daemon=True).start()


def _end_with_the_studio() -> None:
    if (studio := multiprocessing.parent_process()) is not None:
        studio.join()
        os._exit(1)


def render_request(request: Request) -> Rendering:
    """Do what a Request asks for; runs in the rendering process. Faults come back in the Rendering."""
    from newsletter.eml import for_browser
    from newsletter.issue import fill
    from newsletter.personalise import sample_values

    begin = time.perf_counter()
    problems: list[Problem] = []
    blocks: tuple[BlockLines, ...] | None = None
    try:
        edition = edition_of(request)
        blocks = _blocks(edition.source) if edition.source else None
        problems = edition.check() if request.check else list(edition.problems)
        of_rendering = tuple(each for each in problems if each not in edition.problems) if request.check else None
        rendered = edition.render(variant_for(edition, request))
        person = request.person or sample_subscriber()
        values = sample_values(rendered, person)
        sender = edition.sender
        html = for_browser(fill(rendered.html, values), rendered.images, IMAGES)
        if base_url := edition.workspace.settings.images.base_url:
            for image in rendered.hosted_images:
                html = html.replace(f"{base_url.rstrip('/')}/{image.filename}", IMAGES + image.filename)
        return Rendering(
            html=html,
            source=rendered.html,
            text=fill(rendered.text, values),
            subject=fill(rendered.subject, values),
            preheader=fill(rendered.preheader, values),
            sender=(sender.name or "", sender.email),
            variant=rendered.variant,
            conditions=rendered.conditions,
            slots=tuple({slot.expression: values[slot.token] for slot in rendered.slots}.items()),
            blocks=blocks,
            problems=tuple(problems),
            of_rendering=of_rendering,
            images={
                image.filename: (image.media_type, image.data)
                for image in (*rendered.images, *rendered.hosted_images)
                if image.filename not in request.known_images
            },
            seconds=time.perf_counter() - begin,
        )
    except ProblemsFound as error:
        return Rendering(blocks=blocks, problems=tuple(problems or error.problems), failure=error.message)
    except NewsletterError as error:
        problem = getattr(error, "problem", None)
        found = [problem] if problem is not None and problem not in problems else []
        words = error.message + (f"; {error.hint}" if error.hint else "")
        return Rendering(blocks=blocks, problems=(*problems, *found), failure=words)


def edition_of(request: Request) -> Edition:
    """The issue that a Request is about, in the rendering process. Raises WorkspaceError and ProblemsFound for the
    workspace's own faults; the issue's are in the Edition."""
    from newsletter.workspace import Edition

    workspace = workspace_at(request.root)
    if request.text is None:
        return Edition.read(workspace, request.path)
    return Edition.of_text(workspace, request.path, request.text)


def variant_for(edition: Edition, request: Request) -> str:
    """The variant that a Request asks for; that of its person when it names none, or one of other conditions.

    Raises ProblemsFound.
    """
    from newsletter.personalise import variant_of

    conditions = edition.conditions
    if request.variant is not None and len(request.variant) == len(conditions):
        return request.variant
    return variant_of(conditions, request.person or sample_subscriber())


_TELLING = ("headline", "title", "label", "text", "body", "caption", "alt", "src")


def _blocks(source: Source) -> tuple[BlockLines, ...]:
    data = source.data if isinstance(source.data, dict) else {}
    listed = data.get("blocks")
    if not isinstance(listed, list):
        return ()
    found = []
    for (start, end), block in zip(spans(source, ("blocks",)), listed, strict=True):
        fields = block if isinstance(block, dict) else {}
        words = next((fields[name] for name in _TELLING if isinstance(fields.get(name), str)), "")
        first = source.text.count("\n", 0, start) + 1
        last = first + source.text.count("\n", start, end) - 1
        title = " ".join(words.split())[:80]
        found.append(
            BlockLines(str(fields.get("type") or "?"), title, first, max(first, last), bool(fields.get("when")))
        )
    return tuple(found)


@functools.cache
def _kept(root: Path) -> KeptWorkspace:
    return KeptWorkspace(root)


def workspace_at(root: Path) -> Workspace:
    """The workspace at `root`, kept open. Raises WorkspaceError and ProblemsFound when it never could be opened."""
    return _kept(root).workspace
