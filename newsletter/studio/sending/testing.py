"""Send test: an issue to a few addresses of one's own, as one reader would get it, and what the provider said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from nicegui import background_tasks, ui
from starlette.requests import Request as HttpRequest

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.errors import NewsletterError, WorkspaceError, errors_in
from newsletter.esp import Accepted, NotSent, Outcome, Throttled, Uncertain
from newsletter.outbox import TEST_MARK, is_local, outcome_words, send_tests
from newsletter.store.subscribers import subscriber_by_address
from newsletter.studio.checks.arriving import arriving
from newsletter.studio.checks.examining import lines_at
from newsletter.studio.checks.problem_list import capital, sentences, show_problems, use_problem_list
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame, issue_address, no_issue, on_leave
from newsletter.studio.preview.reader_picker import ReaderPicker
from newsletter.studio.rendering import Rendering, Request
from newsletter.studio.sandbox.client import NotASandbox, NotRunning, list_mails
from newsletter.studio.sending.addressees import Addressees
from newsletter.studio.widgets import Tone, banner, button, card, chip, facts, say, use, words
from newsletter.subscriber import Subscriber, sample_subscriber
from newsletter.workspace import STATE, Edition

LOOK_EVERY = 3.0
"""Seconds between two looks whether the sandbox runs."""

Provider = Literal["real", "sandbox", "away"]


def add_pages(desk: Desk) -> None:
    """Add `/issue/{stem}/test`."""

    @ui.page("/issue/{stem}/test")
    async def page(request: HttpRequest, stem: str) -> None:
        path = desk.issue_path(stem)
        with frame(desk, request, title=stem, place="issues", stem=stem, tab="test"):
            if path is None:
                no_issue(stem)
                return
            testing = TestPage(desk, path)
        await ui.context.client.connected()
        await testing.refresh()
        on_leave(desk.listen(testing.changed))
        on_leave(testing.close)


class TestPage:
    """The page. What it sends is the file as it is on the disk."""

    __test__ = False  # it isn't one of pytest's

    def __init__(self, desk: Desk, path: Path) -> None:
        self._desk, self._path = desk, path
        self._client = ui.context.client
        self._person: Subscriber | None = None
        self._provider: Provider | None = None
        self._done: Rendering | None = None
        self._is_sending = False
        use("testing.css", "testing.js")
        use_problem_list()
        with ui.element("div").classes("wide testing"):
            with ui.element("div").classes("testing-form"):
                self._notice = ui.element("div")
                with card("To"):
                    self._to = Addressees(desk.root / STATE, self._draw_button)
                with card("As whom"):
                    ReaderPicker(desk, self._choose, "The personal parts are filled for")
                    words("p", "Nobody is mailed but the addresses above.", "muted small testing-hint")
                with ui.element("div").classes("testing-send"):
                    self._button = button("Send test", self.send, icon="outgoing_mail", kind="primary")
                    self._button.props("data-send-test")
                    with ui.element("span").classes("muted small testing-keys"):
                        words("kbd", "Ctrl")
                        words("kbd", "Enter")
                self._results = ui.element("section").classes("testing-results").props('aria-label="Results"')
            with ui.element("div").classes("testing-look"), card("What goes out"):
                self._look = ui.element("div").classes("stack")
                with self._look:
                    words("p", "Rendering …", "muted")
        ui.timer(LOOK_EVERY, self._find_provider)
        self._draw_button()

    def changed(self, files: set[Path]) -> None:
        """Show what the issue has become."""
        if self._desk.concerns(self._path, files):
            with self._client:
                background_tasks.create(self.refresh(), name="test mail")

    async def refresh(self) -> None:
        """Render the issue as the chosen reader gets it, and show what goes out."""
        request = Request(self._desk.root, self._path, person=self._person, check=True)
        done = await self._desk.render(request, self)
        if done is None:
            return
        self._done = done
        lines = await asyncio.to_thread(lines_at, [each.location for each in done.problems], self._desk.root)
        self._look.clear()
        with self._look:
            if done.html is not None:
                self._show(done)
            errors = errors_in(done.problems)
            if done.html is None and not errors:
                banner(done.failure or "It can't be rendered.", "bad")
            if errors:
                cannot = "It can't be rendered before this is mended:"
                say_so = cannot if done.html is None else "It isn't fit to be sent to readers:"
                words("p", say_so, "testing-faults")
                show_problems(errors, lines, self._path.stem)
            elif done.problems:
                with ui.element("a").classes("small").props(f'href="{issue_address(self._path.stem, "checks")}"'):
                    count = len(done.problems)
                    ui.label("One thing to look at" if count == 1 else f"{count} things to look at")
        self._draw_button()

    def close(self) -> None:
        """The page was closed."""
        self._desk.renderer.forget(self)

    async def _choose(self, person: Subscriber | None) -> None:
        self._person = person
        await self.refresh()

    # What goes out, and where to.

    def _show(self, done: Rendering) -> None:
        name, address = done.sender
        with ui.element("div").classes("testing-mail"):
            words("span", (name or address)[:1].upper(), "testing-avatar").props("aria-hidden=true")
            with ui.element("div").classes("testing-mail-words"):
                words("span", name or address, "testing-sender ellipsis")
                words("span", TEST_MARK + done.subject, "testing-subject")
                words("span", done.preheader, "muted small")
        part = done.size / GMAIL_CLIPS_AT
        facts(
            [
                ("From", f"{name} <{address}>" if name else address),
                ("Size", f"{done.size:,} bytes of HTML, {part:.0%} of what Gmail shows"),
                ("Personal parts", f"{len(done.slots)}" if done.slots else "none"),
            ]
        )

    async def _find_provider(self) -> None:
        """See whom the workspace sends to, and say so."""
        workspace = self._desk.workspace
        if not is_local(workspace):
            provider: Provider = "real"
        else:
            try:
                await asyncio.to_thread(list_mails, workspace.environment.sendgrid_host)
                provider = "sandbox"
            except NotASandbox:
                provider = "sandbox"  # somebody takes what is sent there: it will be seen what comes of it
            except NotRunning:
                provider = "away"
        if provider != self._provider:
            self._provider = provider
            self._draw_notice()

    def _draw_notice(self) -> None:
        host = urlsplit(self._desk.workspace.environment.sendgrid_host).netloc
        self._notice.clear()
        with self._notice:
            match self._provider:
                case "real":
                    banner(f"This is real mail: it goes out through {host}.", "info")
                case "sandbox":
                    with banner("It goes to the sandbox on this machine, and no further.", "good"):
                        words("a", "Open the sandbox").props('href="/sandbox"')
                case "away":
                    text = f"The sandbox isn't running: nothing answers at {host}. Start it here, or run"
                    with banner("", "warn") as shown:
                        shown.clear()
                        with ui.element("span").classes("banner-text"):
                            words("span", text + " ")
                            words("code", "newsletter sandbox")
                        button("Start it here", self._start, icon="play_arrow")

    async def _start(self) -> None:
        try:
            await asyncio.to_thread(self._desk.start_sandbox)
        except WorkspaceError as error:
            say(sentences(error), "bad")
        await self._find_provider()

    def _draw_button(self) -> None:
        count = len(self._to.chosen)
        label = "Sending …" if self._is_sending else f"Send to {count} addresses" if count > 1 else "Send test"
        self._button.set_text(label)
        self._button.set_enabled(not self._is_sending and self._done is not None and self._done.html is not None)

    # Sending.

    async def send(self) -> None:
        """Send to each address that is chosen, and show what the provider says of each."""
        if self._is_sending or not self._to.take_typed():
            return
        addresses = self._to.chosen
        if not addresses:
            self._to.ask_for_one()
            return
        self._is_sending = True
        self._draw_button()
        self._results.clear()
        with self._results, card("What the provider said"):
            rows = {address: Row(address) for address in addresses}
            stopped = ui.element("div")
        email = self._person.email if self._person else None
        try:
            async for address, outcome in arriving(lambda: _sent(self._desk, self._path, email, addresses)):
                rows[address].show(outcome, seen_in_sandbox=self._provider == "sandbox")
        except NewsletterError as error:
            with stopped:
                banner(". ".join(filter(None, (capital(error.message), capital(error.hint or "")))), "bad").props(
                    "role=alert"
                )
        finally:
            self._is_sending = False
            for row in rows.values():
                row.end()
            self._draw_button()
        await self._find_provider()


class Row:
    """What became of a test to one address."""

    def __init__(self, address: str) -> None:
        self._is_waiting = True
        with ui.element("div").classes("testing-result").props("role=status"):
            with ui.element("div").classes("row"):
                words("span", address, "testing-to ellipsis grow")
                self._state = ui.element("span").classes("row")
                with self._state:
                    words("span", "sending …", "muted small")
                    ui.spinner(size="18px").props("aria-hidden=true")
            self._said = words("p", "", "small muted testing-words")

    def show(self, outcome: Outcome, *, seen_in_sandbox: bool) -> None:
        """Show what the provider said."""
        self._said.set_text(capital(outcome_words(outcome)))
        self._end(*state_of(outcome))
        if seen_in_sandbox and isinstance(outcome, Accepted) and outcome.message_id:
            with self._state:
                link = words("a", "See it", "small")
                link.props["href"] = f"/sandbox/{outcome.message_id}.0"
                link.move(target_index=0)

    def end(self) -> None:
        """Nothing more comes."""
        if self._is_waiting:
            self._end("not sent", "plain")

    def _end(self, word: str, tone: Tone) -> None:
        self._is_waiting = False
        self._state.clear()
        with self._state:
            chip(word, tone)


def state_of(outcome: Outcome) -> tuple[str, Tone]:
    """What became of a test in a word, with its tone."""
    match outcome:
        case Accepted():
            return "accepted", "good"
        case Uncertain():
            return "uncertain", "warn"
        case NotSent() | Throttled():
            return "not sent", "bad"
        case _:
            return "refused", "bad"


def _sent(desk: Desk, path: Path, email: str | None, addresses: tuple[str, ...]) -> Iterator[tuple[str, Outcome]]:
    """Send, as the person with the address `email` or the sample reader would get it. Raises as `send_tests` does."""
    person = sample_subscriber()
    if email is not None:
        with desk.store.read() as connection:
            found = subscriber_by_address(connection, email)
        if found is None:
            raise WorkspaceError(f"there is no subscriber {email} any more", hint="choose another reader")
        person = found
    edition = Edition.read(desk.workspace, path)
    with desk.workspace.open_provider() as provider:
        yield from send_tests(provider, edition, person, addresses)
