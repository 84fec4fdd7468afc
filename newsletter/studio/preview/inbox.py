"""The email's row in the inbox, about as mail clients show it: sender, subject, and what they put after it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html.parser import HTMLParser

from nicegui import ui

from newsletter.studio.rendering import Rendering
from newsletter.studio.widgets import words

SNIPPET = 170
"""Characters of the email that clients take for the row, invisible ones counted."""


@dataclass(frozen=True)
class Client:
    """A mail client's row: sizes of letters and the room for them, in pixels at its usual width."""

    key: str
    name: str
    note: str
    sender_room: int
    subject_size: float
    subject_room: int
    snippet_size: float
    snippet_room: int
    snippet_lines: int = 1
    is_phone: bool = False
    has_avatar: bool = True
    subject_is_bold: bool = True
    shares_line: bool = False
    """Whether the snippet stands behind the subject, on the same line."""


CLIENTS = (
    Client("gmail", "Gmail, on a computer", "in a window 1,280 pixels wide", 160, 14, 690, 14, 690,
           has_avatar=False, shares_line=True),
    Client("gmail-phone", "Gmail, on a phone", "on a screen 360 pixels wide", 200, 14, 240, 14, 240, is_phone=True),
    Client("apple", "Apple Mail, on an iPhone", "on a screen 375 pixels wide", 240, 15, 320, 15, 320, snippet_lines=2,
           is_phone=True, has_avatar=False, subject_is_bold=False),
    Client("outlook", "Outlook, on a computer", "in a list 320 pixels wide", 200, 14, 186, 13, 238),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What a client shows. After the subject stand `preheader` and `rest`, the words of the email that follow it."""

    client: Client
    sender: str
    subject: str
    preheader: str
    rest: str
    seen: int | None = None
    """How many characters of the subject are seen, when it is cut off."""


def rows_of(done: Rendering) -> list[Row]:
    """A rendering's row in each client."""
    name, address = done.sender
    snippet = snippet_of(done.html or "")
    preheader = " ".join(done.preheader.split())
    begins = snippet.startswith(preheader)
    return [_row(client, name or address, done.subject, preheader if begins else "", snippet) for client in CLIENTS]


def _row(client: Client, sender: str, subject: str, preheader: str, snippet: str) -> Row:
    shown, seen = cut(subject, client.subject_room, client.subject_size, bold=client.subject_is_bold)
    room = client.snippet_room * client.snippet_lines
    if client.shares_line:
        room = max(0, room - round(width(shown, client.subject_size, bold=True)) - 20)
    text, _ = cut(snippet, room, client.snippet_size)
    rest = text[len(preheader) :]
    if not any(map(_em, rest.rstrip("…").replace(" ", ""))):
        rest = ""  # themes put what can't be seen after a preheader, so that no other words follow it
    return Row(client, cut(sender, client.sender_room, 15, bold=True)[0], shown, text[: len(preheader)], rest, seen)


def notes_on(done: Rendering, rows: list[Row]) -> list[str]:
    """What an author should know about the rows."""
    notes = []
    phones = [row for row in rows if row.client.is_phone and row.seen is not None]
    if phones:
        seen = min(row.seen or 0 for row in phones)
        notes.append(
            f"On phones the subject is cut off: about {seen} of its {len(done.subject)} characters are seen. "
            "Let the words that count come first."
        )
    if not done.preheader:
        notes.append("There is no preheader: the first words of the email stand in its place.")
    elif not rows[0].preheader:
        notes.append("The theme doesn't put the preheader first: clients show other words.")
    return notes


def cut(text: str, room: float, size: float, *, bold: bool = False) -> tuple[str, int | None]:
    """As much of `text` as takes `room` pixels, and how many characters of it; None when that is all."""
    text = text.strip()
    taken, fits = 0.0, 0
    dots = _em("…") * size
    for number, character in enumerate(text):
        taken += _em(character) * size * (1.06 if bold else 1)
        if taken <= room - dots:
            fits = number + 1
        if taken > room:
            kept = text[:fits].rstrip()
            return kept + "…", len(kept)
    return text, None


def width(text: str, size: float, *, bold: bool = False) -> float:
    """About how many pixels `text` takes in a sans-serif font."""
    return sum(map(_em, text)) * size * (1.06 if bold else 1)


_WIDTHS = (
    ("ijl'|", 0.23),
    (' !,./:;I[]\\ft()-`r"', 0.3),
    ("Jcksvxyz*{}^", 0.49),
    ("ABEKPSVXYCDHNRUw&", 0.69),
    ("GOQMm%W@—", 0.86),
    ("…", 1.0),
)


@cache
def _em(character: str) -> float:
    """About how wide a character is, in sizes of its font."""
    for characters, em in _WIDTHS:
        if character in characters:
            return em
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in ("W", "F") else 0.56


def snippet_of(html: str) -> str:
    """The first words of an email, hidden ones too, as clients take them; white space is one space."""
    reader = _Words()
    begin = max(html.find("<body"), 0)
    for start in range(begin, len(html), 4000):
        reader.feed(html[start : start + 4000])
        text = re.sub(r"[ \t\r\n\f]+", " ", "".join(reader.parts)).strip()
        if len(text) > SNIPPET:
            return text[:SNIPPET]
    return re.sub(r"[ \t\r\n\f]+", " ", "".join(reader.parts)).strip()


class _Words(HTMLParser):
    """The words of a page, with the alternative texts of its pictures."""

    _SILENT = ("style", "script", "title")
    _INLINE = ("a", "b", "em", "i", "span", "strong", "sup", "sub", "u", "s", "code", "small", "font")

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag == "img":
            self.parts.append(dict(attrs).get("alt") or "")
        if tag not in self._INLINE:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT
        if tag not in self._INLINE:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


class InboxView:
    """The rows, one client below the other."""

    def __init__(self) -> None:
        self._drawn: object = None
        self._box = ui.element("div").classes("preview-inbox").props('tabindex=0 role=region aria-label="Inbox"')

    def show(self, done: Rendering) -> None:
        """Show a rendering that succeeded."""
        rows = rows_of(done)
        notes = notes_on(done, rows)
        if self._drawn == (rows, notes):
            return
        self._drawn = (rows, notes)
        self._box.clear()
        with self._box:
            for note in notes:
                with ui.element("div").classes("banner warn").props("role=status"):
                    words("span", note, "banner-text")
            for row in rows:
                _draw(row)
            words("p", "About as these clients show it, before it is read. What readers see depends on their fonts, "
                  "their window and their settings.", "muted small")  # fmt: skip


def _draw(row: Row) -> None:
    client = row.client
    with ui.element("section").classes("preview-client").props(f'aria-label="{client.name}"'):
        with ui.element("div").classes("preview-client-name"):
            words("h2", client.name)
            words("span", f"about as it is {client.note}", "muted small")
        box = ui.element("div").classes("preview-client-mail")
        if client.shares_line:
            box.props(f'tabindex=0 role=group aria-label="{client.name}: the row"')
        with box, ui.element("div").classes(f"preview-mail preview-mail-{client.key}"):
            if client.has_avatar:
                words("span", _initial(row.sender), "preview-avatar").props("aria-hidden=true")
            words("span", row.sender, "preview-sender")
            words("span", f"{datetime.now().astimezone():%H:%M}", "preview-when num")
            with ui.element("span").classes("preview-words"):
                tag = "strong" if client.subject_is_bold else "span"
                words(tag, row.subject, "preview-subject").props("dir=auto")
                with ui.element("span").classes("preview-snippet").props("dir=auto"):
                    if client.shares_line:
                        words("span", " – ")
                    words("span", row.preheader)
                    if row.rest:
                        words("span", row.rest, "preview-rest").props('title="What follows in the email"')


def _initial(sender: str) -> str:
    return next((character.upper() for character in sender if character.isalnum()), "?")
