"""The desk: what all pages of a running Studio share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.errors import WorkspaceError
from newsletter.outbox import is_local
from newsletter.store import Store
from newsletter.studio.kept import KeptWorkspace
from newsletter.studio.rendering import Renderer, Rendering, Request
from newsletter.studio.sending.running import Sends
from newsletter.theme import builtin_templates
from newsletter.workspace import ISSUES, STATE, Workspace

if TYPE_CHECKING:
    from newsletter.sandbox import Sandbox

Listener = Callable[[set[Path]], None]
"""Told the files that changed, on the event loop."""


MOST_IMAGES = 500
"""Images of renderings that are kept; the oldest go first."""


class Desk:
    """A workspace as the Studio has it open: its files watched, its store, its rendering process, its images.

    The event loop is shared by all pages: what touches the store goes through `asyncio.to_thread`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.renderer = Renderer()
        self.images: dict[str, tuple[str, bytes]] = {}
        """The images of renderings, by name: media type and bytes."""
        self.sends = Sends()
        """What is being sent; it goes on when the page that began it is closed."""
        self._kept = KeptWorkspace(root)
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._listeners: set[Listener] = set()
        self._stop = asyncio.Event()

    @property
    def workspace(self) -> Workspace:
        """The workspace with its newest good settings."""
        return self._kept.workspace

    @property
    def fault(self) -> str | None:
        """What is wrong with newsletter.yaml; the last good settings are used meanwhile."""
        return self._kept.fault

    @property
    def store(self) -> Store:
        """The database; opened when it is first asked for. Raises StoreError."""
        with self._opening:
            if self._store is None:
                self._store = self.workspace.open_store()
            return self._store

    def issue_path(self, stem: str) -> Path | None:
        """The file of the issue called `stem`, when there is one."""
        path = self.root / ISSUES / f"{stem}.yaml"
        return path if path.parent == self.root / ISSUES and path.is_file() else None

    async def render(self, request: Request, asker: object = None) -> Rendering | None:
        """As `Renderer.render`; the images are kept to be served."""
        done = await self.renderer.render(request, asker)
        if done is not None:
            self.images.update(done.images)
            while len(self.images) > MOST_IMAGES:
                self.images.pop(next(iter(self.images)))
        return done

    def start_sandbox(self) -> None:
        """Run a sandbox where SENDGRID_HOST says, until the desk is closed; its mails are kept with the workspace.

        Raises WorkspaceError when SENDGRID_HOST isn't on this machine, or its port can't be had.
        """
        from newsletter.sandbox import Sandbox

        host = urlsplit(self.workspace.environment.sendgrid_host)
        if not is_local(self.workspace) or host.scheme != "http":
            hint = "set SENDGRID_HOST=http://127.0.0.1:8025 in .env"
            raise WorkspaceError("a sandbox runs on this machine only, without TLS", hint=hint)
        with self._opening:
            if self._sandbox is not None:
                self._sandbox.__exit__(None, None, None)
                self._sandbox = None
            try:
                sandbox = Sandbox(host.port or 80, self.root / STATE / "sandbox")
            except OSError as error:
                hint = "set another port in SENDGRID_HOST in .env"
                raise WorkspaceError(f"the sandbox can't be started: {error}", hint=hint) from error
            self._sandbox = sandbox.__enter__()

    def concerns(self, issue: Path, files: Collection[Path]) -> bool:
        """Whether changed `files` may be what `issue` is made of: its own, the settings, a theme, a picture; not
        another issue's."""
        return any(file == issue or file.parent != self.root / ISSUES or file.suffix != ".yaml" for file in files)

    async def warm(self) -> None:
        """Start the rendering process with the newest issue, so that the first page needn't wait for it."""
        for path in self.workspace.issue_files()[:1]:
            await self.render(Request(self.root, path))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called when files of the workspace or the built-in themes change. Gives what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def watch(self) -> None:
        """Tell the listeners of changed files until the desk is closed."""
        from watchfiles import awatch

        kept_out = (f"/{STATE}/", "/.git/", "/__pycache__/")
        async for changes in awatch(self.root, builtin_templates(), step=30, debounce=60, stop_event=self._stop):
            changed = {Path(file) for _, file in changes if not any(part in file for part in kept_out)}
            for listener in list(self._listeners) if changed else ():
                listener(changed)

    def close(self) -> None:
        """Let the calls of sendings end, and begin no more; end the rendering process and the sandbox, and close the
        store."""
        self._stop.set()
        self.sends.close()
        self.renderer.close()
        if self._sandbox is not None:
            self._sandbox.__exit__(None, None, None)
        if self._store is not None:
            self._store.close()
