"""A list, an issue and a sandbox that misbehaves, on each database; and the invariant that every fault has to keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery import DeliveryStatus, Tally
from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order, Plan, freeze
from newsletter.dispatch.send import Progress, Speed, send, start
from newsletter.esp.sendgrid import SendGrid
from newsletter.issue import Place, RenderedIssue, Slot
from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.store import Store
from newsletter.store.deliveries import deliveries_of, dispatch_tally
from newsletter.store.dispatches import Dispatch
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.subscriber import Subscriber

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
KEY = "SG.a-key-for-tests"
SECRET = "a secret of at least thirty-two characters"

NAME_H, NAME_T, LEAVE = "zqabcde0000h", "zqabcde0000t", "zqabcde0001l"


def rendered(variant: str) -> RenderedIssue:
    """A small rendering with a name in both parts, and the unsubscribe link."""
    return RenderedIssue(
        slug="spring-tides",
        subject=f"Hello {NAME_T}",
        preheader="",
        html=f'<p>Dear {NAME_H}</p><p>{variant}</p><a href="{LEAVE}">Unsubscribe</a>',
        text=f"Dear {NAME_T}\n{variant}\n",
        variant=variant,
        conditions=('subscriber.region == "north"',) if variant else (),
        slots=(
            Slot(NAME_H, 'subscriber.first_name or "friend"', Place.HTML),
            Slot(NAME_T, 'subscriber.first_name or "friend"', Place.TEXT),
            Slot(LEAVE, "unsubscribe_url", Place.HREF),
        ),
    )


ORDER = Order(
    issue_slug="spring-tides",
    conditions=(),
    render=rendered,
    envelope=Envelope("news@example.org", "The Letter", public_url="https://letters.example.org"),
    list_name="members",
    batch_size=10,
)


@dataclass
class Mailing:
    """What a test sends with. Closes its sandboxes."""

    store: Store
    folder: Path
    sandboxes: list[Sandbox] = field(default_factory=list)

    def people(self, count: int, list_name: str = "members", first: int = 0, **attributes: str) -> list[Subscriber]:
        """Put `count` people on a list."""
        with self.store.write() as connection:
            make_list(connection, list_name, now=NOW)
            added = add_subscribers(
                connection,
                (
                    Subscriber(0, f"p{number:04}@example.org", f"Person{number} Example", attributes)
                    for number in range(first, first + count)
                ),
                now=NOW,
            )
            join_list(connection, list_name, [person.id for person in added], source="test", now=NOW)
        return added

    def sandbox(self, *rules: str, **options: Any) -> Sandbox:
        """A sandbox with faults; given time to come up."""
        sandbox = Sandbox(
            faults=Faults(rules=tuple(map(parse_rule, rules)), **options), log=self.folder / "sandbox.jsonl"
        )
        self.sandboxes.append(sandbox.__enter__())
        return sandbox

    def plan(self, now: datetime = NOW, **changes: Any) -> Plan:
        return freeze(self.store, replace(ORDER, **changes), now=now, secret=SECRET)

    def planned(self, **changes: Any) -> Dispatch:
        dispatch = self.plan(**changes).dispatch
        assert dispatch is not None
        return dispatch

    def send(self, dispatch: Dispatch, host: str, *, timeout: float = 1.0, **options: Any) -> Progress:
        """One run of a sender, until it ends."""
        speed = options.pop("speed", Speed(connections=1))
        with SendGrid(KEY, host, timeout) as provider:
            started = start(self.store, dispatch.id, now=NOW)
            return send(self.store, provider, started, secret=SECRET, speed=speed, **options)

    def tally(self, dispatch: Dispatch) -> Tally:
        with self.store.read() as connection:
            return dispatch_tally(connection, dispatch.id)

    def statuses(self, dispatch: Dispatch) -> dict[str, DeliveryStatus]:
        with self.store.read() as connection:
            return {each.email: each.status for each in deliveries_of(connection, dispatch.id)}

    def holds(self, dispatch: Dispatch, sandbox: Sandbox, audience: int) -> None:
        """No address twice, none lost, none in doubt that isn't listed."""
        got = sandbox.accepted
        assert [email for email, count in got.items() if count > 1] == []
        statuses = self.statuses(dispatch)
        assert len(statuses) == audience == self.tally(dispatch).audience
        for email, status in statuses.items():
            if status is DeliveryStatus.ACCEPTED:
                assert got.get(email) == 1, f"{email} counts as accepted and was lost"
            elif status is not DeliveryStatus.UNCERTAIN:
                assert email not in got, f"{email} is {status} and was mailed"


@pytest.fixture
def mailing(store: Store, tmp_path: Path) -> Iterator[Mailing]:
    mailing = Mailing(store, tmp_path)
    yield mailing
    for sandbox in mailing.sandboxes:
        sandbox.__exit__(None, None, None)


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], Any]], threading.Thread]]:
    """Starts something beside the test, and waits for it at the end."""
    threads: list[threading.Thread] = []

    def begin(do: Callable[[], Any]) -> threading.Thread:
        threads.append(threading.Thread(target=do))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join(30)
