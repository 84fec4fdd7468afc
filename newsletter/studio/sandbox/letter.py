"""A mail as its recipient's program reads it: the HTML, the text, the images inside, the headers, where links lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import quote, unquote

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What is shown of what a mail brings along."""

_CID = re.compile(r"cid:([^\"'\s)<>]+)")
_OUTSIDE = re.compile(r"<img[^>]*\ssrc=[\"']?https?:", re.IGNORECASE)


@dataclass(frozen=True)
class Letter:
    """A mail taken apart. `html` and `text` are None where there is no such part; `images` go by their Content-ID."""

    subject: str
    sender: str
    to: str
    headers: tuple[tuple[str, str], ...]
    html: str | None = field(repr=False)
    text: str | None = field(repr=False)
    images: Mapping[str, tuple[str, bytes]] = field(repr=False)
    """Media type and bytes."""
    raw: bytes = field(repr=False)

    @property
    def source(self) -> str:
        """The MIME source as text."""
        return self.raw.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def asks_outside(self) -> bool:
        """Whether images of the mail would be fetched from the web."""
        return self.html is not None and _OUTSIDE.search(self.html) is not None


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link of a mail: its words, which may be an image's, and where it leads."""

    words: str
    address: str

    @property
    def can_be_opened(self) -> bool:
        """Whether it is an address that a browser or a mail program takes."""
        return self.address.lower().startswith(("http://", "https://", "mailto:", "tel:"))


def read_letter(raw: bytes) -> Letter:
    """Take a MIME message apart."""
    message = message_from_bytes(raw, policy=policy.default)
    images = {
        str(part["Content-ID"]).strip("<> "): (part.get_content_type(), bytes(part.get_payload(decode=True) or b""))
        for part in message.walk()
        if part["Content-ID"]
    }
    return Letter(
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        headers=tuple((name, str(value)) for name, value in message.items()),
        html=_body(message, "html"),
        text=_body(message, "plain"),
        images=images,
        raw=raw,
    )


def as_page(letter: Letter, folder: str) -> str:
    """The HTML part with its images read from `folder`, an address that ends in `/`. A click on a link does nothing."""

    def address(found: re.Match[str]) -> str:
        content_id = unquote(found[1])  # RFC 2392: percent-encoded in the address
        return folder + quote(content_id, safe="") if content_id in letter.images else found[0]

    # At the end, since anything before a doctype brings on quirks mode.
    return _CID.sub(address, letter.html or "") + '<base target="_blank">'


def links_in(html: str) -> list[LinkSeen]:
    """The links of an HTML part in the order in which they stand there."""
    reader = _Links()
    reader.feed(html)
    reader.close()
    return reader.found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[LinkSeen] = []
        self._address: str | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self._address, self._words = given["href"], []
        elif tag == "img" and self._address is not None:
            self._words.append(given.get("alt") or "")

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address is not None:
            self.found.append(LinkSeen(" ".join(" ".join(self._words).split()), self._address.strip()))
            self._address = None


def _body(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body((subtype,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n")
