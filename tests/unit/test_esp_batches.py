"""Batches at the provider: made, scheduled into, cancelled; and what each of its answers means."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from newsletter.esp import (
    Accepted,
    BatchId,
    Cancelled,
    Message,
    NotAuthorised,
    NotCancelled,
    NotSent,
    Outcome,
    Recipient,
    RequestRefused,
    Throttled,
    Uncertain,
)
from newsletter.esp.payload import PayloadWriter
from newsletter.esp.sendgrid import SendGrid
from newsletter.sandbox import Sandbox

KEY = "SG.a-secret-key-for-tests"
ADA = [Recipient("ada@example.org")]


def message(**changes: Any) -> Message:
    return Message("news@example.org", "The Letter", "Hello", "<p>Hello</p>", "Hello", **changes)


class Stub(ThreadingHTTPServer):
    """Gives the answers of `answers` by method: a status, headers and a body; with none, it hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    server: Stub

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        if self.command not in self.server.answers:
            self.close_connection = True
            return
        status, headers, body = self.server.answers[self.command]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def said(text: str) -> bytes:
    return json.dumps({"errors": [{"field": None, "message": text, "help": None}]}).encode()


def test_a_batch_is_made_used_and_cancelled_as_often_as_one_likes() -> None:
    with Sandbox() as sandbox, SendGrid(KEY, sandbox.url) as provider:
        batch = provider.new_batch_id()
        assert isinstance(batch, BatchId)
        send_at = datetime.now(UTC) + timedelta(hours=1)
        assert isinstance(provider.send(message(batch_id=batch.value, send_at=send_at), ADA), Accepted)
        assert (sandbox.accepted, sandbox.scheduled) == ({}, 1)
        assert provider.cancel_scheduled(batch.value) == Cancelled()
        assert provider.cancel_scheduled(batch.value) == Cancelled()


def test_a_scheduled_mail_that_is_cancelled_is_got_by_nobody() -> None:
    with Sandbox() as sandbox, SendGrid(KEY, sandbox.url) as provider:
        batch = provider.new_batch_id()
        assert isinstance(batch, BatchId)
        send_at = datetime.now(UTC) + timedelta(seconds=1)
        provider.send(message(batch_id=batch.value, send_at=send_at), ADA)
        provider.send(message(send_at=send_at), [Recipient("bo@example.org")])
        assert provider.cancel_scheduled(batch.value) == Cancelled()
        latest = time.monotonic() + 10
        while sandbox.scheduled and time.monotonic() < latest:
            time.sleep(0.01)
        assert (sandbox.scheduled, sandbox.accepted) == (0, {"bo@example.org": 1})


def test_more_than_ten_batches_cant_be_cancelled() -> None:
    with Sandbox() as sandbox, SendGrid(KEY, sandbox.url) as provider:
        outcomes = []
        for _ in range(11):
            batch = provider.new_batch_id()
            assert isinstance(batch, BatchId)
            outcomes.append(provider.cancel_scheduled(batch.value))
    assert outcomes[:10] == [Cancelled()] * 10
    assert isinstance(outcomes[10], NotCancelled)
    assert "maximum of 10" in outcomes[10].reason


def test_an_unknown_batch_is_refused() -> None:
    with Sandbox() as sandbox, SendGrid(KEY, sandbox.url) as provider:
        assert isinstance(provider.cancel_scheduled("made-up"), NotCancelled)
        assert isinstance(provider.send(message(batch_id="made-up"), ADA), RequestRefused)


def test_a_paused_batch_isnt_taken_for_a_cancelled_one(stub: Stub) -> None:
    stub.answers = {
        "POST": (400, {}, said("paused already")),
        "GET": (200, {}, b'[{"batch_id": "a/b", "status": "pause"}]'),
    }
    with SendGrid(KEY, stub.url) as provider:
        assert provider.cancel_scheduled("a/b") == NotCancelled("400: paused already")
    assert stub.asked == [("POST", "/v3/user/scheduled_sends"), ("GET", "/v3/user/scheduled_sends/a%2Fb")]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, b'{"batch_id": "abc"}', BatchId("abc")),
        (201, b'{"batch_id": ""}', Uncertain("the provider answered 201")),
        (201, b"<html>", Uncertain("the provider answered 201")),
        (200, b"{}", Uncertain("the provider answered 200")),
        (400, said("no"), RequestRefused("400: no")),
        (401, said("who?"), NotAuthorised("401: who?")),
        (403, said(f"{KEY} may not"), NotAuthorised("403: (the key) may not")),
        (429, b"", Throttled("the provider answered 429", datetime.fromtimestamp(1_900_000_000, UTC))),
        (500, b"", Uncertain("the provider answered 500")),
    ],
)
def test_answers_to_making_a_batch(stub: Stub, status: int, body: bytes, expected: Outcome) -> None:
    stub.answers = {"POST": (status, {"X-RateLimit-Reset": "1900000000"}, body)}
    with SendGrid(KEY, stub.url) as provider:
        assert provider.new_batch_id() == expected


@pytest.mark.parametrize(
    ("status", "body", "listed", "expected"),
    [
        (201, b"", None, Cancelled()),
        (200, b"{}", None, Uncertain("the provider answered 200")),
        (400, said("already"), b'[{"batch_id": "abc", "status": "cancel"}]', Cancelled()),
        (400, said("no"), b'[{"batch_id": "other", "status": "cancel"}]', NotCancelled("400: no")),
        (400, said("no"), b"[]", NotCancelled("400: no")),
        (400, said("no"), b"<html>", NotCancelled("400: no")),
        (400, said("no"), b'{"batch_id": "abc", "status": "cancel"}', NotCancelled("400: no")),
        (400, said("no"), None, NotCancelled("400: no")),
        (404, said("no"), b"[]", NotCancelled("404: no")),
        (401, said("who?"), None, NotAuthorised("401: who?")),
        (429, b"", None, Throttled("the provider answered 429")),
        (502, b"<html>", None, Uncertain("the provider answered 502")),
    ],
)
def test_answers_to_cancelling(stub: Stub, status: int, body: bytes, listed: bytes | None, expected: object) -> None:
    stub.answers = {"POST": (status, {}, body)}
    if listed is not None:
        stub.answers["GET"] = (200, {}, listed)
    with SendGrid(KEY, stub.url) as provider:
        assert provider.cancel_scheduled("abc") == expected


def test_no_answer_is_uncertain_and_no_connection_is_not_sent(stub: Stub) -> None:
    with SendGrid(KEY, stub.url) as provider:
        assert isinstance(provider.new_batch_id(), Uncertain)
        assert isinstance(provider.cancel_scheduled("abc"), Uncertain)
    with Stub() as closed:
        url = closed.url
    with SendGrid(KEY, url) as provider:
        assert isinstance(provider.new_batch_id(), NotSent)
        assert isinstance(provider.cancel_scheduled("abc"), NotSent)


def test_a_time_is_written_as_whole_seconds_and_never_early() -> None:
    send_at = datetime(2026, 3, 1, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))
    written = json.loads(PayloadWriter().write(message(batch_id="abc", send_at=send_at), ADA))
    assert (written["batch_id"], written["send_at"]) == (
        "abc",
        int(datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC).timestamp()),
    )
    plain = json.loads(PayloadWriter().write(message(), ADA))
    assert not {"batch_id", "send_at"} & plain.keys()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        PayloadWriter().write(message(send_at=datetime(2026, 3, 1)), ADA)  # noqa: DTZ001
