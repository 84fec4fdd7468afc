"""One mail that the sandbox received, as its recipient sees it: the HTML in a frame without scripts, and the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from nicegui import app as site
from nicegui import ui
from starlette.responses import HTMLResponse, Response

from newsletter.outbox import is_local
from newsletter.studio.desk import Desk
from newsletter.studio.sandbox.client import NotRunning, fetch_letter
from newsletter.studio.sandbox.letter import IMAGE_TYPES, Letter, as_page, links_in
from newsletter.studio.widgets import Tone, chip, empty, facts, icon_button, words

EMAIL_POLICY = "sandbox allow-same-origin; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
"""An email runs no scripts, and fetches nothing but the images that came with it."""

FATES: dict[str, tuple[str, Tone]] = {
    "delivered": ("delivered", "good"),
    "bounce": ("bounced", "bad"),
    "spamreport": ("reported as spam", "warn"),
    "dropped": ("dropped", "bad"),
}
VIEWS = (("html", "Preview"), ("text", "Plain text"), ("links", "Links"), ("headers", "Headers"), ("source", "Source"))
WIDTHS = (("desktop", "desktop_windows", "As wide as it goes"), ("phone", "smartphone", "As wide as a phone"))


def add_routes(desk: Desk) -> None:
    """Add the addresses below `/sandbox/{mail_id}/` that the frame and its images come from, and the file."""

    async def letter_of(mail_id: str) -> Letter | None:
        if not is_local(desk.workspace):
            return None
        try:
            return await asyncio.to_thread(fetch_letter, desk.workspace.environment.sendgrid_host, mail_id)
        except NotRunning:
            return None

    @site.get("/sandbox/{mail_id}/html")
    async def html(mail_id: str) -> Response:
        letter = await letter_of(mail_id)
        if letter is None or letter.html is None:
            return Response(status_code=404)
        headers = {"Content-Security-Policy": EMAIL_POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(as_page(letter, f"/sandbox/{mail_id}/images/"), headers=headers)

    @site.get("/sandbox/{mail_id}/images/{content_id:path}")
    async def image(mail_id: str, content_id: str) -> Response:
        letter = await letter_of(mail_id)
        media_type, data = letter.images.get(content_id, ("", b"")) if letter else ("", b"")
        if media_type not in IMAGE_TYPES:
            return Response(status_code=404)
        return Response(data, media_type=media_type)

    @site.get("/sandbox/{mail_id}/mail.eml")
    async def file(mail_id: str) -> Response:
        letter = await letter_of(mail_id)
        if letter is None:
            return Response(status_code=404)
        headers = {"Content-Disposition": 'attachment; filename="mail.eml"'}
        return Response(letter.raw, media_type="message/rfc822", headers=headers)


def fate_chip(fate: str | None) -> None:
    """What became of a mail, where that is known."""
    if fate is not None:
        chip(*FATES.get(fate, (fate, "plain")))


class ReadingPane:
    """The part of the page that shows one mail. `on_close` is called when the reader goes back to the list."""

    def __init__(self, host: str, on_close: Callable[[], Any]) -> None:
        self._host, self._on_close = host, on_close
        self._view, self._width = "html", "desktop"
        self._asked = self._mail_id = ""
        self._letter: Letter | None = None
        self._box = ui.element("section").classes("sandbox_mail-pane").props('aria-label="The mail"')
        self.show_nothing()

    def show_nothing(self) -> None:
        """Show that no mail is chosen."""
        self._asked = self._mail_id = ""
        self._letter = None
        self._box.clear()
        with self._box:
            empty("drafts", "Choose a mail", "You see it here as its recipient would.")

    async def show(self, mail_id: str) -> None:
        """Fetch a mail, and show it unless another one was asked for meanwhile."""
        self._asked = mail_id
        try:
            letter = await asyncio.to_thread(fetch_letter, self._host, mail_id)
        except NotRunning:
            letter = None
        if mail_id != self._asked:
            return
        self._mail_id, self._letter = mail_id, letter
        self._draw()

    def _draw(self) -> None:
        letter = self._letter
        self._box.clear()
        with self._box:
            if letter is None:
                with ui.element("div").classes("sandbox_mail-bar"):
                    self._back()
                empty("unknown_document", "This mail isn't there", "It was removed, or the sandbox keeps no content.")
                return
            with ui.element("header").classes("sandbox_mail-head"):
                with ui.element("div").classes("row"):
                    self._back()
                    words("h2", letter.subject or "(no subject)", "grow")
                facts([("From", letter.sender), ("To", letter.to), ("Received", long_time(letter))])
            with ui.element("div").classes("sandbox_mail-bar"):
                self._views(letter)
                ui.element("div").classes("grow")
                if self._view == "html":
                    self._widths()
                download = ui.element("a").classes("sandbox_mail-download")
                download.props(f'href="/sandbox/{self._mail_id}/mail.eml" download aria-label="Save as a file"')
                with download:
                    ui.icon("sym_o_download").props("aria-hidden=true")
                    ui.tooltip("Save as a file (.eml)")
            self._content(letter)

    def _back(self) -> None:
        icon_button("arrow_back", "Back to the list", self._on_close).classes("sandbox_mail-back")

    def _views(self, letter: Letter) -> None:
        if self._view == "html" and letter.html is None:
            self._view = "text"
        with ui.element("div").classes("sandbox_mail-segments").props('role=group aria-label="Show"'):
            for view, label in VIEWS:
                made = words("button", label).props(f"type=button aria-pressed={str(view == self._view).lower()}")
                made.on("click", lambda view=view: self._turn_to(view))

    def _widths(self) -> None:
        with ui.element("div").classes("row sandbox_mail-widths"):
            for width, icon, label in WIDTHS:
                made = icon_button(icon, label, lambda width=width: self._widen(width))
                made.classes("on" if width == self._width else "")
                made.props(f"aria-pressed={str(width == self._width).lower()}")

    def _turn_to(self, view: str) -> None:
        self._view = view
        self._draw()

    def _widen(self, width: str) -> None:
        self._width = width
        self._draw()

    def _content(self, letter: Letter) -> None:
        match self._view:
            case "html":
                if letter.asks_outside:
                    words("p", "Images from the web aren't fetched here.", "sandbox_mail-note small")
                with ui.element("div").classes(f"sandbox_mail-frame {self._width}"):
                    ui.element("iframe").props(
                        f'src="/sandbox/{self._mail_id}/html" title="The mail" sandbox="allow-same-origin"'
                    )
            case "text":
                _plain(letter.text if letter.text is not None else "This mail has no plain text.")
            case "links":
                _links(letter)
            case "headers":
                with (
                    ui.element("div").classes("sandbox_mail-scroll").props("tabindex=0 role=region aria-label=Headers")
                ):
                    facts(list(letter.headers)).classes("sandbox_mail-headers")
            case _:
                _plain(letter.source, "sandbox_mail-source")


def _links(letter: Letter) -> None:
    found = links_in(letter.html or "")
    with ui.element("div").classes("sandbox_mail-scroll").props("tabindex=0 role=region aria-label=Links"):
        if not found:
            words("p", "This mail has no links.", "muted")
            return
        with ui.element("table").classes("table"), ui.element("tbody"):
            for link in found:
                with ui.element("tr"):
                    words("td", link.words or "no words")
                    with ui.element("td"):
                        made = words("a" if link.can_be_opened else "span", link.address, "mono sandbox_mail-address")
                        if link.can_be_opened:
                            made.props('target="_blank" rel="noopener noreferrer"').props["href"] = link.address


def _plain(text: str, classes: str = "") -> None:
    words("pre", text, f"sandbox_mail-scroll sandbox_mail-text {classes}").props("tabindex=0")


def long_time(letter: Letter) -> str:
    """When a mail was received, as its Date says, in this machine's time."""
    date = next((value for name, value in letter.headers if name.lower() == "date"), "")
    try:
        moment = parsedate_to_datetime(date).astimezone()
    except ValueError:
        return date
    return f"{moment.day} {moment:%B %Y, %H:%M:%S}"
