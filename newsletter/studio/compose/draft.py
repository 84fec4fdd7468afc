"""The text of one issue as a page edits it: rendered as it changes, saved only over what it was read from."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nicegui import background_tasks

from newsletter.errors import NewsletterError, Problem, WorkspaceError, in_reading_order
from newsletter.source import Source, decode_source, parse_source
from newsletter.source.edits import Edit
from newsletter.studio.desk import Desk
from newsletter.studio.rendering import Rendering, Request
from newsletter.subscriber import Subscriber

SETTLED = 0.35
"""Seconds without a key after which the rendering is checked too."""

Heard = list[Callable[[], None]]


class ChangedOutside(NewsletterError):
    """The file isn't what the draft was read from: saving would lose what somebody else wrote. `theirs` is that."""

    def __init__(self, shown: str, theirs: str) -> None:
        super().__init__(f"{shown} was changed by something else since it was read")
        self.theirs = theirs


class Draft:
    """One issue on one page. Line breaks of `text` are `\\n`; saving writes those that the file had.

    What is shown follows by the lists of callbacks: `on_rendered` (a newer rendering is there), `on_cursor` (another
    block is under the cursor), `on_saved` (saved, or unsaved again), `on_outside` (the file changed under an unsaved
    text), `on_replaced` (`text` was replaced by the file's, and is to be put into the editor).
    """

    def __init__(self, desk: Desk, path: Path) -> None:
        """Read the file at `path`. Raises WorkspaceError when it can't be read as text."""
        self.desk = desk
        self.path = path
        self.saved, self._newline = read_text(path, desk.workspace.shown(path))
        self.text = self.saved
        self.rendering: Rendering | None = None
        """The newest rendering; it may have failed."""
        self.good: Rendering | None = None
        """The newest rendering that has HTML."""
        self.person: Subscriber | None = None
        """As whom it is shown; a sample subscriber when None."""
        self.variant: str | None = None
        """The variant that is shown; the person's when None."""
        self.block: int | None = None
        """The number of the block under the cursor."""
        self.line = 1
        self.on_rendered: Heard = []
        self.on_cursor: Heard = []
        self.on_saved: Heard = []
        self.on_outside: Heard = []
        self.on_replaced: Heard = []
        self.outside: str | None = None
        """What the file holds by now, where that isn't what the draft was read from."""
        self._of_rendering: tuple[Problem, ...] = ()
        self._settling: asyncio.TimerHandle | None = None
        self._was_dirty = False

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to save."""
        return self.text != self.saved

    @property
    def base(self) -> str:
        """A name for the text that the draft was read from, to know it again after a crash."""
        return hashlib.sha256(self.saved.encode()).hexdigest()[:16]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those of the text, and those that the last check found in its rendering: they stay until the next check."""
        if self.rendering is None:
            return ()
        return tuple(in_reading_order([*self.rendering.problems, *self._of_rendering]))

    async def typed(self, text: str) -> None:
        """Take over what the editor holds now, and render it."""
        self.text = text
        if self.is_dirty != self._was_dirty:
            self._was_dirty = self.is_dirty
            _tell(self.on_saved)
        await self.render()

    async def render(self) -> None:
        """Render the text; what is overtaken by a newer text is dropped. The rendering is checked once typing rests."""
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(SETTLED, self._settle)
        await self._show(self._request())

    def _request(self) -> Request:
        return Request(
            self.desk.root, self.path, self.text, self.person, self.variant, known_images=frozenset(self.desk.images)
        )

    def _settle(self) -> None:
        self._settling = None
        request = replace(self._request(), check=True)
        background_tasks.create(self._show(request))

    async def _show(self, request: Request) -> None:
        done = await self.desk.render(request, self)
        if done is None:
            return
        self.rendering = done
        if done.of_rendering is not None or done.html is None:
            self._of_rendering = done.of_rendering or ()
        if done.html is not None:
            self.good = done
        self.cursor_at(self.line)
        _tell(self.on_rendered)

    def cursor_at(self, line: int) -> None:
        """The editor's cursor is on this line, counted from 1."""
        self.line = line
        blocks = self.rendering.blocks if self.rendering else None
        if blocks is None:
            return
        block = next((number for number, each in enumerate(blocks) if each.first <= line <= each.last), None)
        if block != self.block:
            self.block = block
            _tell(self.on_cursor)

    def source(self) -> Source:
        """The text, parsed. Raises WorkspaceError when that isn't possible."""
        source, problems = parse_source(self.text, self.desk.workspace.shown(self.path))
        if source is None:
            raise WorkspaceError(f"the text can't be read: {problems[0].message}", hint="mend it first")
        return source

    def file_changed(self, files: set[Path]) -> None:
        """Files of the workspace changed: follow its own, render anew for a theme, an image, the settings."""
        if self.path in files:
            try:
                theirs, newline = read_text(self.path, self.desk.workspace.shown(self.path))
            except WorkspaceError:
                return
            if theirs == self.saved:
                return
            if self.is_dirty and theirs != self.text:
                self.outside = theirs
                _tell(self.on_outside)
                return
            self.take(theirs, newline)
        elif self.desk.concerns(self.path, files):
            background_tasks.create(self.render())

    def take(self, theirs: str, newline: str | None = None) -> None:
        """Have the file's text in place of the draft's."""
        self._newline = newline or self._newline
        self.saved = theirs
        self.outside = None
        changed = theirs != self.text
        self.text = theirs
        self._was_dirty = False
        _tell(self.on_saved)
        if changed:
            _tell(self.on_replaced)
            background_tasks.create(self.render())

    def save(self, *, over: bool = False) -> None:
        """Write the text to its file. Raises ChangedOutside when the file isn't what the draft was read from, unless
        `over`; OSError when it can't be written."""
        if not over:
            theirs, _ = read_text(self.path, self.desk.workspace.shown(self.path))
            if theirs not in (self.saved, self.text):
                self.outside = theirs
                raise ChangedOutside(self.desk.workspace.shown(self.path), theirs)
        write_text(self.path, self.text.replace("\n", self._newline))
        self.saved = self.text
        self.outside = None
        self._was_dirty = False
        _tell(self.on_saved)

    def close(self) -> None:
        """The page was closed."""
        if self._settling is not None:
            self._settling.cancel()
        self.desk.renderer.forget(self)


