"""Changes that the Studio makes to a draft's text, one after the other.

Each is made for the text that the one before it left: the browser has to have told that text before the next begins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

from newsletter.source import Source, parse_source
from newsletter.source.edits import Edit, apply, spans
from newsletter.studio.compose.draft import Draft
from newsletter.studio.compose.editor import Editor
from newsletter.studio.widgets import say

BLOCKS = ("blocks",)
_PATIENCE = 8.0

_turns: WeakKeyDictionary[Draft, asyncio.Lock] = WeakKeyDictionary()


async def change(draft: Draft, editor: Editor, make: Callable[[Source], list[Edit]]) -> str | None:
    """Have the editor make the edits that `make` gives for the text, when its turn comes. Gives the text after them;
    None when they couldn't be made, which the reader is told."""
    async with _turns.setdefault(draft, asyncio.Lock()):
        made = ""

        def making(source: Source) -> list[Edit]:
            nonlocal made
            edits = make(source)
            made = apply(source.text, edits)
            return edits

        before = draft.text
        with suppress(TimeoutError):  # a busy browser may still do it
            if not await editor.change(making):
                return None
        end = time.monotonic() + _PATIENCE
        while made != before and draft.text == before:
            if time.monotonic() > end:
                say("The browser didn't make the change: try again", "bad")
                return None
            await asyncio.sleep(0.005)
        return made


async def show_block(editor: Editor, text: str, index: int, *, focus: bool = False) -> None:
    """Put the cursor on the first line of the block at `index` of `text`."""
    line = await asyncio.to_thread(first_line, text, index)
    if line is not None:
        editor.go_to(line, focus=focus)


def first_line(text: str, index: int) -> int | None:
    """The line, from 1, on which the block at `index` of an issue's text begins."""
    source, _ = parse_source(text, "issue")
    found = spans(source, BLOCKS) if source else []
    return text.count("\n", 0, found[index][0]) + 1 if index < len(found) else None
