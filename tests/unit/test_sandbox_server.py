"""The sandbox over HTTP: through the provider's SDK, through a plain client, and through a bare socket."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Mail

from newsletter.sandbox import PortInUseError, Sandbox

AUTHORISED = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def body(*emails: str, **changes: Any) -> dict[str, Any]:
    return {
        "from": {"email": "news@example.org"},
        "subject": "Hello -n-",
        "content": [{"type": "text/plain", "value": "Hello -n-"}, {"type": "text/html", "value": "<p>Hello -n-</p>"}],
        "personalizations": [
            {"to": [{"email": email}], "substitutions": {"-n-": email}, "custom_args": {"who": email}}
            for email in emails
        ],
        **changes,
    }


def call(
    sandbox: Sandbox, method: str, path: str, content: object = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, Any]:
    """One request with a connection of its own; the answer's JSON, or its bytes when it isn't any."""
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    try:
        raw = content if isinstance(content, bytes) or content is None else json.dumps(content).encode()
        connection.request(method, path, raw, AUTHORISED if headers is None else headers)
        response = connection.getresponse()
        answer = response.read()
        is_json = response.headers.get("Content-Type") == "application/json"
        return response, json.loads(answer) if is_json else answer
    finally:
        connection.close()


class TestThroughTheSdk:
    def client(self, sandbox: Sandbox, key: str = "SG.any") -> SendGridAPIClient:
        return SendGridAPIClient(key, host=sandbox.url)

    def test_a_mail_is_accepted_and_kept(self, sandbox: Sandbox) -> None:
        mail = Mail("news@example.org", "ada@example.org", "Hello", "In text", "<p>In HTML</p>")
        response = self.client(sandbox).send(mail)
        [message] = sandbox.messages()
        assert (response.status_code, response.body) == (202, b"")
        assert response.headers["X-Message-Id"] == message.request_id
        assert (message.to, message.subject, message.text) == ("ada@example.org", "Hello", "In text")
        assert message.html == "<p>In HTML</p>"
        assert (sandbox.requests, sandbox.accepted) == (1, {"ada@example.org": 1})

    def test_a_refusal_names_each_field_and_keeps_nothing(self, sandbox: Sandbox) -> None:
        with pytest.raises(BadRequestsError) as refusal:
            self.client(sandbox).client.mail.send.post(request_body=body("ada@example.org", "bo", "cy"))
        errors = refusal.value.to_dict["errors"]
        assert [error["field"] for error in errors] == [
            "personalizations.1.to.0.email",
            "personalizations.2.to.0.email",
        ]
        assert all(set(error) == {"message", "field", "help"} for error in errors)
        assert (sandbox.messages(), sandbox.accepted, sandbox.requests) == ([], {}, 1)

    def test_a_missing_key_is_refused(self, sandbox: Sandbox) -> None:
        client = SendGridAPIClient("", host=sandbox.url)
        with pytest.raises(UnauthorizedError):
            client.client.mail.send.post(request_body=body("ada@example.org"))

    def test_scopes_and_batches(self, sandbox: Sandbox) -> None:
        client = self.client(sandbox).client
        assert json.loads(client.scopes.get().body) == {"scopes": ["mail.send"]}
        created = client.mail.batch.post()
        batch_id = json.loads(created.body)["batch_id"]
        assert created.status_code == 201
        assert client.mail.batch._(batch_id).get().status_code == 200
        sent = client.mail.send.post(request_body=body("ada@example.org", batch_id=batch_id))
        assert sent.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status"),
    [
        ("POST", "/v3/mail/send", b"{}", {"Content-Type": "application/json"}, 401),
        ("POST", "/v3/mail/send", b"{}", AUTHORISED | {"Authorization": "Bearer None"}, 401),
        ("POST", "/v3/mail/send", b"{}", AUTHORISED | {"Authorization": "Basic SG.key"}, 401),
        ("GET", "/v3/scopes", None, {}, 401),
        ("POST", "/v3/mail/send", b"{", AUTHORISED, 400),
        ("POST", "/v3/mail/send", b"[]", AUTHORISED, 400),
        ("POST", "/v3/mail/send", b'{"subject": "\xff"}', AUTHORISED, 415),
        ("POST", "/v3/mail/send", b"{}", AUTHORISED | {"Content-Type": "text/plain"}, 415),
        ("POST", "/v3/mail/send", b"{}", {"Authorization": "Bearer SG.key"}, 415),
        ("POST", "/v3/mail/send", b"{}", AUTHORISED | {"Content-Encoding": "gzip"}, 415),
        ("POST", "/v3/mail/send", b" " * (30 * 1024 * 1024), AUTHORISED, 413),
        ("GET", "/v3/mail/send", None, AUTHORISED, 405),
        ("DELETE", "/v3/scopes", None, AUTHORISED, 405),
        ("GET", "/v3/mail/batch/made-up", None, AUTHORISED, 400),
        ("POST", "/v3/mail/sent", b"{}", AUTHORISED, 404),
        ("GET", "/nowhere", None, {}, 404),
        ("POST", "/", b"", {}, 405),
    ],
)
def test_what_is_no_call_is_refused_in_the_providers_form(
    sandbox: Sandbox, *, method: str, path: str, content: bytes | None, headers: dict[str, str], status: int
) -> None:
    response, answer = call(sandbox, method, path, content, headers)
    assert response.status == status
    assert [set(error) for error in answer["errors"]] == [{"message", "field", "help"}] * len(answer["errors"])
    assert answer["errors"]
    assert sandbox.messages() == []


def test_sandbox_mode_checks_and_keeps_nothing(sandbox: Sandbox) -> None:
    settings = {"mail_settings": {"sandbox_mode": {"enable": True}}}
    assert call(sandbox, "POST", "/v3/mail/send", body("ada@example.org", **settings))[0].status == 200
    assert call(sandbox, "POST", "/v3/mail/send", body("ada", **settings))[0].status == 400
    assert (sandbox.messages(), sandbox.accepted) == ([], {})


def test_a_connection_serves_many_calls_also_after_a_refusal(sandbox: Sandbox) -> None:
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    statuses = []
    for email in ("ada@example.org", "nobody", "bo@example.org"):
        connection.request("POST", "/v3/mail/send", json.dumps(body(email)), AUTHORISED)
        with connection.getresponse() as response:
            statuses.append(response.status)
            response.read()
        assert connection.sock is not None
    connection.close()
    assert statuses == [202, 400, 202]


def test_a_request_that_breaks_off_is_not_accepted(sandbox: Sandbox) -> None:
    content = json.dumps(body("ada@example.org")).encode()
    lines = [
        "POST /v3/mail/send HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in AUTHORISED.items()),
        f"Content-Length: {len(content) + 1}",
    ]
    head = "\r\n".join(lines) + "\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=10) as client:
        client.sendall(head.encode() + content)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert sandbox.messages() == []


def test_threads_posting_full_calls_lose_and_double_nothing(tmp_path: Path) -> None:
    def post(number: int) -> int:
        emails = [f"p{number}.{index}@example.org" for index in range(1000)]
        return call(sandbox, "POST", "/v3/mail/send", body(*emails))[0].status

    with Sandbox(folder=tmp_path) as sandbox, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(post, range(4))) == [202] * 4
    assert sandbox.requests == 4
    assert len(sandbox.accepted) == 4000
    assert set(sandbox.accepted.values()) == {1}
    assert sorted(message.seq for message in sandbox.messages()) == list(range(1, 4001))
    lines = [json.loads(line) for line in (tmp_path / "messages.jsonl").read_text().splitlines()]
    assert len({line["to"] for line in lines}) == 4000
    assert {line["path"] for line in lines} == {f"messages/{path.name}" for path in (tmp_path / "messages").iterdir()}


def test_a_port_that_is_taken_is_named(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(PortInUseError, match=f"port {port} on 127.0.0.1 is taken"):
        Sandbox(port)


def test_after_leaving_nothing_answers_not_even_an_open_connection() -> None:
    with Sandbox() as sandbox:
        connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
        connection.request("GET", "/v3/scopes", headers=AUTHORISED)
        connection.getresponse().read()
        client = connection.sock
    assert client is not None
    assert client.recv(1) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        call(sandbox, "GET", "/")


def test_serve_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from newsletter.sandbox import Sandbox, serve\n"
        "try:\n"
        "    serve(Sandbox(0, sys.argv[1]), ready=lambda sandbox: print(sandbox.url, flush=True))\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().rpartition(":")[2])
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/v3/mail/send", json.dumps(body("ada@example.org")), AUTHORISED)
        status = connection.getresponse().status
        connection.close()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert (status, output, process.returncode) == (202, "interrupted\n", 0)
    with Sandbox(folder=tmp_path) as again:
        assert again.accepted == {"ada@example.org": 1}
