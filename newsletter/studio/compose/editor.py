"""The YAML editor on a page."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache
from typing import Any

from nicegui import ui
from nicegui.elements import codemirror
from nicegui.events import GenericEventArguments

from newsletter.errors import NewsletterError, Problem
from newsletter.issue.schema import json_schema
from newsletter.source import Source
from newsletter.source.edits import Edit
from newsletter.studio.compose.draft import Draft, units, utf16
from newsletter.studio.widgets import button, say, sheet, sheet_buttons, words
from newsletter.theme import theme_names

assert codemirror  # importing it registers the module that the component imports

_PICTURES = {".jpg", ".jpeg", ".png", ".gif"}


@cache
def _schema() -> dict[str, Any]:
    return json_schema()


class Editor(ui.element, component="../static/editor.js"):
    """CodeMirror on a draft. The browser holds the text that counts: what is typed is told to the draft, and changes
    made here are sent as edits, which the browser makes as one step that can be undone."""

    def __init__(self, draft: Draft, *, on_save: Callable[[], Any]) -> None:
        super().__init__()
        self._draft = draft
        self._underlined: tuple[Problem, ...] = ()
        self._props["value"] = draft.text
        self._props["base"] = draft.base
        self._props["keep"] = f"newsletter:{draft.desk.root}:{draft.stem}"
        self._props["schema"] = _schema()
        self._props["choices"] = _choices(draft)
        self._props["label"] = f"YAML of {draft.stem}"
        self.on("typed", self._typed)
        self.on("cursor", lambda event: draft.cursor_at(int(event.args["line"])))
        self.on("save", on_save)
        self.on("kept", self._offer)
        draft.on_rendered.append(self._underline)
        draft.on_replaced.append(self._replace)
        draft.on_saved.append(self._saved)

    async def change(self, make: Callable[[Source], list[Edit]]) -> bool:
        """Have the browser make the edits that `make` gives for the text.

        False, and the reader is told why, when the text can't be parsed or edited there, or was typed in meanwhile.
        """
        try:
            edits = make(self._draft.source())
        except NewsletterError as error:
            say(error.message, "bad")
            return False
        text = self._draft.text
        done = await self.run_method("apply", utf16(text, edits), units(text), timeout=10)
        if not done:
            say("The text changed meanwhile: try again", "bad")
        return bool(done)

    def go_to(self, line: int, column: int = 1, *, focus: bool = True) -> None:
        """Put the cursor there, in view."""
        self.run_method("goTo", line, column, focus)

    async def _typed(self, event: GenericEventArguments) -> None:
        await self._draft.typed(event.args["text"])

    def _replace(self) -> None:
        self.run_method("replace", self._draft.text, False)  # noqa: FBT003 - JavaScript's

    def _underline(self) -> None:
        problems = self._draft.problems
        if problems == self._underlined:
            return
        self._underlined = problems
        file = self._draft.desk.workspace.shown(self._draft.path)
        placed = [
            {
                "line": problem.location.line,
                "column": problem.location.column,
                "length": problem.location.length,
                "message": problem.message,
                "hint": problem.hint,
                "severity": problem.severity.value,
            }
            for problem in problems
            if problem.location is not None and problem.location.file == file
        ]
        self.run_method("showProblems", placed)

    def _saved(self) -> None:
        if not self._draft.is_dirty:
            self.run_method("saved", self._draft.saved, self._draft.base)

    def _offer(self, event: GenericEventArguments) -> None:
        """The browser kept a text that wasn't saved: put it back, or ask, when the file has changed since."""
        kept, at = event.args["text"], datetime.datetime.fromtimestamp(event.args["at"] / 1000).astimezone()
        if event.args["base"] == self._draft.base:
            self.run_method("replace", kept, True)  # noqa: FBT003 - JavaScript's
            say(f"Your unsaved text of {at:%H:%M} is back. Ctrl-Z takes it out, Ctrl-S saves it.", "info")
            return
        with self, sheet("There is unsaved text of yours") as dialog:
            words("p", f"It was kept at {at:%d %b, %H:%M}. The file was changed by something else since then.")

            def restore() -> None:
                self.run_method("replace", kept, True)  # noqa: FBT003 - JavaScript's
                dialog.close()

            with sheet_buttons():
                button("Leave it", dialog.close)
                button("Put my text in", restore, kind="primary")
        dialog.open()


def _choices(draft: Draft) -> dict[str, list[str]]:
    """Values that no schema knows: the themes, the pictures beside the issue, what subscribers have."""
    folder = draft.path.parent
    pictures = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.suffix.lower() in _PICTURES)
    known = ["first_name", "last_name", "name", "email"]
    return {"theme": theme_names(draft.desk.root), "src": pictures[:500], "attributes": known}