def read_text(path: Path, shown: str) -> tuple[str, str]:
    """The text of a file with `\\n` for its line breaks, and what they are in the file. Raises WorkspaceError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"{shown} can't be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        _, problems = decode_source(raw, shown)
        raise WorkspaceError(f"{problems[0].location}: {problems[0].message}", hint=problems[0].hint) from None
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    return text.replace("\r\n", "\n").replace("\r", "\n"), newline


def write_text(path: Path, text: str) -> None:
    """Put `text` in place of a file's content at once: whoever reads it meanwhile sees the old or the new."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def units(text: str) -> int:
    """The length of `text` as the browser counts, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def utf16(text: str, edits: list[Edit]) -> list[dict[str, object]]:
    """Edits as the browser counts, in UTF-16 units, each with what it replaces: the browser refuses a stale one."""

    return [
        {
            "from": units(text[: edit.start]),
            "to": units(text[: edit.end]),
            "was": text[edit.start : edit.end],
            "insert": edit.text,
        }
        for edit in edits
    ]


def difference(mine: str, theirs: str) -> list[tuple[str, str]]:
    """The difference from `theirs` (on disk) to `mine`, as lines: a sign (` `, `-`, `+`, `@`) and the words."""
    lines = difflib.unified_diff(theirs.split("\n"), mine.split("\n"), lineterm="", n=2)
    return [(line[0], line[1:]) for line in list(lines)[2:]]


def _tell(heard: Heard) -> None:
    for callback in list(heard):
        callback()
