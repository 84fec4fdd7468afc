"""All issues of the workspace, with their state and a small picture; new ones are started here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nicegui import background_tasks, ui
from starlette.requests import Request as HttpRequest

from newsletter.delivery import DispatchState
from newsletter.errors import NewsletterError, Problem, errors_in
from newsletter.fields import SLOT
from newsletter.personalise import ExpressionError, PersonaliseError, evaluate, scope
from newsletter.scaffold import copy_issue, start_issue
from newsletter.store.deliveries import dispatch_tally
from newsletter.store.dispatches import dispatches_of
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, issue_address, on_leave
from newsletter.studio.rendering import Request, workspace_at
from newsletter.studio.widgets import Tone, button, chip, empty, field, say, select, sheet, sheet_buttons, words
from newsletter.subscriber import sample_subscriber
from newsletter.theme import theme_names
from newsletter.workspace import ISSUES, Edition


@dataclass(frozen=True)
class Summary:
    """An issue as the list shows it."""

    stem: str
    title: str
    date: str
    slug: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Sent:
    """What has become of an issue: a word for it, its tone, and a line about it."""

    word: str
    tone: Tone
    line: str = ""


def add_pages(desk: Desk) -> None:
    """Add `/`."""
    summaries = Summaries(desk)

    @ui.page("/")
    async def page(request: HttpRequest) -> None:
        with frame(desk, request, title="Issues", place="issues") as actions:
            listing = IssueList(desk, summaries)
            with actions:
                button("New issue", listing.start, icon="add", kind="primary")
        on_leave(desk.listen(listing.changed))
        await ui.context.client.connected()
        await listing.refresh()


class Summaries:
    """What is known of the issues, for all pages: each is checked once, until something changes that it is made of."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[Path, tuple[int, Summary]] = {}
        self._changes = 0
        desk.listen(self._changed)

    def _changed(self, files: set[Path]) -> None:
        self._changes += 1
        self._known = {path: known for path, known in self._known.items() if not self._desk.concerns(path, files)}

    async def of(self, path: Path) -> tuple[int, Summary]:
        """An issue's summary, and of when its file is. Raises FileNotFoundError."""
        version, changes = path.stat().st_mtime_ns, self._changes
        known = self._known.get(path)
        if known is None or known[0] != version:
            try:
                summary = await self._desk.renderer.call(summarise, self._desk.root, path)
            except NewsletterError as error:
                problem = Problem("rendering", error.message)
                summary = Summary(path.stem, path.stem, "", path.stem, (problem,))
            known = version, summary
            if changes == self._changes:  # else it may be of what was there before
                self._known[path] = known
        return known


class IssueList:
    """The list on a page, which follows the files."""

    def __init__(self, desk: Desk, summaries: Summaries) -> None:
        self._desk, self._summaries = desk, summaries
        self._client = ui.context.client
        self._asked = 0
        self._box = ui.element("div").classes("wide")
        with self._box:
            words("p", "Reading the issues …", "muted")

    def changed(self, _files: set[Path]) -> None:
        """Show what files have become."""
        with self._client:
            background_tasks.create(self.refresh(), name="issues")

    async def refresh(self) -> None:
        """Read what is new, and draw the list."""
        self._asked += 1
        asked = self._asked
        sent = await asyncio.to_thread(_sent, self._desk)
        shown = []
        for path in self._desk.workspace.issue_files():
            with suppress(FileNotFoundError):
                shown.append(await self._summaries.of(path))
        shown.sort(key=lambda each: (each[1].date or each[1].stem[:10], each[1].stem), reverse=True)
        if asked != self._asked or not self._client.has_socket_connection:
            return  # something newer is on its way, or the page was closed meanwhile
        self._box.clear()
        with self._box:
            if not shown:
                with empty("newsstand", "No issues yet", "An issue is a YAML file in the folder issues/."):
                    button("New issue", self.start, icon="add", kind="primary")
                return
            with ui.element("div").classes("issue-grid"):
                for version, summary in shown:
                    _card(summary, version, sent.get(summary.slug))

    def start(self) -> None:
        """Ask for a title, and what to begin with; go to the new issue."""
        workspace = self._desk.workspace
        themes = {f"theme:{name}": f"Empty, theme {name}" for name in theme_names(workspace.root)}
        copies = {f"copy:{path.stem}": f"Copy of {path.stem}" for path in workspace.issue_files()}
        with sheet("New issue") as dialog:
            title = field("Title", placeholder="Spring tides", hint="It becomes the subject and the name of the file")
            title.props("autofocus")
            begin = select("Begin with", {**themes, **copies}, f"theme:{workspace.settings.theme}")

            def make() -> None:
                if not title.value.strip():
                    title.props('error error-message="An issue needs a title"')
                    return
                kind, _, name = str(begin.value).partition(":")
                try:
                    if kind == "copy":
                        path = copy_issue(workspace, workspace.root / ISSUES / f"{name}.yaml", title.value.strip())
                    else:
                        path = start_issue(workspace, title.value.strip(), name)
                except (NewsletterError, OSError) as error:
                    say(str(error), "bad")
                    return
                ui.navigate.to(issue_address(path.stem))

            title.on("keydown.enter", make)
            with sheet_buttons():
                button("Cancel", dialog.close)
                button("Make it", make, kind="primary")
        dialog.open()


