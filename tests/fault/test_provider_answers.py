"""Every row of the delivery promise's table, from a server that misbehaves on a real socket."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from newsletter.errors import ProviderError
from newsletter.esp import (
    Accepted,
    Message,
    NotAuthorised,
    NotSent,
    Outcome,
    Recipient,
    RecipientsRefused,
    RequestRefused,
    Throttled,
    Uncertain,
)
from newsletter.esp.sendgrid import SendGrid
from newsletter.sandbox import FAULTS, Faults, Sandbox, parse_rule

KEY = "SG.a-secret-key-for-tests"
MESSAGE = Message(
    "news@example.org", "The Letter", "Hello", "<p>Hello tok0001h</p>", "Hello tok0001t", categories=("a",)
)
TWO = [Recipient("ada@example.org", "Ada"), Recipient("ben@example.org", "Ben")]

Serve = Callable[[Callable[[socket.socket], None]], str]


def whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(
        next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")).split(b":")[1]
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(status: str, body: bytes = b"", *headers: str) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        whole_request(connection)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def errors(*items: tuple[str, str]) -> bytes:
    import json

    return json.dumps(
        {"errors": [{"field": field or None, "message": message, "help": None} for field, message in items]}
    ).encode()


def after_request(do: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        whole_request(connection)
        do(connection)

    return behave


def at_the_first_byte(do: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        do(connection)

    return behave


def silent(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.recv(1)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server on loopback that treats its one connection as it is told to; gives its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(5)
                    behave(connection)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()
    for thread in threads:
        thread.join(6)


def outcome(host: str, timeout: float = 5.0) -> Outcome:
    with SendGrid(KEY, host, timeout) as provider:
        return provider.send(MESSAGE, TWO)


REFUSED_SECOND = errors(("personalizations.1.to.0.email", "Does not contain a valid address."))
MIXED = errors(("personalizations.1.to.0.email", "Does not contain a valid address."), ("subject", "Required."))


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (answer("202 Accepted", b"", "x-message-id: abc"), Accepted("abc")),
        (answer("202 Accepted"), Accepted(None)),
        (answer("429 Too Many", errors(("", "too many requests")), "Retry-After: 3"), Throttled),
        (answer("400 Bad Request", REFUSED_SECOND), RecipientsRefused({1: "Does not contain a valid address."})),
        (answer("400 Bad Request", MIXED), RequestRefused),
        (answer("400 Bad Request", b"<html>"), RequestRefused),
        (answer("413 Too Large"), RequestRefused),
        (answer("401 Unauthorized", errors(("", "Maximum credits exceeded"))), NotAuthorised),
        (answer("403 Forbidden"), NotAuthorised),
        (answer("200 OK"), Uncertain),
        (answer("302 Found", b"", "Location: http://127.0.0.1:9/"), Uncertain),
        (answer("500 Internal"), Uncertain),
        (answer("502 Bad Gateway", b"<html>"), Uncertain),
        (answer("503 Unavailable"), Uncertain),
        (after_request(reset), Uncertain),
        (after_request(lambda connection: connection.close()), Uncertain),
        (after_request(lambda connection: connection.sendall(b"HTTP/1.1 202 Acc")), Uncertain),
        (after_request(lambda connection: connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\nabc")), Uncertain),
        (after_request(lambda connection: connection.sendall(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: ab")), Uncertain),
        (after_request(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\nX-A: b\r\n")), Uncertain),
        (at_the_first_byte(reset), Uncertain),
    ],
    ids=[
        "202", "202 without an id", "429", "400 naming a recipient", "400 naming another thing, too", "400 unreadable", "413",
        "401 out of credit", "403", "200", "302", "500", "502", "503", "reset after the request", "closed without an answer",
        "status cut short", "body cut short", "head cut short", "head cut short at a line's end", "reset at the first byte",
    ],
)  # fmt: skip
def test_what_an_answer_means(
    serve: Serve, behave: Callable[[socket.socket], None], expected: Outcome | type[Outcome]
) -> None:
    got = outcome(serve(behave))
    if isinstance(expected, type):
        assert isinstance(got, expected)
    else:
        assert got == expected


def test_silence_is_uncertain(serve: Serve) -> None:
    assert isinstance(outcome(serve(after_request(silent)), timeout=0.3), Uncertain)


def test_no_connection_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert isinstance(outcome(f"http://127.0.0.1:{port}"), NotSent)


def test_a_429_says_when_to_come_back(serve: Serve) -> None:
    got = outcome(serve(answer("429 Too Many", b"", "X-RateLimit-Reset: 1900000000")))
    assert isinstance(got, Throttled)
    assert got.retry_at is not None
    assert got.retry_at.timestamp() == 1_900_000_000


@pytest.mark.parametrize("host", ["http://api.sendgrid.com", "ftp://127.0.0.1", "api.sendgrid.com", "http://10.0.0.1"])
def test_a_host_in_the_clear_is_refused(host: str) -> None:
    with pytest.raises(ProviderError):
        SendGrid(KEY, host)


@pytest.mark.parametrize("key", [None, "", "  ", "with space"])
def test_a_missing_key_is_named(key: str | None) -> None:
    with pytest.raises(ProviderError, match=r"SendGrid API key|SENDGRID_API_KEY"):
        SendGrid(key)


def test_neither_key_nor_addresses_are_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("python_http_client").setLevel(logging.DEBUG)
    got = outcome(serve(answer("403 Forbidden", errors(("", f"the key {KEY} may not send")))))
    assert KEY not in repr(got)
    assert KEY not in caplog.text
    assert "ada@example.org" not in caplog.text


def test_addresses_that_differ_by_case_only_are_refused_before_the_call() -> None:
    with SendGrid(KEY, "http://127.0.0.1:9") as provider, pytest.raises(ValueError, match="twice"):
        provider.send(MESSAGE, [Recipient("Ada@example.org"), Recipient("ada@example.org")])


def test_a_full_call_arrives_complete_and_personal() -> None:
    people = [
        Recipient(
            f"reader{number}@example.org",
            f"Reader {number}",
            substitutions={"tok0001h": f"<b>{number}</b>", "tok0001t": str(number)},
            headers={
                "List-Unsubscribe": f"<https://news.example.org/u/{number}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            custom_args={"nl_delivery": str(number)},
        )
        for number in range(1000)
    ]
    with Sandbox() as sandbox, SendGrid(KEY, sandbox.url) as provider:
        for start in range(0, 5000, 1000):
            batch = [
                Recipient(f"b{start}.{each.email}", each.name, each.substitutions, each.headers, each.custom_args)
                for each in people
            ]
            assert isinstance(provider.send(MESSAGE, batch), Accepted)
        assert sandbox.requests == 5
        received = sandbox.messages()
        accepted = sandbox.accepted
    assert len(received) == len(accepted) == 5000
    assert set(accepted.values()) == {1}
    for each in (received[0], received[2500], received[-1]):
        number = each.custom_args["nl_delivery"]
        assert f"<p>Hello <b>{number}</b></p>" in str(each.html)
        assert f"Hello {number}" in str(each.text)
        assert each.headers["List-Unsubscribe"] == f"<https://news.example.org/u/{number}>"
        assert each.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def sandbox_outcome(*rules: str, message: Message = MESSAGE, **misbehaviour: Any) -> tuple[Outcome, dict[str, int]]:
    """What a call to a misbehaving sandbox comes to, and who got it."""
    faults = Faults(rules=tuple(map(parse_rule, rules)), **misbehaviour)
    patience = 1.5 if "silent" in repr(rules) else 5.0
    with Sandbox(faults=faults) as sandbox, SendGrid(KEY, sandbox.url, patience) as provider:
        got = provider.send(message, TWO)
    return got, sandbox.accepted  # now that the calls have ended which nobody waited for


BOTH = {"ada@example.org": 1, "ben@example.org": 1}


@pytest.mark.parametrize(
    ("fault", "expected", "accepted"),
    [
        ("429", Throttled, {}),
        ("429-bare", Throttled, {}),
        ("500", Uncertain, {}),
        ("502", Uncertain, {}),
        ("503", Uncertain, {}),
        ("reset", Uncertain, {}),
        ("reset-mid-upload", Uncertain, {}),
        ("silent", Uncertain, {}),
        ("accepted-then-502", Uncertain, BOTH),
        ("accepted-then-reset", Uncertain, BOTH),
        ("accepted-then-silent", Uncertain, BOTH),
        ("accepted-then-truncated", Uncertain, BOTH),
        ("accepted-then-cut", Uncertain, BOTH),
    ],
)
def test_what_each_fault_of_the_sandbox_comes_to(fault: str, expected: type[Outcome], accepted: dict[str, int]) -> None:
    got, got_mail = sandbox_outcome(f"{fault}@1")
    assert isinstance(got, expected)
    assert got_mail == accepted


def test_every_fault_is_in_the_table() -> None:
    [parameters] = [
        mark.args[1]
        for mark in test_what_each_fault_of_the_sandbox_comes_to.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    assert [row[0] for row in parameters] == list(FAULTS)


def test_only_a_429_with_headers_says_when_to_come_back() -> None:
    said, _ = sandbox_outcome("429@1")
    bare, _ = sandbox_outcome("429-bare@1")
    assert isinstance(said, Throttled)
    assert isinstance(bare, Throttled)
    assert said.retry_at is not None
    assert bare.retry_at is None


def test_a_gateways_page_is_not_taken_for_the_providers_word() -> None:
    got, _ = sandbox_outcome("502@1")
    assert got == Uncertain("the provider answered 502")


def test_a_reset_while_a_big_call_is_on_its_way_is_uncertain() -> None:
    """Bigger than what the sockets hold: the sender is still writing when it happens."""
    big = replace(MESSAGE, html="<p>" + "x" * 20_000_000)
    got, accepted = sandbox_outcome("reset-mid-upload@1", message=big)
    assert isinstance(got, Uncertain)
    assert accepted == {}


def test_bad_addresses_are_refused_by_name_all_at_once() -> None:
    got, accepted = sandbox_outcome(refuse=("*@EXAMPLE.org",))
    assert isinstance(got, RecipientsRefused)
    assert sorted(got.reasons) == [0, 1]
    assert accepted == {}
    got, _ = sandbox_outcome(refuse=("ben@*",))
    assert isinstance(got, RecipientsRefused)
    assert list(got.reasons) == [1]


def test_without_credit_nothing_is_taken() -> None:
    got, accepted = sandbox_outcome(credits=1)
    assert isinstance(got, NotAuthorised)
    assert "Maximum credits exceeded" in got.reason
    assert accepted == {}


def test_slowness_alone_harms_nothing() -> None:
    got, accepted = sandbox_outcome(latency=(0.01, 0.02))
    assert isinstance(got, Accepted)
    assert accepted == BOTH


def test_after_a_fault_the_next_call_gets_through() -> None:
    """A connection that was spoilt is not used again."""
    rules = tuple(parse_rule(f"{name}@{2 * place + 1}") for place, name in enumerate(FAULTS))
    with Sandbox(faults=Faults(rules)) as sandbox, SendGrid(KEY, sandbox.url, 0.5) as provider:
        for name in FAULTS:
            assert not isinstance(provider.send(MESSAGE, [Recipient(f"struck.{name}@example.org")]), Accepted)
            assert isinstance(provider.send(MESSAGE, [Recipient(f"{name}@example.org")]), Accepted)
        accepted = sandbox.accepted
    assert set(accepted) == {f"{name}@example.org" for name in FAULTS} | {
        f"struck.{name}@example.org" for name, fault in FAULTS.items() if fault.accepts
    }
