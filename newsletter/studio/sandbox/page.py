"""The sandbox's page: the mails it received, newest first, and beside them the one that is read."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Literal

from nicegui import ui
from starlette.requests import Request as HttpRequest

from newsletter.errors import NewsletterError
from newsletter.outbox import is_local
from newsletter.studio.checks.problem_list import sentences
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame
from newsletter.studio.sandbox import reading as sandbox_reading
from newsletter.studio.sandbox.client import Mail, Mailbox, NotASandbox, NotRunning, delete_mails, list_mails
from newsletter.studio.sandbox.reading import ReadingPane, fate_chip
from newsletter.studio.widgets import button, chip, empty, icon_button, say, sheet, sheet_buttons, use, words

LOOK_EVERY = 1.5
"""Seconds between two looks into the mailbox while the page is open."""

_MAIL_ID = re.compile(r"[\w.~-]{1,200}", re.ASCII)

State = Literal["unknown", "elsewhere", "away", "foreign", "running"]


def add_pages(desk: Desk) -> None:
    """Add `/sandbox`, `/sandbox/{mail_id}`, and what the page's frame fetches."""

    @ui.page("/sandbox")
    def page(request: HttpRequest) -> None:
        SandboxPage(desk, request, None)

    @ui.page("/sandbox/{mail_id}")
    def mail_page(request: HttpRequest, mail_id: str) -> None:
        SandboxPage(desk, request, mail_id)

    sandbox_reading.add_routes(desk)


