"""The email's plain-text part and its HTML source, to read."""

from __future__ import annotations

from newsletter.studio.preview.patched import Patched
from newsletter.studio.rendering import Rendering


class Lines(Patched, component="../static/preview_lines.js"):
    """A text to read, called `label`, with its lines numbered where that is asked for."""

    def __init__(self, label: str, *, numbered: bool = False) -> None:
        super().__init__()
        self._props["label"] = label
        self._props["numbered"] = numbered


class TextView:
    """The plain-text part, as readers of plain text get it."""

    def __init__(self) -> None:
        self._lines = Lines("Plain text").classes("preview-text")

    def show(self, done: Rendering) -> None:
        """Show a rendering that succeeded."""
        self._lines.show(done.text)


class SourceView:
    """The HTML part as the provider gets it, tokens and all."""

    def __init__(self) -> None:
        self._lines = Lines("HTML as it is sent", numbered=True)

    def show(self, done: Rendering) -> None:
        """Show a rendering that succeeded."""
        self._lines.show(done.source)
