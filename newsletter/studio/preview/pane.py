"""The preview of a draft: the email as it will look, in the inbox, as text and as source, and its variants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nicegui import ui

from newsletter.errors import errors_in
from newsletter.studio.compose.draft import Draft
from newsletter.studio.frame import on_leave
from newsletter.studio.preview.inbox import InboxView
from newsletter.studio.preview.mail import MailView
from newsletter.studio.preview.reader import ReaderMenu
from newsletter.studio.preview.side_by_side import SideBySide
from newsletter.studio.preview.size_meter import SizeMeter, size_of
from newsletter.studio.preview.texts import SourceView, TextView
from newsletter.studio.rendering import Rendering
from newsletter.studio.widgets import button, use, words

TABS = (
    ("mail", "Preview"),
    ("inbox", "Inbox"),
    ("text", "Text"),
    ("source", "HTML"),
    ("variants", "Side by side"),
)

# The arrow keys walk among tabs, as screen readers' users expect.
_WALK = """(event) => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  const tabs = [...event.currentTarget.querySelectorAll('[role=tab]')];
  const to = step ? tabs.indexOf(document.activeElement) + step : {Home: 0, End: tabs.length - 1}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs.at(to % tabs.length);
  tab.focus();
  tab.click();
}"""


class _View(Protocol):
    def show(self, done: Rendering) -> None: ...


@dataclass(frozen=True)
class Fault:
    """Why there is no newer preview, and where: a line and column of the issue's file, when it is there."""

    words: str
    line: int | None = None
    column: int = 1


def fault_of(done: Rendering, file: str) -> Fault | None:
    """What kept a rendering of the issue in `file` from succeeding; None when it did."""
    if done.html is not None:
        return None
    errors = errors_in(done.problems)
    placed = [problem for problem in errors if problem.location is not None and problem.location.file == file]
    if placed and placed[0].location is not None:
        place = placed[0].location
        return Fault(f"line {place.line}: {placed[0].message}", place.line, place.column)
    if errors and errors[0].location is not None:
        return Fault(f"{errors[0].location}: {errors[0].message}")
    return Fault(done.failure or (errors[0].message if errors else "it can't be rendered"))


class PreviewPane:
    """The pane beside the text. `on_block` is told the number of a block that was clicked, `on_place` the line and
    column of the text that the reader wants to go to. It follows the draft by itself; nothing is rendered or sent for
    a tab that isn't shown."""

    def __init__(
        self,
        draft: Draft,
        on_block: Callable[[int], object],
        on_place: Callable[[int, int], object] | None = None,
    ) -> None:
        self._draft = draft
        self._on_place = on_place
        self._fault: Fault | None = None
        self._shown = "mail"
        self._tabs: dict[str, ui.element] = {}
        self._panels: dict[str, ui.element] = {}
        use("preview.css")

        with ui.element("div").classes("preview") as self._root:
            with ui.element("div").classes("preview-bar"):
                with ui.element("div").classes("preview-tabs").props('role=tablist aria-label="Views"') as tabs:
                    for key, label in TABS:
                        self._tabs[key] = words("button", label, "preview-tab").props(
                            f"type=button role=tab id=preview-tab-{key}"
                        )
                        self._tabs[key].on("click", lambda key=key: self.open(key))
                tabs.on("keydown", js_handler=_WALK)
                ReaderMenu(draft)
            self._banner = ui.element("div").classes("preview-fault")
            self._views: dict[str, _View] = {}
            for key, _ in TABS:
                panel = ui.element("div").classes("preview-panel")
                self._panels[key] = panel.props(f"role=tabpanel aria-labelledby=preview-tab-{key}")
            with self._panels["mail"]:
                self._mail = self._views["mail"] = MailView(draft, on_block)
            with self._panels["inbox"]:
                self._views["inbox"] = InboxView()
            with self._panels["text"]:
                self._views["text"] = TextView()
            with self._panels["source"]:
                self._views["source"] = SourceView()
            with self._panels["variants"]:
                self._variants = self._views["variants"] = SideBySide(draft)
            with ui.element("div").classes("preview-foot"):
                words("span", "", "preview-status ellipsis")
                self._meter = SizeMeter()
        self._mark_tab()
        draft.on_rendered.append(self._rendered)
        draft.on_cursor.append(lambda: self.show_block(draft.block))
        on_leave(self._leave)

    def open(self, tab: str) -> None:
        """Show another tab: one of the keys of TABS."""
        if tab == self._shown:
            return
        self._mail.hide()
        self._variants.hide()
        self._shown = tab
        self._mark_tab()
        self._show()

    def show_block(self, number: int | None) -> None:
        """Outline the block that is worked on, and bring it into view."""
        self._mail.mark_block(number)

    def _mark_tab(self) -> None:
        self._root.props(f"data-tab={self._shown}")
        for key, tab in self._tabs.items():
            chosen = key == self._shown
            tab.props(f"aria-selected={'true' if chosen else 'false'} tabindex={0 if chosen else -1}")
            self._panels[key].classes(add="" if chosen else "hidden", remove="hidden" if chosen else "")

    def _rendered(self) -> None:
        done = self._draft.rendering
        if done is not None:
            self._show_fault(fault_of(done, self._draft.desk.workspace.shown(self._draft.path)))
        self._show()

    def _show(self) -> None:
        good = self._draft.good
        if good is None:
            return
        self._views[self._shown].show(good)
        clicks = self._draft.desk.workspace.settings.tracking.clicks
        self._meter.show(size_of(good.source, counts_clicks=clicks))

    def _show_fault(self, fault: Fault | None) -> None:
        """Leave what was shown last, marked as old, and say what is the matter."""
        if fault == self._fault:
            return
        self._fault = fault
        self._root.classes(add="preview-old" if fault else "", remove="" if fault else "preview-old")
        self._banner.clear()
        if fault is None:
            return
        begin = "This is how it was before the fault" if self._draft.good else "It can't be shown yet"
        with self._banner, ui.element("div").classes("banner bad").props("role=status"):
            words("span", f"{begin}: {fault.words}", "banner-text")
            if fault.line is not None and self._on_place is not None:
                line, column, go = fault.line, fault.column, self._on_place
                button("Go there", lambda: go(line, column))

    def _leave(self) -> None:
        self._mail.hide()
        self._variants.hide()