def _card(summary: Summary, version: int, sent: Sent | None) -> None:
    errors = errors_in(summary.problems)
    with ui.element("a").classes("issue-card").props(f'href="{issue_address(summary.stem)}"'):
        with ui.element("div").classes("issue-picture").props("aria-hidden=true"):
            if errors:
                words("pre", "\n".join(_line(problem) for problem in errors[:5]), "issue-faults")
            else:
                ui.element("iframe").props(
                    f'src="/thumbnail/{summary.stem}?{version}" loading=lazy tabindex=-1 sandbox="allow-same-origin"'
                )
        with ui.element("div").classes("issue-about"):
            words("h2", summary.title, "issue-title")
            with ui.element("div").classes("row"):
                words("span", summary.date or "no date", "muted small num grow")
                state = sent or _draft_state(summary)
                chip(state.word, state.tone)
            if sent and sent.line:
                words("p", sent.line, "muted small")
            if errors:
                words("p", errors[0].message, "small issue-problem ellipsis")


def _line(problem: Problem) -> str:
    where = f"{problem.location.line}:{problem.location.column}  " if problem.location else ""
    return where + problem.message


def _draft_state(summary: Summary) -> Sent:
    errors = errors_in(summary.problems)
    if errors:
        return Sent(f"{len(errors)} problem{'s' if len(errors) > 1 else ''}", "bad")
    warnings = len(summary.problems)
    return Sent("draft", "warn", f"{warnings} to look at") if warnings else Sent("ready", "good")


def summarise(root: Path, path: Path) -> Summary:
    """Read and check an issue; runs in the rendering process."""
    edition = Edition.read(workspace_at(root), path)
    issue, data = edition.issue, edition.source.data if edition.source else None
    raw = data if isinstance(data, dict) else {}
    title = issue.subject if issue else str(raw.get("subject") or path.stem)
    title = SLOT.sub(lambda slot: _sample(slot[1]) or slot[0], title)
    date = issue.date.isoformat() if issue and issue.date else str(raw.get("date") or "")
    return Summary(path.stem, title, date, edition.slug, tuple(edition.check()))


def _sample(expression: str) -> str | None:
    """What a personal part would be for the sample subscriber; None when it can't be filled."""
    try:
        return evaluate(expression, scope(sample_subscriber()))
    except (ExpressionError, PersonaliseError):
        return None


def _sent(desk: Desk) -> dict[str, Sent]:
    """By slug, what has become of the issues that were sent, the newest sending of each."""
    found: dict[str, Sent] = {}
    with desk.store.read() as connection:
        for dispatch in dispatches_of(connection):
            tally = dispatch_tally(connection, dispatch.id)
            line = f"to {dispatch.list_name}"
            if tally.uncertain:
                line += f", {tally.uncertain:,} uncertain"
            match dispatch.state:
                case DispatchState.COMPLETE:
                    sent = Sent(f"sent to {tally.accepted:,}", "warn" if tally.uncertain else "good", line)
                case DispatchState.SENDING:
                    sent = Sent("sending", "info", line)
                case DispatchState.PLANNED:
                    sent = Sent("planned", "info", line)
                case DispatchState.CANCELLED:
                    sent = Sent("cancelled", "plain", line)
                case _:
                    sent = Sent(dispatch.state.value, "warn", line)
            found[dispatch.issue_slug] = sent
    return found


async def thumbnail(desk: Desk, stem: str) -> str:
    """The HTML of an issue for its small picture; empty when it can't be rendered."""
    path = desk.issue_path(stem)
    if path is None:
        return ""
    done = await desk.render(Request(desk.root, path))
    return (done.html or "") if done else ""
