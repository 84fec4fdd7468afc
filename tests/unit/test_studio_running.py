"""Sendings in threads of the Studio: one at a time for each dispatch, ended cleanly, and resumed by another program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from newsletter.delivery import DispatchState, Tally
from newsletter.dispatch.plan import Order
from newsletter.dispatch.ramp import Ramp
from newsletter.dispatch.send import Speed
from newsletter.errors import DispatchError, NewsletterError, ProviderError
from newsletter.outbox import order_of
from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.store import Store
from newsletter.store.deliveries import dispatch_tally
from newsletter.store.dispatches import dispatch_by_id, dispatches_of
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.studio.sending.running import CLOSED, RunningSend, Sends
from newsletter.studio.sending.standing import Phase, read_standing
from newsletter.subscriber import Subscriber
from newsletter.workspace import Workspace

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
ISSUE = """\
subject: Tides for {{ subscriber.first_name or "friend" }}
preheader: High water at noon
slug: spring-tides
blocks:
  - type: text
    body: Hello
"""
ONE_CALL = Speed(connections=1)


class Office:
    """A workspace with a list of 60 in batches of 10, a sandbox, and the sendings of a Studio."""

    def __init__(self, workspace: Workspace, store: Store, sandbox: Sandbox) -> None:
        self.workspace, self.store, self.sandbox = workspace, store, sandbox
        self.sends = Sends()
        self.people(60)

    def people(self, count: int, first: int = 0) -> None:
        with self.store.write() as connection:
            make_list(connection, "members", now=NOW)
            people = [Subscriber(0, f"p{number:03}@example.org", "A Person") for number in range(first, first + count)]
            added = add_subscribers(connection, people, now=NOW)
            join_list(connection, "members", [each.id for each in added], source="test", now=NOW)

    def order(self, **changes: Any) -> Order:
        order = order_of(self.workspace.load("one"), list_name="members")
        return replace(order, batch_size=10, **changes)

    def confirm(
        self, count: int | None, speed: Speed = ONE_CALL, stages: Ramp | None = None, **changes: Any
    ) -> int | None:
        """The number of the dispatch that is being sent; None when none is."""
        plan = self.sends.confirmed(self.workspace, self.store, self.order(**changes), count, speed, stages)
        return plan.dispatch.id if plan.dispatch else None

    def run(self, number: int | None) -> RunningSend:
        assert number is not None
        run = self.sends.of(number)
        assert run is not None
        return run

    def phase(self, number: int, sends: Sends | None = None) -> Phase:
        standing = read_standing(self.store, sends or self.sends, number, datetime.now(UTC))
        assert standing is not None
        return standing.phase

    def tally(self, number: int) -> Tally:
        with self.store.read() as connection:
            return dispatch_tally(connection, number)


@pytest.fixture
def office(workspace_folder: Path, store: Store) -> Iterator[Callable[..., Office]]:
    """Makes an Office whose sandbox misbehaves as it is told."""
    (workspace_folder / "issues" / "one.yaml").write_text(ISSUE, "utf-8")
    opened: list[Sandbox] = []
    offices: list[Office] = []

    def make(*rules: str, **faults: Any) -> Office:
        sandbox = Sandbox(faults=Faults(rules=tuple(map(parse_rule, rules)), **faults)).__enter__()
        opened.append(sandbox)
        key = SecretStr("SG.a-key-for-tests")
        workspace = Workspace.open(workspace_folder)
        workspace = workspace.with_environment(sendgrid_host=sandbox.url, sendgrid_api_key=key)
        offices.append(Office(workspace, store, sandbox))
        return offices[-1]

    yield make
    for each in offices:
        each.sends.close()
    for sandbox in opened:
        sandbox.__exit__(None, None, None)


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def test_everybody_gets_it_once_when_the_number_is_right(office: Callable[..., Office]) -> None:
    here = office()
    number = here.confirm(60)
    assert number is not None
    assert here.run(number).wait(30)
    assert here.phase(number) is Phase.COMPLETE
    assert here.tally(number) == Tally(accepted=60)
    assert len(here.sandbox.accepted) == 60
    assert set(here.sandbox.accepted.values()) == {1}
    progress = here.run(number).progress
    assert progress is not None
    assert progress.tally.accepted == 60
    assert here.run(number).points[-1][1] == 60


@pytest.mark.parametrize("count", [None, 59, 61, 0])
def test_another_number_sends_nothing_and_keeps_nothing(office: Callable[..., Office], count: int | None) -> None:
    here = office()
    assert here.confirm(count) is None
    with here.store.read() as connection:
        assert dispatches_of(connection) == []
    assert here.sandbox.requests == 0


def test_a_list_that_grew_meanwhile_is_not_sent_to(office: Callable[..., Office]) -> None:
    here = office()
    here.people(1, first=60)
    plan = here.sends.confirmed(here.workspace, here.store, here.order(), 60, ONE_CALL, None)
    assert (plan.dispatch, plan.recipients) == (None, 61)
    assert here.sandbox.requests == 0
    assert here.confirm(61) is not None


def test_one_sender_at_a_time(office: Callable[..., Office]) -> None:
    here = office(latency=(0.1, 0.1))
    number = here.confirm(60)
    assert number is not None
    with pytest.raises(DispatchError, match="being sent already"):
        here.sends.begin(here.workspace, here.store, number, ONE_CALL, None)
    until(lambda: here.sandbox.requests >= 1)
    with pytest.raises(DispatchError, match="another program"):
        Sends().begin(here.workspace, here.store, number, ONE_CALL, None)
    assert here.phase(number) is Phase.SENDING
    assert here.phase(number, Sends()) is Phase.ELSEWHERE
    assert here.run(number).wait(30)
    assert set(here.sandbox.accepted.values()) == {1}


def test_closing_lets_calls_end_and_another_goes_on(office: Callable[..., Office]) -> None:
    here = office(latency=(0.1, 0.1))
    number = here.confirm(60)
    assert number is not None
    until(lambda: here.sandbox.requests >= 2)
    here.sends.close()
    counted = here.tally(number)
    assert counted.sending == counted.uncertain == 0
    assert 0 < counted.accepted < 60
    with here.store.read() as connection:
        dispatch = dispatch_by_id(connection, number)
    assert dispatch is not None
    assert (dispatch.state, dispatch.stop_reason) == (DispatchState.PAUSED, CLOSED)
    with pytest.raises(DispatchError, match="being closed"):
        here.sends.begin(here.workspace, here.store, number, ONE_CALL, None)
    again = Sends()
    assert here.phase(number, again) is Phase.PAUSED
    assert again.begin(here.workspace, here.store, number, ONE_CALL, None).wait(30)
    assert here.phase(number, again) is Phase.COMPLETE
    assert len(here.sandbox.accepted) == 60
    assert set(here.sandbox.accepted.values()) == {1}


def test_without_a_key_nothing_is_kept(office: Callable[..., Office]) -> None:
    here = office()
    here.workspace = here.workspace.with_environment(sendgrid_api_key=None)
    with pytest.raises(ProviderError):
        here.confirm(60)
    with here.store.read() as connection:
        assert dispatches_of(connection) == []


def test_what_stopped_says_why_and_can_go_on(office: Callable[..., Office]) -> None:
    here = office(credits=25)
    number = here.confirm(60)
    assert number is not None
    assert here.run(number).wait(30)
    standing = read_standing(here.store, here.sends, number, datetime.now(UTC))
    assert standing is not None
    assert (standing.phase, standing.tally.accepted, standing.can_resume) == (Phase.STOPPED, 20, True)
    assert standing.dispatch.stop_reason


def test_a_ramp_is_kept_when_it_is_resumed(office: Callable[..., Office]) -> None:
    """A dispatch that was planned as a ramp goes on as one, though nobody says so again."""
    here = office(refuse=("p002@*",))
    number = here.confirm(60, ONE_CALL, Ramp(0.0), ramp=True)
    assert here.run(number).wait(30)
    assert number is not None
    assert here.phase(number) is Phase.STOPPED
    assert here.tally(number).accepted < 60
    again = Sends()
    run = again.begin(here.workspace, here.store, number, ONE_CALL, None)
    assert run.wait(30)
    assert here.phase(number, again) is Phase.STOPPED, "the same share went wrong"
    assert again.begin(here.workspace, here.store, number, ONE_CALL, Ramp(1.0)).wait(30)
    assert here.tally(number) == Tally(accepted=59, refused=1)


def test_a_rehearsal_leaves_nothing_and_is_told_from_memory(office: Callable[..., Office]) -> None:
    here = office()
    number = here.confirm(None, rehearsal=True)
    assert number is not None
    assert here.run(number).wait(30)
    assert len(here.sandbox.accepted) == 60
    with here.store.read() as connection:
        assert dispatch_by_id(connection, number) is None
    standing = read_standing(here.store, here.sends, number, datetime.now(UTC))
    assert standing is not None
    assert (standing.phase, standing.tally.accepted) == (Phase.COMPLETE, 60)
    assert read_standing(here.store, Sends(), number, datetime.now(UTC)) is None


def test_a_failure_in_the_thread_is_told_and_leaves_it_to_be_resumed(
    office: Callable[..., Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = office()

    def broken(*_: Any, **__: Any) -> None:
        raise NewsletterError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("newsletter.studio.sending.running.send", broken)
        number = here.confirm(60)
        assert number is not None
        assert here.run(number).wait(30)
    failure = here.run(number).failure
    assert failure is not None
    assert failure.message == "the disk is full"
    assert here.phase(number) is Phase.INTERRUPTED
    assert here.sends.begin(here.workspace, here.store, number, ONE_CALL, None).wait(30)
    assert here.tally(number) == Tally(accepted=60)
