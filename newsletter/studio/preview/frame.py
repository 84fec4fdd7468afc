"""The frame that shows an email."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newsletter.studio.preview.block_places import Found
from newsletter.studio.preview.patched import Patched


class PreviewFrame(Patched, component="../static/preview.js"):
    """An email in a frame without scripts. `on_block` is told the number of the block that was clicked, `on_width` the
    width it was dragged to, `on_remote` how many of its pictures would come from the web: they aren't fetched.

    A `sizable` frame is as wide as the reader wants it and says where links lead; another is scaled to fit.
    """

    def __init__(
        self,
        label: str = "Preview",
        *,
        sizable: bool = False,
        on_block: Callable[[int], object] | None = None,
        on_width: Callable[[int], None] | None = None,
        on_remote: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__()
        self._props["label"] = label
        self._props["sizable"] = sizable
        self.view: dict[str, Any] = {"width": "desktop", "scheme": "light", "images": True}
        """How it is shown."""
        self._props["view"] = self.view
        self._block: int | None = None
        for name, told in (("block", on_block), ("width", on_width), ("remote", on_remote)):
            if told is not None:
                self.on(name, lambda event, told=told: told(int(event.args)))

    def begun(self) -> None:
        """Outline the block again."""
        self.mark_block(self._block)

    def show_places(self, found: Found) -> None:
        """Tell where the blocks of what is shown begin, and where Gmail cuts it off, if it does."""
        self.run_method("places", self.revision, found.blocks, found.cut)

    def mark_block(self, block: int | None) -> None:
        """Outline a block, and bring it into view."""
        self._block = block
        if self.is_ready:
            self.run_method("mark", block)

    def set_view(self, **changes: Any) -> None:
        """Change how it is shown: `width` ("desktop", "phone" or pixels), `scheme` ("light", "dark" or "inverted"),
        `images`."""
        self.view = {**self.view, **changes}
        self._props["view"] = self.view
        self.update()
