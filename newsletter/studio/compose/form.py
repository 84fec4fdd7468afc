"""The form for the block under the cursor, or for the issue's head: for those who don't want to write YAML.

The browser holds what is typed, and sends it as Ops; each becomes edits to the text. What the text says is sent there
once typing rests, with the number of the last Op in it, so that the browser knows which of its own are still to come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from newsletter.errors import NewsletterError
from newsletter.source import Source, parse_source
from newsletter.source.edits import Edit
from newsletter.source.text import Route
from newsletter.studio.compose.draft import Draft
from newsletter.studio.compose.editor import Editor
from newsletter.studio.compose.form_data import Op, applied, edits_for, find_block, settled, snapshot, value_at
from newsletter.studio.compose.form_fields import catalogue
from newsletter.studio.compose.turns import BLOCKS, change
from newsletter.studio.frame import on_leave
from newsletter.studio.widgets import say, use
from newsletter.theme import theme_names

RESTED = 0.3
"""Seconds without a change of the text after which the form follows it."""

PERSONAL = (
    ("First name", '{{ subscriber.first_name or "friend" }}'),
    ("Last name", '{{ subscriber.last_name or "" }}'),
    ("Whole name", '{{ subscriber.name or "friend" }}'),
    ("Email address", "{{ subscriber.email }}"),
)
"""What can be put into a text for each reader, and how it is written."""

_KEPT = 16


@dataclass
class _Shown:
    """What a form is about: the block's index (None for the head), and its data as the browser knows it."""

    index: int | None
    data: Any

    def place(self, source: Source) -> Route:
        """The route to it by now. Raises NewsletterError when the block is gone."""
        if self.index is None:
            return ()
        found = find_block(value_at(source.data, BLOCKS), self.index, self.data)
        if found is None:
            raise NewsletterError("the block isn't there any more: what was typed for it is dropped")
        self.index = found
        return (*BLOCKS, found)


class BlockForm(ui.element, component="../static/form.js"):
    """The form on a page. Nothing is done for it while it can't be seen."""

    def __init__(self, draft: Draft, editor: Editor) -> None:
        super().__init__()
        use("form.css", "pictures.css")
        self._draft = draft
        self._editor = editor
        self._source: Source | None = None
        self._is_seen = False
        self._sent: dict[str, Any] | None = None
        self._token = 0
        self._shown: dict[int, _Shown] = {}
        self._done = 0
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        settings = draft.desk.workspace.settings
        known = catalogue(theme_names(draft.desk.root))
        known["examples"]["Sender"] = {
            "email": settings.sender.email,
            "name": settings.sender.name or settings.publication.name,
        }
        self._props["catalogue"] = known
        self._props["personal"] = PERSONAL
        self._props["stem"] = draft.stem
        self._props["keep"] = f"newsletter-form:{draft.desk.root}:{draft.stem}"
        self.on("seen", self._seen)
        self.on("done", self._take)
        self.on("resume", self._resume)
        self.on("place", lambda event: editor.go_to(int(event.args["line"]), int(event.args["column"])))
        draft.on_rendered.append(self._rendered)
        draft.on_cursor.append(lambda: self._soon(0.05))
        on_leave(self._stop)

    async def settle(self) -> None:
        """Wait until all that was typed before is in the text."""
        async with self._turn:
            pass

    # From the form to the text.

    async def _take(self, event: GenericEventArguments) -> None:
        shown, failed = self._shown.get(int(event.args["token"])), False
        async with self._turn:
            for given in event.args["ops"]:
                failed = failed or shown is None or not await self._do(shown, Op.of(given))
            self._done = int(event.args["number"])
        self.run_method("heard", self._done)
        if failed:
            self._sent = None
            self._soon(0)

    async def _resume(self, event: GenericEventArguments) -> None:
        """Do what was typed before the server or the page was gone."""
        async with self._turn:
            for given in event.args["ops"]:
                source, _ = parse_source(self._draft.text, "issue")
                index, data = given.get("index"), None
                if source is not None and isinstance(source.data, dict):
                    data = source.data if index is None else value_at(source.data, (*BLOCKS, int(index)))
                of_type = data.get("type") if isinstance(data, dict) else None
                if index is None or of_type == given.get("name"):
                    await self._do(_Shown(index, data), Op.of(given))
        self.run_method("heard", 0)
        say("What you had typed into the form is back", "info")

    async def _do(self, shown: _Shown, op: Op) -> bool:
        written = op

        def make(source: Source) -> list[Edit]:
            nonlocal written
            place = shown.place(source)
            written = settled(source, place, op)
            return edits_for(source, place, written)

        text = await change(self._draft, self._editor, make)
        if text is not None:
            shown.data = applied(shown.data, written)
        return text is not None

    # From the text to the form.

    def _seen(self, event: GenericEventArguments) -> None:
        self._is_seen = bool(event.args)
        self._soon(0)

    def _rendered(self) -> None:
        rested = self._source is not None and self._source.text == self._draft.text
        self._soon(0.02 if rested else RESTED)

    def _soon(self, seconds: float) -> None:
        """Show what the text says after so many seconds, and not before."""
        self._stop()
        if self._is_seen:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._show())
        else:
            self._soon(0.05)

    async def _show(self) -> None:
        async with self._turn:
            text, number = self._draft.text, self._done
        file = self._draft.desk.workspace.shown(self._draft.path)
        if self._source is None or self._source.text != text:
            source, problems = await asyncio.to_thread(parse_source, text, file)
            if source is None:
                place = problems[0].location
                at = {"line": place.line, "column": place.column} if place else {"line": 1, "column": 1}
                self._send({"fault": {"message": problems[0].message, **at}}, number, None)
                return
            self._source = source
        if text != self._draft.text:
            self._soon(RESTED)
            return
        index = self._index(self._source)
        made = await asyncio.to_thread(snapshot, self._source, self._draft.problems, index)
        self._send(made, number, _Shown(index, made["data"]))

    def _index(self, source: Source) -> int | None:
        """The block to show: that under the cursor; none above all of them; between two, that which was shown last."""
        blocks = value_at(source.data, BLOCKS)
        count = len(blocks) if isinstance(blocks, list) else 0
        index = self._draft.block
        if index is None and count and self._shown and self._draft.line > source.locate((*BLOCKS, 0)).line:
            index = self._shown[self._token].index
        return index if index is not None and index < count else None

    def _send(self, made: dict[str, Any], number: int, shown: _Shown | None) -> None:
        if made == self._sent:
            return
        self._sent = made
        if shown is not None:
            self._token += 1
            self._shown[self._token] = shown
            self._shown.pop(self._token - _KEPT, None)
        self.run_method("show", self._token, number, made)
