"""Rules about what reaches the inbox: size, links, lines."""

from __future__ import annotations

import re

from newsletter.errors import Location, Problem, Severity
from newsletter.issue import RenderedIssue
from newsletter.settings import Settings
from newsletter.source import Source, problem_at

GMAIL_CLIPS_AT = 102_400
"""Bytes of HTML beyond which Gmail cuts an email off."""
CLIP_WARNING = 90_000
TRACKED_LINK = 200
"""Bytes that a link grows by when the provider rewrites it to count clicks; an allowance."""


def check_rendered(rendered: RenderedIssue, source: Source, settings: Settings) -> list[Problem]:
    """Problems of a rendering."""
    problems = []
    size = len(rendered.html.encode())
    links = len(re.findall(r"<a [^>]*href=", rendered.html))
    grown = size + (links * TRACKED_LINK if settings.tracking.clicks else 0)
    tracked = f", with the {links} links rewritten to count clicks about {grown:,}" if grown != size else ""
    if grown > GMAIL_CLIPS_AT:
        message = f"the email has {size:,} bytes{tracked}; Gmail cuts off at {GMAIL_CLIPS_AT:,}"
        problems.append(
            Problem(
                "too-large", message, Location(source.file), "shorten it, or choose a theme with less around each story"
            )
        )
    elif grown > CLIP_WARNING:
        message = f"the email has {size:,} bytes{tracked}; Gmail cuts off at {GMAIL_CLIPS_AT:,}"
        problems.append(Problem("nearly-too-large", message, Location(source.file), severity=Severity.WARNING))
    if settings.unsubscribe is None and settings.public_url is None:
        hint = "add `unsubscribe: {group_id: NUMBER}` (SendGrid's group) to newsletter.yaml, or `public_url:`"
        message = "nobody could unsubscribe; a send will be refused"
        problems.append(Problem("no-unsubscribe", message, Location("newsletter.yaml"), hint, Severity.WARNING))
    longest = max(rendered.html.encode().split(b"\n"), key=len)
    if len(longest) > 998:
        message = f"a line of {len(longest):,} bytes can't be broken: a word, or an address, that long is in the issue"
        problems.append(
            problem_at(
                source, (), "long-line", message, hint="mail servers may break it anywhere", severity=Severity.WARNING
            )
        )
    return problems
