"""Scheduled mail: when it goes out, and what pausing and cancelling do."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest

from newsletter.sandbox import Sandbox
from newsletter.sandbox.message import Call
from newsletter.sandbox.schedule import MAX_HELD_BATCHES, Schedule, StatusError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def call(send_at: datetime | None = None, batch_id: str | None = None, *own: datetime | None) -> Call:
    body: dict[str, Any] = {
        "personalizations": [
            {"to": [{"email": f"p{index}@example.org"}]} | ({"send_at": int(at.timestamp())} if at else {})
            for index, at in enumerate(own or (None,))
        ]
    }
    if send_at:
        body["send_at"] = int(send_at.timestamp())
    if batch_id:
        body["batch_id"] = batch_id
    return Call(body, "one", NOW, "http://127.0.0.1:1")


def going(schedule: Schedule, now_at: datetime) -> list[tuple[int, ...]]:
    return [held.indices for held in schedule.due(now_at)]


def test_mail_goes_out_when_it_is_due_and_once() -> None:
    schedule = Schedule()
    schedule.hold(call(NOW + HOUR), NOW)
    assert going(schedule, NOW + HOUR - MINUTE) == []
    assert len(schedule.waiting) == 1
    assert going(schedule, NOW + HOUR) == [(0,)]
    assert going(schedule, NOW + 2 * HOUR) == []
    assert schedule.waiting == []


def test_a_past_time_means_now() -> None:
    schedule = Schedule()
    schedule.hold(call(NOW - HOUR), NOW)
    assert going(schedule, NOW) == [(0,)]


def test_a_personalizations_own_time_goes_before_the_calls() -> None:
    schedule = Schedule()
    schedule.hold(call(NOW + HOUR, None, None, NOW + 2 * HOUR, None), NOW)
    assert going(schedule, NOW + HOUR) == [(0, 2)]
    assert going(schedule, NOW + 2 * HOUR) == [(1,)]


def test_what_is_cancelled_never_goes_out() -> None:
    schedule = Schedule()
    batch_id, other = schedule.new_batch(), schedule.new_batch()
    schedule.hold(call(NOW + HOUR, batch_id), NOW)
    schedule.hold(call(NOW + HOUR, other), NOW)
    schedule.set_status(batch_id, "cancel", NOW)
    assert [held.batch_id for held in schedule.due(NOW + HOUR)] == [other]
    schedule.delete_status(batch_id)
    assert going(schedule, NOW + 2 * HOUR) == []
    assert schedule.cancelled == 1


def test_a_cancellation_can_be_taken_back_in_time() -> None:
    schedule = Schedule()
    batch_id = schedule.new_batch()
    schedule.hold(call(NOW + HOUR, batch_id), NOW)
    schedule.set_status(batch_id, "cancel", NOW)
    schedule.delete_status(batch_id)
    assert going(schedule, NOW + HOUR) == [(0,)]


def test_what_is_paused_waits_and_expires_after_three_days() -> None:
    schedule = Schedule()
    batch_id = schedule.new_batch()
    schedule.hold(call(NOW + HOUR, batch_id), NOW)
    schedule.set_status(batch_id, "pause", NOW)
    assert going(schedule, NOW + 5 * HOUR) == []
    schedule.delete_status(batch_id)
    assert going(schedule, NOW + 6 * HOUR) == [(0,)]
    schedule.hold(call(NOW + HOUR, batch_id), NOW)
    schedule.set_status(batch_id, "pause", NOW)
    assert going(schedule, NOW + 74 * HOUR) == []
    assert schedule.waiting == []


@pytest.mark.parametrize(
    ("late_cancel", "before", "goes_out"),
    [("works", 9 * MINUTE, False), ("fails", 9 * MINUTE, True), ("fails", 10 * MINUTE, False)],
)
def test_cancelling_late(late_cancel: Any, before: timedelta, *, goes_out: bool) -> None:
    schedule = Schedule(late_cancel)
    batch_id = schedule.new_batch()
    schedule.hold(call(NOW + HOUR, batch_id), NOW)
    schedule.set_status(batch_id, "cancel", NOW + HOUR - before)
    assert bool(going(schedule, NOW + HOUR)) == goes_out


def test_only_so_many_batches_are_held_at_once() -> None:
    schedule = Schedule()
    batch_ids = [schedule.new_batch() for _ in range(MAX_HELD_BATCHES + 1)]
    for batch_id in batch_ids[:-1]:
        schedule.set_status(batch_id, "cancel", NOW)
    with pytest.raises(StatusError, match="maximum of 10"):
        schedule.set_status(batch_ids[-1], "cancel", NOW)
    schedule.delete_status(batch_ids[0])
    schedule.set_status(batch_ids[-1], "cancel", NOW)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def ask(sandbox: Sandbox, method: str, path: str, body: object = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    try:
        headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None
    finally:
        connection.close()


def send(sandbox: Sandbox, email: str, **changes: Any) -> int:
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hello"}],
        "personalizations": [{"to": [{"email": email}]}],
        **changes,
    }
    return ask(sandbox, "POST", "/v3/mail/send", body)[0]


def wait_for(condition: Callable[[], bool]) -> None:
    latest = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < latest, "it didn't come about"
        time.sleep(0.01)


def test_a_scheduled_mail_arrives_by_itself(sandbox: Sandbox) -> None:
    assert send(sandbox, "ada@example.org", send_at=int(time.time()) + 2) == 202
    assert (sandbox.accepted, sandbox.scheduled) == ({}, 1)
    wait_for(lambda: sandbox.accepted == {"ada@example.org": 1})
    assert sandbox.scheduled == 0
    assert [message.to for message in sandbox.messages()] == ["ada@example.org"]


def test_a_cancelled_batch_never_arrives(sandbox: Sandbox) -> None:
    batch_id = ask(sandbox, "POST", "/v3/mail/batch")[1]["batch_id"]
    send_at = int(time.time()) + 2
    assert send(sandbox, "ada@example.org", send_at=send_at, batch_id=batch_id) == 202
    assert send(sandbox, "bo@example.org", send_at=send_at) == 202
    status, answer = ask(sandbox, "POST", "/v3/user/scheduled_sends", {"batch_id": batch_id, "status": "cancel"})
    assert (status, answer) == (201, {"batch_id": batch_id, "status": "cancel"})
    wait_for(lambda: sandbox.scheduled == 0)
    assert sandbox.accepted == {"bo@example.org": 1}
    # Too late for it, but the batch is known and still cancelled.
    assert send(sandbox, "cy@example.org", batch_id=batch_id) == 202
    assert sandbox.accepted == {"bo@example.org": 1}


def test_a_status_through_its_life(sandbox: Sandbox) -> None:
    sends = "/v3/user/scheduled_sends"
    batch_id = ask(sandbox, "POST", "/v3/mail/batch")[1]["batch_id"]
    one = f"{sends}/{batch_id}"
    assert ask(sandbox, "GET", sends) == (200, [])
    assert ask(sandbox, "GET", one) == (200, [])
    assert ask(sandbox, "PATCH", one, {"status": "cancel"})[0] == 404
    assert ask(sandbox, "POST", sends, {"batch_id": batch_id, "status": "pause"})[0] == 201
    assert ask(sandbox, "POST", sends, {"batch_id": batch_id, "status": "cancel"})[0] == 400
    assert ask(sandbox, "PATCH", one, {"status": "cancel"}) == (204, None)
    assert ask(sandbox, "GET", sends) == (200, [{"batch_id": batch_id, "status": "cancel"}])
    assert ask(sandbox, "GET", one) == (200, [{"batch_id": batch_id, "status": "cancel"}])
    assert ask(sandbox, "DELETE", one) == (204, None)
    assert ask(sandbox, "DELETE", one)[0] == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"batch_id": "made-up", "status": "cancel"}, "batch_id"),
        ({"status": "cancel"}, "batch_id"),
        ({"batch_id": "made-up", "status": "stop"}, "status"),
        ([], "batch_id"),
    ],
)
def test_a_wrong_status_is_refused_by_field(sandbox: Sandbox, body: object, field: str) -> None:
    status, answer = ask(sandbox, "POST", "/v3/user/scheduled_sends", body)
    assert status == 400
    assert [error["field"] for error in answer["errors"]] == [field]
    assert set(answer["errors"][0]) == {"message", "field", "help"}
