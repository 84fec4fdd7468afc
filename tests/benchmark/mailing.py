"""A list of any size and an issue of realistic weight, for measuring the delivery engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order
from newsletter.issue import Place, RenderedIssue, Slot
from newsletter.store import open_store
from newsletter.store.audience import Selection
from newsletter.store.bulk import insert_rows
from newsletter.store.ids import new_ids
from newsletter.store.subscribers import make_list
from newsletter.store.tables import memberships, subscribers

SECRET = "a secret of at least thirty-two characters"
LIST = "members"
BATCH = 1000
_REGIONS = ("north", "south", "east", "west")
_ROWS_AT_ONCE = 20_000
_FIRST, _REGION, _LEAVE = 'subscriber.first_name or "friend"', "subscriber.region", "unsubscribe_url"
_TEXT = "A paragraph of an issue, about the tides and those who live with them, as long as they are. "


def rendered(variant: str = "") -> RenderedIssue:
    """60 KB of HTML, 4 KB of text, three slots in five places."""
    row = '<tr><td style="padding:0 24px;color:#1f2a30;font-size:16px;line-height:24px">' + _TEXT + "</td></tr>\n"
    rows = row * (60_000 // len(row))
    return RenderedIssue(
        slug="measured",
        subject="Tides for zqmeasu0000t",
        preheader="",
        html=f'<p>Dear zqmeasu0000h, in the zqmeasu0001h</p><table>{rows}</table><a href="zqmeasu0002l">Unsubscribe</a>',
        text=f"Dear zqmeasu0000t\n\n{_TEXT * 44}\n\nUnsubscribe: <zqmeasu0002k>\n",
        variant=variant,
        slots=(
            Slot("zqmeasu0000h", _FIRST, Place.HTML),
            Slot("zqmeasu0000t", _FIRST, Place.TEXT),
            Slot("zqmeasu0001h", _REGION, Place.HTML),
            Slot("zqmeasu0002k", _LEAVE, Place.LINK),
            Slot("zqmeasu0002l", _LEAVE, Place.HREF),
        ),
    )


def order(limit: int | None = None) -> Order:
    """The issue to the whole list, or to the first `limit`."""
    envelope = Envelope("news@example.org", "The Measured Letter", public_url="https://letters.example.org")
    return Order("measured", (), rendered, envelope, LIST, Selection(limit=limit), batch_size=BATCH)


def make_list_of(path: Path, people: int) -> None:
    """A SQLite store at `path` with `people` on a list, four attributes and sometimes a tag each."""
    now = datetime.now(UTC)
    stamp = now.strftime("%Y-%m-%d %H:%M:%S.%f")
    with open_store(f"sqlite:///{path}") as store, store.write() as connection:
        make_list(connection, LIST, now=now)
        for rows in _chunks(people, stamp):
            insert_rows(
                connection,
                subscribers,
                ("id", "address_key", "email", "name", "attributes", "tags", "created_at", "updated_at"),
                rows,
            )
            insert_rows(
                connection,
                memberships,
                ("list_name", "subscriber_id", "status", "source", "changed_at"),
                [(LIST, row[0], "active", "measured", stamp) for row in rows],
            )


def _chunks(people: int, stamp: str) -> Iterator[list[tuple[Any, ...]]]:
    ids = new_ids(people)
    for start in range(0, people, _ROWS_AT_ONCE):
        yield [_row(ids[number], number, stamp) for number in range(start, min(people, start + _ROWS_AT_ONCE))]


def _row(identity: int, number: int, stamp: str) -> tuple[Any, ...]:
    address = f"reader{number:07}@example.org"
    attributes = {
        "region": _REGIONS[number % 4],
        "city": f"Town {number % 977}",
        "member_number": str(number),
        "plan": "free",
    }
    tags = '["donor"]' if number % 10 == 0 else "[]"
    return (
        identity,
        address,
        address,
        f"Reader{number} Example",
        orjson.dumps(attributes).decode(),
        tags,
        stamp,
        stamp,
    )
