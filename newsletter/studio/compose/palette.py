"""The palette: a button that opens a list of all kinds of block, and puts an example of the chosen one in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from newsletter.source import Source
from newsletter.source.edits import Edit, insert_item, write_item
from newsletter.studio.compose.draft import Draft
from newsletter.studio.compose.editor import Editor
from newsletter.studio.compose.kinds import PICTURES, example, kinds
from newsletter.studio.compose.turns import BLOCKS, change, show_block
from newsletter.studio.widgets import use


class Palette(ui.element, component="../static/palette.js"):
    """The button on a page, and what it opens; `open` opens it too."""

    def __init__(self, draft: Draft, editor: Editor) -> None:
        super().__init__()
        use("palette.css", "pictures.css")
        self._draft = draft
        self._editor = editor
        self._props["stem"] = draft.stem
        self._props["groups"] = groups()
        self.on("choose", self._choose)

    def open(self) -> None:
        """Open the list; the editor's shortcut does."""
        self.run_method("open")

    async def _choose(self, event: GenericEventArguments) -> None:
        kind, src, focus = str(event.args["kind"]), str(event.args["src"]), bool(event.args["focus"])
        block, index = self._draft.block, 0

        def insert(source: Source) -> list[Edit]:
            nonlocal index
            index = place_of(kind, source.data.get("blocks") if isinstance(source.data, dict) else None, block)
            return insert_item(source, BLOCKS, index, write_item(example(kind, src)))

        text = await change(self._draft, self._editor, insert)
        if text is not None:
            await show_block(self._editor, text, index, focus=focus)


def groups() -> list[dict[str, Any]]:
    """The palette's groups, as the browser shows them."""
    made: dict[str, list[dict[str, Any]]] = {}
    for kind in kinds().values():
        entry = {
            "kind": kind.name,
            "label": kind.look.label,
            "icon": kind.look.icon,
            "about": kind.about,
            "also": f"{kind.name} {kind.look.also}",
            "picture": kind.name in PICTURES,
        }
        made.setdefault(kind.look.group, []).append(entry)
    return [{"name": name, "kinds": entries} for name, entries in made.items()]


def place_of(kind: str, blocks: Any, current: int | None) -> int:
    """Where a new block of a kind goes: below the `current` one, else at the end, but a header above all, and nothing
    below a footer."""
    types = [block.get("type") if isinstance(block, dict) else None for block in blocks or ()]
    if kind == "header":
        return 0
    if kind == "footer" or not types:
        return len(types)
    place = len(types) if current is None else min(current + 1, len(types))
    return _above_footer(types, place)


def _above_footer(types: Sequence[str | None], place: int) -> int:
    return place - 1 if place == len(types) and types[-1] == "footer" else place
