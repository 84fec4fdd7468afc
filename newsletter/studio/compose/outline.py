"""The outline of an issue: its blocks in a list, to go to, move, duplicate and remove."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from nicegui import ui
from nicegui.elements import sortable
from nicegui.events import GenericEventArguments

from newsletter.errors import Problem
from newsletter.source import Source
from newsletter.source.edits import Edit, duplicate_item, insert_item, move_item, remove_item, write_item
from newsletter.studio.compose.draft import Draft
from newsletter.studio.compose.editor import Editor
from newsletter.studio.compose.kinds import LOOKS
from newsletter.studio.compose.turns import BLOCKS, change, show_block
from newsletter.studio.rendering import BlockLines
from newsletter.studio.widgets import use

assert sortable  # importing it registers the module that the component imports

Row: TypeAlias = tuple[str, str, bool, int, int]
"""A block as the list shows it: kind, title, whether it is only for some, its errors, its warnings."""

HEAD, NOWHERE = -1, -2
"""What is marked when the cursor is above the blocks, and when it is in none."""


class Outline(ui.element, component="../static/outline.js"):
    """The list on a page. It follows the draft's renderings, and sends only what is new in them."""

    def __init__(self, draft: Draft, editor: Editor) -> None:
        super().__init__()
        use("outline.css")
        self._draft = draft
        self._editor = editor
        self._rows: list[Row] | None = None
        self._head = (0, 0)
        self._marked = NOWHERE
        self._stale = False
        self._removed: list[tuple[int, dict[str, Any], str, str]] = []
        self._props["looks"] = {kind: [look.label, look.icon] for kind, look in LOOKS.items()}
        self.on("go", self._go)
        self.on("move", self._move)
        self.on("duplicate", self._duplicate)
        self.on("remove", self._remove)
        self.on("restore", self._restore)
        draft.on_rendered.append(self._follow)
        draft.on_cursor.append(self._mark)

    def _follow(self) -> None:
        """Show what the newest rendering says of the blocks."""
        rendering = self._draft.rendering
        if rendering is None:
            return
        if (rendering.blocks is None) != self._stale:
            self._stale = rendering.blocks is None
            self.run_method("setStale", self._stale)
        if rendering.blocks is not None:
            file = self._draft.desk.workspace.shown(self._draft.path)
            self._show(*rows_of(rendering.blocks, self._draft.problems, file))
        self._mark()

    def _show(self, head: tuple[int, int], rows: list[Row]) -> None:
        if head != self._head:
            self._head = head
            self.run_method("setHead", head)
        if self._rows is None or len(rows) != len(self._rows):
            self.run_method("setRows", rows)
        elif changed := [(number, row) for number, row in enumerate(rows) if row != self._rows[number]]:
            self.run_method("patch", changed)
        self._rows = rows

    def _mark(self) -> None:
        marked = self._draft.block
        if marked is None:
            blocks = self._draft.rendering.blocks if self._draft.rendering else None
            marked = NOWHERE if blocks and self._draft.line >= blocks[0].first else HEAD
        if marked != self._marked:
            self._marked = marked
            self.run_method("mark", marked)

    def _go(self, event: GenericEventArguments) -> None:
        index, focus = int(event.args["index"]), bool(event.args["focus"])
        blocks = (self._draft.rendering.blocks if self._draft.rendering else None) or ()
        if index == HEAD:
            self._editor.go_to(head_line(self._draft.text), focus=focus)
        elif index < len(blocks):
            self._editor.go_to(blocks[index].first, focus=focus)

    async def _move(self, event: GenericEventArguments) -> None:
        old, new = int(event.args["old"]), int(event.args["new"])
        await self._change(lambda source: move_item(source, BLOCKS, old, new), new)

    async def _duplicate(self, event: GenericEventArguments) -> None:
        index = int(event.args["index"])
        await self._change(lambda source: duplicate_item(source, BLOCKS, index), index + 1)

    async def _remove(self, event: GenericEventArguments) -> None:
        index = int(event.args["index"])
        before, item, count = "", {}, 0

        def remove(source: Source) -> list[Edit]:
            nonlocal before, item, count
            before, item, count = source.text, source.data["blocks"][index], len(source.data["blocks"])
            return remove_item(source, BLOCKS, index)

        after = await self._change(remove, min(index, count - 2))
        if after is not None:
            self._removed.append((index, item, before, after))
            self.run_method("removed", len(self._removed) - 1)

    async def _restore(self, event: GenericEventArguments) -> None:
        """Put a removed block back: as it was where nothing was changed since, else where it was."""
        index, item, before, after = self._removed[int(event.args["number"])]

        def restore(source: Source) -> list[Edit]:
            if source.text == after:
                return [difference(after, before)]
            return insert_item(source, BLOCKS, min(index, len(source.data.get("blocks") or ())), write_item(item))

        await self._change(restore, index)

    async def _change(self, make: Any, index: int) -> str | None:
        """Change the text, and go to the block at `index`. The list has moved already: back with it when it failed."""
        text = await change(self._draft, self._editor, make)
        if text is None:
            self.run_method("setRows", self._rows or [])
        elif index >= 0:
            await show_block(self._editor, text, index)
        return text


def rows_of(blocks: Sequence[BlockLines], problems: Iterable[Problem], file: str) -> tuple[tuple[int, int], list[Row]]:
    """How many errors and warnings stand above the blocks, and a row for each block, with those within its lines.

    `file` is the issue's, as problems name it; what is wrong elsewhere isn't counted.
    """
    firsts = [block.first for block in blocks]
    counts = [[0, 0] for _ in range(len(blocks) + 1)]
    for problem in problems:
        if problem.location is not None and problem.location.file == file:
            counts[bisect_right(firsts, problem.location.line)][0 if problem.is_error else 1] += 1
    rows = [
        (block.kind, block.title, block.conditional, errors, warnings)
        for block, (errors, warnings) in zip(blocks, counts[1:], strict=True)
    ]
    return (counts[0][0], counts[0][1]), rows


def head_line(text: str) -> int:
    """The first line of an issue's text that isn't a comment, from 1."""
    found = re.search(r"^(?!\s*(?:#|---|$))", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def difference(old: str, new: str) -> Edit:
    """The one edit that makes `new` of `old`."""
    shortest = min(len(old), len(new))
    start = next((place for place in range(shortest) if old[place] != new[place]), shortest)
    tail = shortest - start
    end = next((place for place in range(tail) if old[-1 - place] != new[-1 - place]), tail)
    return Edit(start, len(old) - end, new[start : len(new) - end])
