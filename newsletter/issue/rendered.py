"""What rendering makes and a dispatch owns: the frozen bytes of an issue, with tokens where it is personal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    """Where a slot stands; its values are escaped for it. The value is the last letter of the token."""

    HTML = "h"
    """Text or an attribute's value in the HTML part, or in the MJML that becomes it."""
    TEXT = "t"
    """The plain-text part, the subject or a header: as it is, on one line."""
    URL = "u"
    """A part of an address (path, query): percent-encoded, the same in both parts."""
    HREF = "l"
    """A whole address in the HTML part: checked to be http(s), mailto or tel, then escaped for an attribute."""
    LINK = "k"
    """A whole address in the plain-text part: checked the same way, written as it is."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One personalised expression at one kind of place.

    `token` is an opaque ASCII word that stands for it in the rendered bytes and nowhere else; `expression` is the
    source between the braces, e.g. `subscriber.first_name or "friend"`.
    """

    token: str
    expression: str
    place: Place


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image that travels with the message: HTML refers to it as `cid:<content_id>`."""

    content_id: str
    filename: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """One variant of an issue, frozen: everything that is the same for each of its recipients.

    `variant` has a `1` or `0` for each of `conditions` (the sources of the issue's `when:`s, in order of
    appearance) and is empty when there are none. `html` and `text` hold the tokens of `slots`. `mjml` is the
    intermediate form, kept for people; it is not sent and not part of the hash.
    """

    slug: str
    subject: str
    preheader: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    mjml: str = field(default="", repr=False, compare=False)
    variant: str = ""
    conditions: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    images: tuple[InlineImage, ...] = ()
    hosted_images: tuple[InlineImage, ...] = field(default=(), compare=False)
    """Images that don't travel but have to be served where the HTML names them."""

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over all that reaches a recipient."""
        digest = hashlib.sha256()
        for part in (self.slug, self.subject, self.preheader, self.html, self.text, self.variant):
            digest.update(part.encode())
            digest.update(b"\0")
        for slot in self.slots:
            digest.update(f"{slot.token}={slot.expression}\0".encode())
        for image in self.images:
            digest.update(f"{image.content_id}\0{image.media_type}\0".encode())
            digest.update(image.data)
        return digest.hexdigest()


def fill(text: str, substitutions: Mapping[str, str]) -> str:
    """`text` with each token replaced by its value, as the provider does it: literally, no token inside a value."""
    for token, value in substitutions.items():
        text = text.replace(token, value)
    return text