class SandboxPage:
    """The page, which looks for new mails as long as it is open."""

    def __init__(self, desk: Desk, request: HttpRequest, mail_id: str | None) -> None:
        self._desk = desk
        self._state: State = "unknown"
        self._host = ""
        self._words, self._page = "", 1
        self._drawn: tuple[object, ...] = ()
        self._opened_at = datetime.now(UTC)
        self._read: set[str] = set()
        self._chosen = mail_id if mail_id and _MAIL_ID.fullmatch(mail_id) else None
        use("sandbox_mail.css")
        with frame(desk, request, title="Sandbox", place="sandbox") as actions:
            self._box = ui.element("div").classes("sandbox_mail-page")
            with actions:
                self._where = words("span", "", "muted small")
                self._remove = button("Remove all", self._ask_to_remove, icon="delete")
                self._remove.set_visibility(False)
        ui.timer(LOOK_EVERY, self._look)

    async def _look(self) -> None:
        """See what is there now, and show it where it differs from what is shown."""
        workspace = self._desk.workspace
        host = workspace.environment.sendgrid_host
        asked = (host, self._words, self._page)
        mailbox: Mailbox | None = None
        if not is_local(workspace):
            state: State = "elsewhere"
        else:
            try:
                mailbox = await asyncio.to_thread(list_mails, *asked)
                state = "running"
            except NotRunning:
                state = "away"
            except NotASandbox:
                state = "foreign"
        if asked != (host, self._words, self._page):
            return  # something else was searched for meanwhile
        if (state, host) != (self._state, self._host):
            self._state, self._host, self._drawn = state, host, ()
            self._draw()
            if mailbox is not None and self._chosen:
                await self._choose(self._chosen)
                return
        if mailbox is not None:
            self._show(mailbox)

    # The page in each of its states.

    def _draw(self) -> None:
        running = self._state == "running"
        self._box.clear()
        self._box.classes(remove="sandbox_mail-open").classes("sandbox_mail-open" if running else "")
        self._remove.set_visibility(running)
        self._where.set_text(f"at {self._host.removeprefix('http://')}" if running else "")
        with self._box:
            match self._state:
                case "elsewhere":
                    self._draw_elsewhere()
                case "away":
                    text = (
                        "The sandbox stands in for SendGrid on this machine: it takes what you send, shows what each "
                        f"reader would get, and sends nothing on. Nothing answers at {self._host} yet."
                    )
                    with empty("inbox", "The sandbox isn't running", text):
                        button("Start it here", self._start, icon="play_arrow", kind="primary")
                        hint = "It runs as long as the Studio does, and keeps its mails. In a terminal: "
                        with words("p", hint, "small sandbox_mail-hint"):
                            words("code", "newsletter sandbox")
                case "foreign":
                    text = (
                        f"Something else answers at {self._host}. Set another port in SENDGRID_HOST in the file .env."
                    )
                    empty("help", "That isn't a sandbox", text)
                case "running":
                    self._draw_mailbox()

    def _draw_elsewhere(self) -> None:
        text = (
            f"This workspace sends through {self._host.removeprefix('https://')}, to real people. To try things "
            "without reaching anybody, set this in the file .env beside newsletter.yaml; the page follows it."
        )
        with empty("cloud_upload", "Mail goes to the real provider", text):
            words("pre", "SENDGRID_HOST=http://127.0.0.1:8025", "sandbox_mail-setting")
            words("p", "A variable of the same name in the environment wins over the file.", "small")

    def _draw_mailbox(self) -> None:
        with ui.element("section").classes("sandbox_mail-list").props('aria-label="Mails"'):
            with ui.element("div").classes("sandbox_mail-search"):
                search = ui.input(placeholder="Search by address or subject", value=self._words)
                search.props('outlined dense clearable debounce=200 type=search aria-label="Search the mails"')
                search.classes("field").on_value_change(lambda event: self._search(event.value or ""))
                with search.add_slot("prepend"):
                    ui.icon("sym_o_search").props("aria-hidden=true")
            self._summary = words("p", "", "sandbox_mail-summary muted small").props("role=status")
            self._rows = ui.element("div").classes("sandbox_mail-rows")
            with ui.element("div").classes("sandbox_mail-pager") as self._pager:
                self._newer = icon_button("chevron_left", "Newer mails", lambda: self._turn(-1))
                self._place = words("span", "", "small muted num")
                self._older = icon_button("chevron_right", "Older mails", lambda: self._turn(1))
        self._pane = ReadingPane(self._host, self._close)

    # What is in the mailbox.

    def _show(self, mailbox: Mailbox) -> None:
        self._page = min(self._page, mailbox.pages)
        drawn = (mailbox, self._chosen, self._words, self._page, datetime.now(UTC).astimezone().date())
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._summary.set_text(summary(mailbox, self._words))
        self._rows.clear()
        with self._rows:
            if not mailbox.mails:
                self._draw_nothing(mailbox)
            for mail in mailbox.mails:
                self._row(mail)
        self._pager.set_visibility(mailbox.pages > 1)
        self._place.set_text(f"Page {self._page:,} of {mailbox.pages:,}")
        self._newer.set_enabled(self._page > 1)
        self._older.set_enabled(self._page < mailbox.pages)

    def _draw_nothing(self, mailbox: Mailbox) -> None:
        if self._words:
            empty("search_off", "Nothing found", "No mail has that in its subject or in an address that it went to.")
        elif not mailbox.is_kept:
            empty("tag", "Mails are counted here, and not kept", "This sandbox was started with --keep counts.")
        else:
            with empty("mark_email_unread", "No mails yet", "Send a test of an issue, and it shows up here at once."):
                button("All issues", lambda: ui.navigate.to("/"))

    def _row(self, mail: Mail) -> None:
        is_new = mail.received_at > self._opened_at and mail.id not in self._read
        row = ui.element("a").classes("sandbox_mail-row").props(f'href="/sandbox/{mail.id}"')
        row.classes("current" if mail.id == self._chosen else "").classes("new" if is_new else "")
        if mail.id == self._chosen:
            row.props("aria-current=true")
        with row:
            with ui.element("div").classes("sandbox_mail-line"):
                words("span", mail.to or "nobody", "sandbox_mail-to ellipsis grow")
                words("time", short_time(mail.received_at), "muted small num")
            words("div", mail.subject or "(no subject)", "ellipsis sandbox_mail-subject")
            with ui.element("div").classes("sandbox_mail-line"):
                for category in mail.categories[:3]:
                    chip(category)
                fate_chip(mail.fate)
        # A plain click reads it here; with a key held down it is a link like any other.
        row.on(
            "click",
            lambda mail_id=mail.id: self._choose(mail_id),
            js_handler="(e) => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); emit(); } }",
        )

    async def _search(self, typed: str) -> None:
        self._words, self._page = typed.strip(), 1
        await self._look()

    async def _turn(self, step: int) -> None:
        self._page = max(1, self._page + step)
        await self._look()

    async def _choose(self, mail_id: str) -> None:
        self._chosen = mail_id
        self._read.add(mail_id)
        self._box.classes("sandbox_mail-reading-one")
        ui.navigate.history.replace(f"/sandbox/{mail_id}")
        await self._pane.show(mail_id)
        await self._look()

    async def _close(self) -> None:
        """Back to the list, on a screen that is too narrow for both."""
        self._chosen = None
        self._box.classes(remove="sandbox_mail-reading-one")
        ui.navigate.history.replace("/sandbox")
        self._pane.show_nothing()
        await self._look()

    # What changes something.

    async def _start(self) -> None:
        try:
            await asyncio.to_thread(self._desk.start_sandbox)
        except NewsletterError as error:
            say(sentences(error), "bad")
            return
        say("The sandbox is running.")
        await self._look()

    def _ask_to_remove(self) -> None:
        with sheet("Remove all mails?") as dialog:
            words("p", "The sandbox forgets every mail that it received, and those that wait for their time.")

            async def remove() -> None:
                dialog.close()
                try:
                    await asyncio.to_thread(delete_mails, self._host)
                except NotRunning:
                    say("The sandbox doesn't answer any more.", "bad")
                await self._close()

            with sheet_buttons():
                button("Cancel", dialog.close)
                button("Remove all", remove, kind="danger")
        dialog.open()


def summary(mailbox: Mailbox, typed: str) -> str:
    """How many mails there are, in words."""
    said = f"{mailbox.total:,} {'mail' if mailbox.total == 1 else 'mails'}"
    if typed:
        said += f" with “{typed}”"
    if mailbox.scheduled:
        said += f" · {mailbox.scheduled:,} more {'waits for its' if mailbox.scheduled == 1 else 'wait for their'} time"
    return said


def short_time(moment: datetime, now: datetime | None = None) -> str:
    """A time as a list shows it: the hour of today's, the day of others."""
    local, today = moment.astimezone(), (now or datetime.now(UTC)).astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" + ("" if local.year == today.year else f" {local:%Y}")
