"""What differs from the last issue that a list got: what an editor would want to notice before sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from newsletter.dispatch.envelope import Envelope
from newsletter.issue import RenderedIssue, fill
from newsletter.store.audience import Selection
from newsletter.store.deliveries import dispatch_tally
from newsletter.store.dispatches import Dispatch, dispatches_of, renderings

_NOTABLE_SHARE = 0.2
"""A change of more than this in recipients or size is worth a look."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A sending in the figures that are compared. `size` is in bytes of HTML, of the largest variant; `theme` and
    `blocks` are None when the issue's file is gone.
    """

    slug: str
    recipients: int
    subject: str
    preheader: str
    envelope: Envelope
    selection: Selection
    size: int
    variants: int
    theme: str | None = None
    blocks: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was, in a sentence. `tone` is `warn` when it is often a mistake."""

    text: str
    tone: Literal["plain", "warn"] = "plain"


def subject_words(rendered: RenderedIssue) -> str:
    """The subject with its personal parts as they were written."""
    return fill(rendered.subject, {slot.token: f"{{{{ {slot.expression} }}}}" for slot in rendered.slots})


def preheader_words(rendered: RenderedIssue) -> str:
    """The preheader with its personal parts as they were written."""
    return fill(rendered.preheader, {slot.token: f"{{{{ {slot.expression} }}}}" for slot in rendered.slots})


def last_sent_to(connection: Any, list_name: str, *, but: str) -> Dispatch | None:
    """The newest sending to a list that reached anybody, of another issue than `but`."""
    for dispatch in reversed(dispatches_of(connection)):
        if dispatch.list_name == list_name and dispatch.issue_slug != but:
            tally = dispatch_tally(connection, dispatch.id)
            if tally.accepted + tally.uncertain:
                return dispatch
    return None


def outline_of(connection: Any, dispatch: Dispatch) -> Outline:
    """What a dispatch was, without what only its file knows."""
    frozen = renderings(connection, dispatch)
    one = next(iter(frozen.values()))
    tally = dispatch_tally(connection, dispatch.id)
    return Outline(
        slug=dispatch.issue_slug,
        recipients=tally.audience - tally.suppressed - tally.cancelled,
        subject=subject_words(one),
        preheader=preheader_words(one),
        envelope=Envelope.from_json(dispatch.envelope),
        selection=Selection.from_json(dispatch.audience),
        size=max(len(each.html.encode()) for each in frozen.values()),
        variants=len(frozen),
        at=dispatch.started_at or dispatch.planned_at,
    )


def differences(now: Outline, then: Outline) -> list[Difference]:
    """What of `now` isn't as it was `then`, the most telling first."""
    return [
        *_recipients(now, then),
        *_same_words(now, then),
        *_envelope(now.envelope, then.envelope),
        *_audience(now.selection, then.selection),
        *_content(now, then),
    ]


def _recipients(now: Outline, then: Outline) -> list[Difference]:
    change = now.recipients - then.recipients
    if not change:
        return []
    tone = _tone(now.recipients, then.recipients)
    word = "more" if change > 0 else "fewer"
    people = "recipient" if abs(change) == 1 else "recipients"
    return [Difference(f"{abs(change):,} {word} {people} than last time: {then.recipients:,} then", tone)]


def _same_words(now: Outline, then: Outline) -> list[Difference]:
    found = []
    if _folded(now.subject) == _folded(then.subject):
        found.append(Difference("Same subject as last time", "warn"))
    if now.preheader and _folded(now.preheader) == _folded(then.preheader):
        found.append(Difference("Same preheader as last time", "warn"))
    return found


def _envelope(now: Envelope, then: Envelope) -> list[Difference]:
    found = []
    if now.from_email.lower() != then.from_email.lower():
        found.append(Difference(f"Sender changed: {then.from_email} last time, now {now.from_email}", "warn"))
    if now.from_name != then.from_name:
        found.append(Difference(f"Sender's name changed: {then.from_name} last time, now {now.from_name}", "warn"))
    if (now.reply_to or "").lower() != (then.reply_to or "").lower():
        was, is_now = then.reply_to or "the sender", now.reply_to or "the sender"
        found.append(Difference(f"Replies went to {was} last time, and go to {is_now} now"))
    if _leaving(now) != _leaving(then):
        found.append(Difference(f"People left by {_leaving(then)} last time, and leave by {_leaving(now)} now", "warn"))
    for word, is_on, was_on in (
        ("Openings", now.track_opens, then.track_opens),
        ("Clicks", now.track_clicks, then.track_clicks),
    ):
        if is_on != was_on:
            found.append(Difference(f"{word} are counted now" if is_on else f"{word} aren't counted any more"))
    return found


def _leaving(envelope: Envelope) -> str:
    return envelope.public_url or f"the provider's unsubscribe group {envelope.unsubscribe_group}"


def _audience(now: Selection, then: Selection) -> list[Difference]:
    found = []
    if now.segment != then.segment:
        was = f"only those for whom {then.segment}" if then.segment else "the whole list"
        is_now = f"only those for whom {now.segment}" if now.segment else "the whole list"
        found.append(Difference(f"To {is_now}; last time to {was}"))
    if now.exclude_lists != then.exclude_lists:
        found.append(Difference(f"Lists left out: {_named(now.exclude_lists)}; last time {_named(then.exclude_lists)}"))
    if now.limit != then.limit:
        is_now = f"At most {now.limit:,} get it" if now.limit else "Not limited"
        found.append(Difference(f"{is_now}; last time {f'at most {then.limit:,}' if then.limit else 'no limit'}"))
    return found


def _content(now: Outline, then: Outline) -> list[Difference]:
    found = []
    if now.theme and then.theme and now.theme != then.theme:
        found.append(Difference(f"Theme {now.theme}; last time {then.theme}"))
    if now.blocks is not None and then.blocks is not None and now.blocks != then.blocks:
        blocks = "block" if now.blocks == 1 else "blocks"
        found.append(Difference(f"{now.blocks} {blocks}; last time {then.blocks}"))
    if now.variants != then.variants:
        found.append(Difference(f"{now.variants} variant{'s' * (now.variants != 1)}; last time {then.variants}"))
    if _tone(now.size, then.size) == "warn":
        found.append(Difference(f"{now.size / 1024:,.0f} KB of HTML; last time {then.size / 1024:,.0f} KB"))
    return found


def _tone(now: int, then: int) -> Literal["plain", "warn"]:
    return "warn" if abs(now - then) > _NOTABLE_SHARE * max(then, 1) else "plain"


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
