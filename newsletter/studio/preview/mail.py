"""The email as it will look: how wide, in which scheme, with or without pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import ui

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.check.rendering import TRACKED_LINK
from newsletter.errors import NewsletterError
from newsletter.studio.compose.draft import Draft
from newsletter.studio.preview.block_places import places_of
from newsletter.studio.preview.frame import PreviewFrame
from newsletter.studio.preview.size_meter import size_of
from newsletter.studio.rendering import Rendering, Request
from newsletter.studio.widgets import icon_button, words

REST = 0.35
"""Seconds without a change after which it is found out where the blocks came out."""

WIDTHS = (
    ("desktop", "Desktop", "As wide as the pane, 600 pixels at least"),
    ("phone", "Phone", "375 pixels wide"),
)
SCHEMES = (
    ("light", "Light", "As it is on a light screen"),
    (
        "dark",
        "Dark",
        "What Apple Mail and other clients that ask for it make of the theme's dark style sheet (prefers-color-scheme)",
    ),
    (
        "inverted",
        "Inverted",
        "Roughly what Gmail's app and Outlook for Windows do on a dark screen: they don't ask the theme, but recolour "
        "by rules of their own. This turns all colours round, and leaves the pictures",
    ),
)
"""What can be chosen: its key, its name, and what it says about mail clients."""


class MailView:
    """The frame, with its tools above it."""

    def __init__(self, draft: Draft, on_block: Callable[[int], object]) -> None:
        self._draft = draft
        self._client = ui.context.client
        self._told = False
        self._resting: asyncio.TimerHandle | None = None
        self._finding: asyncio.Task[None] | None = None
        self._placed: tuple[int, str] | None = None
        self._placed_blocks = 0
        self._block: int | None = None
        self._buttons: dict[str, dict[object, ui.element]] = {}
        with ui.element("div").classes("preview-tools"):
            self._segments("width", "Width", WIDTHS)
            ui.element("span").classes("preview-width num muted small").props("aria-hidden=true")
            self._segments("scheme", "Scheme", SCHEMES)
            with icon_button("info", "What the schemes show"), ui.menu().classes("preview-panel-menu") as explained:
                explained.props('role=dialog aria-label="What the schemes show"')
                for _, name, about in SCHEMES:
                    with ui.element("p").classes("preview-about"):
                        words("strong", name)
                        words("span", about + ".")
            self._pictures = icon_button("image", "Show pictures", self._toggle_pictures)
            self._pictures.classes("on").props("aria-pressed=true")
        self._note = ui.element("div").classes("preview-note").props("role=status")
        self.frame = PreviewFrame(
            sizable=True, on_block=on_block, on_width=self._dragged, on_remote=self._tell_of_remote
        )
        self.frame.on("ready", self._rest)
        self._press("width", "desktop")
        self._press("scheme", "light")

    def show(self, done: Rendering) -> None:
        """Show a rendering that succeeded."""
        assert done.html is not None
        self.frame.show(done.html)
        self._rest()

    def mark_block(self, block: int | None) -> None:
        """Outline a block, and bring it into view; once it is known where it came out, when blocks came or went."""
        self._block = block
        blocks = self._draft.rendering.blocks if self._draft.rendering else None
        self.frame.mark_block(block if blocks is None or len(blocks) == self._placed_blocks else None)

    def hide(self) -> None:
        """It isn't on screen any more."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    # The tools.

    def _segments(self, name: str, label: str, choices: tuple[tuple[str, str, str], ...]) -> None:
        made = self._buttons[name] = {}
        with ui.element("div").classes("segments").props(f'role=group aria-label="{label}"'):
            for key, title, about in choices:
                with words("button", title).props("type=button aria-pressed=false") as button:
                    ui.tooltip(about).classes("preview-tip")
                button.on("click", lambda key=key: self._choose(name, key))
                made[key] = button

    def _press(self, name: str, chosen: object) -> None:
        for key, button in self._buttons[name].items():
            button.props(f"aria-pressed={'true' if key == chosen else 'false'}")

    def _choose(self, name: str, key: str) -> None:
        self._press(name, key)
        self.frame.set_view(**{name: key})

    def _dragged(self, width: int) -> None:
        self._press("width", width)
        self.frame.set_view(width=width)

    def _toggle_pictures(self) -> None:
        shown = not self.frame.view["images"]
        self.frame.set_view(images=shown)
        self._pictures.classes(add="on" if shown else "", remove="" if shown else "on")
        self._pictures.props(f"aria-pressed={'true' if shown else 'false'}")

    def _tell_of_remote(self, pictures: int) -> None:
        """Say once that pictures from the web aren't fetched."""
        if self._told or not pictures:
            return
        self._told = True
        with self._note:
            words("span", "Pictures from the web aren’t loaded here.", "grow")
            icon_button("close", "Close this note", self._note.clear)

    # Where the blocks came out.

    def _rest(self) -> None:
        self.hide()
        if self._placed != (self.frame.revision, self._draft.text):
            self._resting = asyncio.get_running_loop().call_later(REST, self._find_places)

    def _find_places(self) -> None:
        self._resting = None
        self._finding = asyncio.get_running_loop().create_task(self._places())

    async def _places(self) -> None:
        draft, frame = self._draft, self.frame
        rendering = draft.rendering
        if rendering is None or rendering.html is None or not frame.is_ready:
            return
        at = self._placed = (frame.revision, draft.text)
        size = size_of(rendering.source, counts_clicks=draft.desk.workspace.settings.tracking.clicks)
        source, link = (rendering.source, TRACKED_LINK) if size.is_cut else ("", 0)
        request = Request(draft.desk.root, draft.path, draft.text, draft.person, draft.variant)
        try:
            found = await draft.desk.renderer.call(
                places_of, request, source, GMAIL_CLIPS_AT, link if size.grown != size.bytes else 0
            )
        except NewsletterError:
            return
        if at == (frame.revision, draft.text):
            self._placed_blocks = len(rendering.blocks or ())
            frame.show_places(found)
            frame.mark_block(self._block)
