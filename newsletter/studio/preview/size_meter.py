"""How much of what Gmail shows an email takes."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.check.rendering import CLIP_WARNING, TRACKED_LINK
from newsletter.studio.widgets import Tone, words


@dataclass(frozen=True)
class Size:
    """The bytes of the HTML part, and the `grown` ones once its links are rewritten to count clicks."""

    bytes: int
    grown: int

    @property
    def is_cut(self) -> bool:
        return self.grown > GMAIL_CLIPS_AT

    @property
    def tone(self) -> Tone:
        return "bad" if self.is_cut else "warn" if self.grown > CLIP_WARNING else "good"

    @property
    def share(self) -> float:
        """Of Gmail's limit, from 0 to 1."""
        return min(1.0, self.grown / GMAIL_CLIPS_AT)

    @property
    def words(self) -> str:
        return f"{_kilobytes(self.grown)} of {_kilobytes(GMAIL_CLIPS_AT)}"

    @property
    def explained(self) -> str:
        """A sentence about it."""
        tracked = f"{_kilobytes(self.bytes)} of HTML" + (
            f", about {_kilobytes(self.grown)} once its links are rewritten to count clicks"
            if self.grown != self.bytes
            else ""
        )
        end = {
            "bad": "It cuts this one: readers have to ask for the rest.",
            "warn": "That is near.",
        }.get(self.tone, "There is room.")
        return f"{tracked}. Gmail cuts an email off after {_kilobytes(GMAIL_CLIPS_AT)}. {end}"


def size_of(source: str, *, counts_clicks: bool) -> Size:
    """The size of an HTML part, as the provider gets it."""
    size = len(source.encode())
    return Size(size, size + source.count("<a ") * TRACKED_LINK if counts_clicks else size)


def _kilobytes(size: int) -> str:
    return f"{size / 1024:,.0f} KB"


class SizeMeter:
    """A thin bar with words."""

    def __init__(self) -> None:
        self._size: Size | None = None
        with ui.element("div").classes("preview-meter") as self._root:
            self._words = words("span", "", "num")
            with ui.element("span").classes("preview-meter-bar").props("aria-hidden=true"):
                self._bar = ui.element("span")
            with self._root:
                self._more = ui.tooltip("")
        self._root.set_visibility(False)

    def show(self, size: Size) -> None:
        """Show a size."""
        if size == self._size:
            return
        before, self._size = self._size, size
        if before is None:
            self._root.set_visibility(True)
        if before is None or size.words != before.words:
            self._words.text = size.words
        if before is None or size.tone != before.tone:
            self._root.classes(replace=f"preview-meter {size.tone}")
        if before is None or round(size.share, 2) != round(before.share, 2):
            self._bar.style(f"width: {size.share:.0%}")
        self._more.text = size.explained
