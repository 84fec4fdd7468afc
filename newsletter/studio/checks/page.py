"""Checks: everything that is wrong with an issue, by what it would do to a reader, each leading to its line."""

from __future__ import annotations

from pathlib import Path

from nicegui import background_tasks, ui
from starlette.requests import Request as HttpRequest

from newsletter.errors import NewsletterError, Problem, errors_in
from newsletter.studio.checks.audience_check import AudienceCheck
from newsletter.studio.checks.effects import grouped
from newsletter.studio.checks.examining import Examined, examine, lines_at, link_problems
from newsletter.studio.checks.link_check import LinkCheck
from newsletter.studio.checks.problem_list import show_group, use_problem_list
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, issue_address, no_issue, on_leave
from newsletter.studio.widgets import button, use, words


def add_pages(desk: Desk) -> None:
    """Add `/issue/{stem}/checks`."""

    @ui.page("/issue/{stem}/checks")
    async def page(request: HttpRequest, stem: str) -> None:
        path = desk.issue_path(stem)
        with frame(desk, request, title=stem, place="issues", stem=stem, tab="checks"):
            if path is None:
                no_issue(stem)
                return
            checks = ChecksPage(desk, path)
        await ui.context.client.connected()
        await checks.load()
        on_leave(desk.listen(checks.changed))
        on_leave(checks.close)


class ChecksPage:
    """The page, which follows the files that the issue is made of."""

    def __init__(self, desk: Desk, path: Path) -> None:
        self._desk, self._path = desk, path
        self._client = ui.context.client
        self._examined: Examined | None = None
        self._asked = 0
        use("checks.css")
        use_problem_list()
        with ui.element("div").classes("wide checks"):
            with ui.element("div").classes("checks-found"):
                self._summary = ui.element("div").classes("checks-summary").props("role=status")
                with self._summary:
                    words("p", "Looking at the issue …", "muted")
                self._groups = ui.element("div").classes("checks-groups")
            with ui.element("aside").classes("checks-asking").props('aria-label="Checks on demand"'):
                self._links = LinkCheck(self._draw)
                self._audience = AudienceCheck(desk, path, self._draw)

    def changed(self, files: set[Path]) -> None:
        """Look again, when something changed that the issue may be made of."""
        if self._desk.concerns(self._path, files):
            with self._client:
                background_tasks.create(self.refresh(), name="checks")

    async def load(self) -> None:
        """Show the issue for the first time."""
        await self._audience.load()
        await self.refresh()

    async def refresh(self) -> None:
        """Look at the issue, and show what was found."""
        self._asked += 1
        asked = self._asked
        try:
            examined = await self._desk.renderer.call(examine, self._desk.root, self._path)
        except NewsletterError as error:
            problem = Problem("rendering", error.message, hint=error.hint)
            examined = Examined(self._desk.workspace.shown(self._path), (problem,))
        if asked != self._asked:
            return
        if self._examined is not None and examined.text != self._examined.text:
            self._audience.forget()
        self._examined = examined
        self._links.offer(examined.links)
        self._audience.offer(can_be_sent=examined.can_be_sent)
        self._draw()

    def close(self) -> None:
        """End what is under way."""
        self._links.close()
        self._audience.close()

    def _draw(self) -> None:
        """Show all that is known now."""
        examined = self._examined
        if examined is None:
            return
        unfilled = self._audience.problems(examined)
        found = [*examined.problems, *link_problems(self._links.answers, examined.links), *unfilled]
        lines = {**lines_at((problem.location for problem in unfilled), self._desk.root), **examined.lines}
        self._summary.clear()
        with self._summary:
            self._say(found)
        self._groups.clear()
        with self._groups:
            for effect, problems in grouped(found):
                show_group(effect, problems, lines, self._path.stem, unfilled)

    def _say(self, found: list[Problem]) -> None:
        title, text, icon, tone = verdict(found)
        with ui.element("span").classes(f"checks-verdict {tone}").props("aria-hidden=true"):
            ui.icon(f"sym_o_{icon}")
        with ui.element("div").classes("grow"):
            words("h2", title)
            words("p", text, "muted")
        if tone != "bad":
            button("Send a test", lambda: ui.navigate.to(issue_address(self._path.stem, "test")), icon="outgoing_mail")


def verdict(found: list[Problem]) -> tuple[str, str, str, str]:
    """What all Problems together mean: a title, a sentence, an icon and a tone."""
    errors = len(errors_in(found))
    warnings = len(found) - errors
    more = f" {warnings} more to look at." if warnings else ""
    if errors:
        title = "One thing stops it from being sent" if errors == 1 else f"{errors} things stop it from being sent"
        return title, f"Mend {'it' if errors == 1 else 'them'} first.{more}", "block", "bad"
    if warnings:
        title = "One thing to look at" if warnings == 1 else f"{warnings} things to look at"
        return title, "It can be sent as it is; some readers would be worse off.", "rate_review", "warn"
    return "Nothing to mend", "The issue, and what it is rendered to, are in order.", "task_alt", "good"
