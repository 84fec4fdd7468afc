"""The sandbox in numbers: how it misbehaves, what it counted, what waits. For its page, and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from newsletter.sandbox.connection import Request, Response, json_response
from newsletter.sandbox.events import EventBook
from newsletter.sandbox.mailbox import Mailbox
from newsletter.sandbox.misbehave import FaultyServer
from newsletter.sandbox.schedule import Schedule

if TYPE_CHECKING:
    from newsletter.sandbox.webhook import Webhook

_IN_WORDS = {"pause": "paused", "cancel": "cancelled"}
_MOST_ADDRESSES = 100_000
_MOST_MAILS = 10_000
_MOST_HELD = 12
"""Lines about scheduled mails on the page."""


class Figures:
    """Reads the sandbox's parts; changes nothing."""

    def __init__(
        self, server: FaultyServer, mailbox: Mailbox, schedule: Schedule, events: EventBook, webhook: Webhook | None
    ) -> None:
        self._server, self._mailbox, self._schedule = server, mailbox, schedule
        self._events, self._webhook = events, webhook

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def scheduled(self) -> int:
        """Mails that are held for later."""
        return sum(len(held.indices) for held in self._schedule.waiting)

    def fates(self, message_ids: Iterable[str]) -> dict[str, str]:
        """What became of these messages, by their ids; nothing is said of those whose events are no longer kept."""
        wanted = set(message_ids)
        found: dict[str, str] = {}
        for mail in reversed(self._events.mails()):
            if len(found) == len(wanted):
                break
            if (message_id := f"{mail.request_id}.{mail.index}") in wanted:
                found.setdefault(message_id, mail.fate)
        return found

    def for_page(self) -> Mapping[str, Any]:
        """The values that the list's template shows above the mails."""
        statuses = self._schedule.statuses()
        held: Counter[tuple[str, datetime, str]] = Counter()
        for each in self._schedule.waiting:
            batch_id = each.batch_id or ""
            held[batch_id, each.due_at, _IN_WORDS.get(statuses.get(batch_id, ""), "")] += len(each.indices)
        only_counts = self._mailbox.keep == "counts"
        ledger = self._mailbox.ledger
        counts = [("call", "calls", self._server.calls), ("address", "addresses", ledger.size)]
        if held:
            counts += [("scheduled", "scheduled", sum(held.values()))]
        if cancelled := self._schedule.cancelled:
            counts += [("cancelled", "cancelled", cancelled)]
        if self._webhook is not None:
            counts += [("event posted", "events posted", self._webhook.posted)]
        if self._webhook is not None and self._webhook.lost:
            counts += [("event given up", "events given up", self._webhook.lost)]
        return {
            "counts": counts,
            "faults": list(self._server.faults.in_words()),
            "seed": self._server.faults.seed,
            "held": [(batch_id, due_at, status, count) for (batch_id, due_at, status), count in held.items()],
            "most_held": _MOST_HELD,
            "webhook": self._webhook,
            "only_counts": only_counts,
            "counted": ledger.messages,
        }

    def accepted(self, request: Request) -> Response:
        """`/sandbox/accepted.json`: addresses and how many messages each got; `start`, `limit`, `at_least`."""
        limit = min(number(request.query.get("limit"), 10_000), _MOST_ADDRESSES)
        start, at_least = number(request.query.get("start"), 0), number(request.query.get("at_least"), 1)
        return json_response(HTTPStatus.OK, self._mailbox.ledger.page(start, limit, at_least))

    def events(self, request: Request) -> Response:
        """`/sandbox/events.json`: the events of the mails from number `start`, oldest first, `limit` mails at once."""
        limit = min(number(request.query.get("limit"), 1000), _MOST_MAILS)
        start = number(request.query.get("start"), 0)
        mails = self._events.mails()
        found = [event for mail in mails[start : start + limit] for event in mail.events()]
        return json_response(HTTPStatus.OK, {"mails": len(mails), "events": found})


def number(value: str | None, default: int) -> int:
    """A count from a query; whatever isn't one is `default`."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else default
