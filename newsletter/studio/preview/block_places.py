"""Where the blocks of a text come out in its rendering, and where Gmail cuts it off; runs in the rendering process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.errors import NewsletterError
from newsletter.studio.rendering import Request, edition_of, variant_for

_LINK = re.compile(rb"<a [^>]*href=")


@dataclass(frozen=True)
class Found:
    """The path (child by child, from `<body>`) of the element at which the output of each block begins, with the
    block's number in the file (None where it comes from the settings); and the path of the element that Gmail cuts."""

    blocks: tuple[tuple[tuple[int, ...], int | None], ...] = ()
    cut: tuple[int, ...] | None = None


def places_of(request: Request, source: str = "", limit: int = 0, link: int = 0) -> Found:
    """The places in the rendering of `request`; none when it can't be rendered.

    `source` is given when the HTML is longer than `limit` bytes, each of its links being `link` bytes longer by the
    time it arrives.
    """
    from newsletter.render.places import block_places, clipped_at

    try:
        edition = edition_of(request)
        variant = variant_for(edition, request)
        cut = clipped_at(source, reached(source, limit, link)) if source else None
        return Found(block_places(edition.inputs, variant), cut)
    except NewsletterError:
        return Found()


def reached(source: str, limit: int, link: int) -> int:
    """How many bytes of `source` fit into `limit` when each of its links grows by `link`."""
    raw = source.encode()
    if not link:
        return limit
    grown = 0
    for found in _LINK.finditer(raw):
        if found.start() + grown >= limit:
            break
        grown += link
    return min(limit - grown, len(raw))
