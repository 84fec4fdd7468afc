"""A workspace that stays open while its files are edited."""

from __future__ import annotations

from pathlib import Path

from newsletter.errors import NewsletterError
from newsletter.settings import FILE_NAME
from newsletter.workspace import Workspace


class KeptWorkspace:
    """The workspace at `root`, read again when its settings change, and as it was while they have a fault.

    Raises WorkspaceError and ProblemsFound when it can't be opened at first.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = self._version()
        self._workspace = Workspace.open(root)
        self.fault: str | None = None
        """What is wrong with the settings by now; the last good ones are used meanwhile."""

    @property
    def workspace(self) -> Workspace:
        """The workspace with its newest good settings."""
        version = self._version()
        if version != self._read:
            self._read = version
            try:
                self._workspace = Workspace.open(self._root)
                self.fault = None
            except NewsletterError as error:
                self.fault = error.message
        return self._workspace

    def _version(self) -> tuple[int, ...]:
        files = (self._root / FILE_NAME, self._root / ".env")
        return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
