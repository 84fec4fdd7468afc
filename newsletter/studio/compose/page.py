"""Composing an issue: its outline, its text, a form for the block under the cursor, and beside it what will arrive."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.requests import Request as HttpRequest

from newsletter.errors import WorkspaceError, errors_in
from newsletter.studio.compose.draft import ChangedOutside, Draft, difference
from newsletter.studio.compose.editor import Editor
from newsletter.studio.compose.form import BlockForm
from newsletter.studio.compose.outline import Outline
from newsletter.studio.compose.palette import Palette
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, on_leave
from newsletter.studio.preview.pane import PreviewPane
from newsletter.studio.widgets import button, empty, icon_button, say, sheet, sheet_buttons, use, words
from newsletter.workspace import ISSUES


def add_pages(desk: Desk) -> None:
    """Add `/issue/{stem}`."""

    @ui.page("/issue/{stem}")
    async def page(request: HttpRequest, stem: str, line: int = 0, column: int = 1) -> None:
        path = desk.root / ISSUES / f"{stem}.yaml"
        with frame(desk, request, title=stem, place="issues", stem=stem, tab="compose") as actions:
            try:
                draft = Draft(desk, path)
            except WorkspaceError as error:
                with empty("draft", error.message, error.hint or ""):
                    button("All issues", lambda: ui.navigate.to("/"))
                return
            compose = ComposePage(draft, actions)
        await ui.context.client.connected()
        if line:
            compose.editor.go_to(line, column)
        await draft.render()


class ComposePage:
    """The parts of the page, and what holds them together."""

    def __init__(self, draft: Draft, actions: ui.element) -> None:
        self._draft = draft
        self._client = ui.context.client
        use("compose.css", "compose.js")
        self._notice = ui.element("div").classes("compose-notice")
        with ui.element("div").classes("compose") as self._root:
            self._root.props('data-mode="text"')
            outline = ui.element("section").classes("compose-outline").props('aria-label="Outline"')
            with ui.element("section").classes("compose-text").props('aria-label="Text"'):
                with ui.element("div").classes("compose-bar"):
                    self._modes()
                    ui.element("div").classes("grow")
                    self._count = words("button", "", "compose-count hidden").props("type=button")
                    self._count.on("click", self._next_problem)
                    icon_button("undo", "Undo (Ctrl-Z)", lambda: self.editor.run_method("undo"))
                    icon_button("redo", "Redo (Ctrl-Y)", lambda: self.editor.run_method("redo"))
                self.editor = Editor(draft, on_save=self.save)
                self.editor.classes("compose-editor")
            with ui.element("section").classes("compose-form").props('aria-label="Form"'):
                self._form = BlockForm(draft, self.editor)
            ui.element("div").classes("compose-divider").props(
                'role=separator tabindex=0 aria-orientation=vertical aria-label="Width of the preview"'
            )
            with ui.element("section").classes("compose-preview").props('aria-label="Preview"'):
                PreviewPane(draft, self._go_to_block, self.editor.go_to)
            with outline:
                palette = Palette(draft, self.editor)
                self.editor.on("palette", palette.open)
                Outline(draft, self.editor)
        with actions:
            self._state = words("span", "", "muted small compose-state")
            self._save = button("Save", self.save, icon="save", kind="primary").props('title="Ctrl-S"')
        draft.on_saved.append(self._show_state)
        draft.on_rendered.append(self._show_count)
        draft.on_outside.append(self._show_outside)
        self._show_state()
        on_leave(draft.desk.listen(self._files_changed))
        on_leave(draft.close)
        ui.on("studio-leave", self._leave)

    def _go_to_block(self, number: int) -> None:
        blocks = self._draft.rendering.blocks if self._draft.rendering else None
        if blocks and number < len(blocks):
            self.editor.go_to(blocks[number].first)

    def _modes(self) -> None:
        """YAML, form, or both."""
        with ui.element("div").classes("segments").props('role=group aria-label="Write as"'):
            for mode, label in (("text", "YAML"), ("form", "Form"), ("both", "Both")):
                words("button", label).props(f'type=button data-mode-button="{mode}"')

    # Saving.

    async def save(self) -> bool:
        """Save the text, with what was typed into the form. When the file was changed by something else, show the
        difference and ask."""
        await self._form.settle()
        try:
            self._draft.save()
        except ChangedOutside as error:
            with self._client:
                self._show_difference(error.theirs)
            return False
        except OSError as error:
            say(f"It could not be saved: {error.strerror}", "bad")
            return False
        self._notice.clear()
        return True

    def _show_difference(self, theirs: str) -> None:
        with self._root, sheet("The file was changed by something else") as dialog:
            words("p", "Red lines are in the file and not in your text; green ones are yours alone.", "muted")
            with ui.element("pre").classes("difference").props('tabindex=0 aria-label="Difference"'):
                for sign, line in difference(self._draft.text, theirs):
                    words("span", f"{sign} {line}", {"+": "mine", "-": "theirs", "@": "place"}.get(sign, ""))

            def take_theirs() -> None:
                self._draft.take(theirs)
                dialog.close()

            def keep_mine() -> None:
                self._draft.save(over=True)
                dialog.close()
                say("Saved over the other text")

            with sheet_buttons():
                button("Go on writing", dialog.close)
                button("Take the file's text", take_theirs)
                button("Save mine over it", keep_mine, kind="danger")
        dialog.classes("difference-dialog").open()

    async def _leave(self, event: GenericEventArguments) -> None:
        """Another page about this issue is asked for: it reads the file, so save first."""
        await self._form.settle()
        if not self._draft.is_dirty or await self.save():
            ui.navigate.to(str(event.args))

    def _files_changed(self, files: set[Path]) -> None:
        with self._client:
            self._draft.file_changed(files)

    def _show_state(self) -> None:
        dirty = self._draft.is_dirty
        self._state.text = "Not saved" if dirty else "Saved"
        self._save.set_enabled(dirty)
        self._root.props(f"data-dirty={'yes' if dirty else 'no'}")
        if not dirty:
            self._notice.clear()

    def _show_outside(self) -> None:
        theirs = self._draft.outside or ""
        self._notice.clear()
        with self._notice, ui.element("div").classes("banner warn").props("role=alert"):
            words("span", "The file was changed by something else. Your text is as you left it.", "banner-text")
            button("Show the difference", lambda: self._show_difference(theirs))

    # Problems.

    def _show_count(self) -> None:
        problems = self._draft.problems
        errors = len(errors_in(problems))
        parts = [
            f"{count} {word}{'s' if count > 1 else ''}"
            for count, word in ((errors, "error"), (len(problems) - errors, "warning"))
            if count
        ]
        text = ", ".join(parts)
        if text == self._count.text:
            return
        self._count.text = text
        self._count.props(f'title="{text}: go to the next one"')
        tone = "bad" if errors else "warn" if problems else "hidden"
        self._count.classes(replace=f"compose-count {tone}")

    def _next_problem(self) -> None:
        places = [problem.location for problem in self._draft.problems if problem.location]
        if places:
            place = next((each for each in places if each.line > self._draft.line), places[0])
            self.editor.go_to(place.line, place.column)
