"""The Send page: choose who and when, see the plan, type the count, and it goes out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from nicegui import background_tasks, ui
from starlette.requests import Request as HttpRequest

from newsletter.dispatch.plan import Plan
from newsletter.errors import NewsletterError
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, issue_address, no_issue, on_leave
from newsletter.studio.sending.chart import add_sending_assets
from newsletter.studio.sending.choice_fields import ChoiceFields
from newsletter.studio.sending.choices import Choices
from newsletter.studio.sending.confirming import Confirmation
from newsletter.studio.sending.plan_view import draw_checks, draw_comparison, draw_plan
from newsletter.studio.sending.planning import (
    Known,
    Outlook,
    Planner,
    SupersededError,
    git_words,
    read_known,
    sandbox_is_off,
)
from newsletter.studio.sending.progress import SendingCard
from newsletter.studio.sending.report import sendings_table, standings_of
from newsletter.studio.sending.standing import Phase, Standing
from newsletter.studio.widgets import banner, button, card, empty, words


def add_pages(desk: Desk) -> None:
    """Add `/issue/{stem}/send`."""

    @ui.page("/issue/{stem}/send")
    async def page(request: HttpRequest, stem: str) -> None:
        path = desk.issue_path(stem)
        with frame(desk, request, title=stem, place="issues", stem=stem, tab="send"):
            add_sending_assets()
            if path is None:
                no_issue(stem)
                return
            box = ui.element("div").classes("wide")
            with box:
                words("p", "Reading the issue …", "muted")
        await ui.context.client.connected()
        with box:
            shown = SendPage(desk, path, box)
            await shown.open()
        on_leave(desk.listen(shown.file_changed))
        on_leave(shown.planner.stop)


class SendPage:
    """The page of one issue, which follows its fields and the files."""

    def __init__(self, desk: Desk, path: Path, box: ui.element) -> None:
        self.planner = Planner(desk, path)
        self._desk = desk
        self._path = path
        self._box = box
        self._client = ui.context.client
        self._known = Known({}, (), ())
        self._sendings: list[Standing] = []
        self._phase: Phase | None = None
        self._fields: ChoiceFields | None = None
        self._outlook: Outlook | None = None
        self._notes: tuple[str | None, bool] = (None, False)

    async def open(self) -> None:
        """Read the issue and what there is to choose from; draw the page, and the first plan."""
        try:
            await self._read()
            self._sendings = await asyncio.to_thread(standings_of, self._desk, self._known.sendings)
        except NewsletterError as error:
            self._box.clear()
            with self._box:
                banner(_words(error), "bad")
            return
        self._box.clear()
        with self._box:
            for each in self._sendings:
                if not each.is_over:
                    SendingCard(self._desk, each, changed=self._sending_changed)
            if not self._known.sizes:
                with empty("group", "There is no list yet", "People come onto a list by importing or adding them."):
                    button("Import people", lambda: ui.navigate.to("/subscribers/import"), icon="upload_file")
                return
            self._draw()
        await self.refresh()

    def file_changed(self, files: set[Path]) -> None:
        """Read the issue again when it, the settings, its theme or an image may have changed."""
        if self._fields is not None and self._desk.concerns(self._path, files):
            with self._client:
                self._confirmation.withdraw()
                background_tasks.create(self._read_again())

    def _sending_changed(self, standing: Standing | None) -> None:
        """Survey anew when a sending above has come to its end: others may get the issue now."""
        before, self._phase = self._phase, standing.phase if standing else None
        if standing is None or (standing.is_over and before is not standing.phase):
            self.planner.forget()
            with self._client:
                background_tasks.create(self.refresh())

    async def _read(self) -> None:
        await self.planner.read()
        self._known = await asyncio.to_thread(lambda: read_known(self._desk.store, self.planner.look.slug))
        self._notes = (
            await asyncio.to_thread(git_words, self._path),
            await asyncio.to_thread(sandbox_is_off, self._desk.workspace),
        )

    async def _read_again(self) -> None:
        try:
            await self._read()
        except NewsletterError as error:
            self._no_plan(_words(error))
            return
        with self._client:
            await self.refresh()

    def _draw(self) -> None:
        settings = self._desk.workspace.settings
        zone, sizes = settings.publication.time_zone, self._known.sizes
        last = next((each.list_name for each in self._known.sendings if each.list_name in sizes), None)
        tomorrow = datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
        biggest = max(sizes, key=lambda name: sizes[name])
        chosen = Choices(list_name=last or biggest, day=str(tomorrow), clock="09:00")
        with ui.element("div").classes("sending-columns"):
            with card(classes="sending-form"):
                self._fields = ChoiceFields(self._known, dict(settings.segments), zone, chosen, self.refresh)
            with ui.element("div").classes("sending-plan"):
                with card("The plan"):
                    with ui.element("div").classes("sending-progress") as self._progress:
                        self._progress_words = words("p", "", "muted small num").props("role=status")
                        self._progress_bar = ui.element("div").classes("sending-bar").props("aria-hidden=true")
                        with self._progress_bar:
                            self._progress_part = ui.element("div")
                    self._progress.set_visibility(False)
                    self._plan_box = ui.element("div").classes("stack")
                with ui.element("div").classes("sending-pair"):
                    with card("Against last time"):
                        self._comparison_box = ui.element("div").classes("stack")
                    with card("Checks"):
                        self._checks_box = ui.element("div").classes("stack")
                with card("Send it", "sending-last"):
                    self._confirmation = Confirmation(self._desk, self._path, self._outdated)
        if self._sendings:
            with card("Sendings of this issue", "sending-earlier"):
                sendings_table(self._sendings, zone)
        ui.timer(0.3, self._show_progress)

    async def refresh(self) -> None:
        """Show the plan for what is chosen now."""
        if self._fields is None:
            return
        self._confirmation.withdraw()
        choices, now = self._fields.choices(), datetime.now(UTC)
        settings, look = self._desk.workspace.settings, self.planner.look
        zone = settings.publication.time_zone
        faults = choices.faults(settings.segments, zone, now)
        self._fields.show(faults)
        self._show_checks()
        if look.digest is None:
            self.planner.stop()
            self._no_plan("The issue has errors. When they are mended, the plan appears here.")
            return
        if faults.keys() & {"list_name", "segment", "limit"}:
            self.planner.stop()
            self._plan_box.classes(add="sending-stale")
            return
        self._plan_box.classes(add="sending-stale")
        try:
            outlook = await self.planner.outlook(choices, now)
        except SupersededError:
            return
        except NewsletterError as error:
            self._no_plan(_words(error))
            return
        self._show(outlook, None if faults else choices)

    def _show(self, outlook: Outlook, choices: Choices | None) -> None:
        workspace = self._desk.workspace
        zone = workspace.settings.publication.time_zone
        self._plan_box.classes(remove="sending-stale")
        self._plan_box.clear()
        with self._plan_box:
            draw_plan(outlook, workspace, choices.send_at(zone, outlook.at) if choices else None)
        self._comparison_box.clear()
        with self._comparison_box:
            draw_comparison(outlook.comparison, zone)
        if choices is not None:
            self._confirmation.offer(outlook, choices, self.planner.look.text)

    def _no_plan(self, message: str) -> None:
        self._plan_box.classes(remove="sending-stale")
        for box in (self._plan_box, self._comparison_box):
            box.clear()
        with self._plan_box:
            words("p", message)
        with self._comparison_box:
            words("p", "There is no plan yet.", "muted")
        self._confirmation.withdraw()

    def _show_checks(self) -> None:
        self._checks_box.clear()
        with self._checks_box:
            draw_checks(self.planner.look.problems, *self._notes, issue_address(self._path.stem, "checks"))

    def _show_progress(self) -> None:
        looked_at = self.planner.looked_at
        self._progress.set_visibility(looked_at is not None)
        if looked_at is not None and self._fields is not None:
            everybody = self._known.sizes.get(self._fields.choices().list_name, 0)
            self._progress_words.text = f"Looking at everybody … {looked_at:,} of {everybody:,} people"
            self._progress_part.style(f"width: {min(1, looked_at / max(1, everybody)):.2%}")

    async def _outdated(self, plan: Plan | None) -> None:
        if plan is None:
            self.planner.forget()
            await self._read_again()
        else:
            self.planner.take(plan)
            await self.refresh()


def _words(error: NewsletterError) -> str:
    text = error.message + (f": {error.hint}" if error.hint else "")
    return text[0].upper() + text[1:] + "."
