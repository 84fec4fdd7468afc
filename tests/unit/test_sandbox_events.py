"""Events: their shape, their signature, and the disorder in which they come."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sendgrid.helpers.eventwebhook import EventWebhook

from newsletter.sandbox import Faults, Sandbox

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def ask(sandbox: Sandbox, path: str, body: object = None) -> tuple[int, Any, str | None]:
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    try:
        headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None, response.headers["X-Message-Id"]
    finally:
        connection.close()


def send(sandbox: Sandbox, *emails: str, **changes: Any) -> str:
    """The X-Message-Id."""
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hello"}],
        "categories": ["weekly"],
        "personalizations": [
            {"to": [{"email": email}], "custom_args": {"nl_delivery": email, "event": "mine"}} for email in emails
        ],
        **changes,
    }
    status, _, message_id = ask(sandbox, "/v3/mail/send", body)
    assert status == 202
    assert message_id
    return message_id


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["email"], event["event"]) for event in events]


class Receiver(ThreadingHTTPServer):
    """Takes posts and keeps them; refuses the first `refusals` of them."""

    daemon_threads = True

    def __init__(self, refusals: int = 0) -> None:
        self.posts: list[tuple[bytes, Any]] = []
        self.refusals = refusals
        super().__init__(("127.0.0.1", 0), _Post)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/events?key=1"

    def events(self) -> list[dict[str, Any]]:
        return [event for body, _ in self.posts for event in json.loads(body)]


class _Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused, self.server.refusals = self.server.refusals > 0, self.server.refusals - 1
        if not refused:
            self.server.posts.append((body, self.headers))
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    latest = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < latest, "it didn't come about"
        time.sleep(0.01)


def test_an_event_has_the_providers_shape() -> None:
    with Sandbox() as sandbox:
        message_id = send(sandbox, "ada@example.org")
        send(sandbox, "bo@example.org", categories=["a", "b"])
        status, answer, _ = ask(sandbox, "/sandbox/events.json")
        assert (status, answer["mails"], answer["events"]) == (200, 2, json.loads(json.dumps(sandbox.events())))
        assert len(ask(sandbox, "/sandbox/events.json?start=1&limit=1")[1]["events"]) == 2
        processed, delivered, *others = answer["events"]
    assert (processed["event"], delivered["event"]) == ("processed", "delivered")
    assert delivered["email"] == delivered["nl_delivery"] == "ada@example.org"
    assert delivered["sg_message_id"].startswith(f"{message_id}.filter")
    assert abs(delivered["timestamp"] - time.time()) < 60
    assert (delivered["category"], others[0]["category"]) == ("weekly", ["a", "b"])
    assert len({event["sg_event_id"] for event in answer["events"]}) == 4


def test_who_bounces_or_complains_is_dropped_the_next_time() -> None:
    faults = Faults(bounce=("*@bounce.example.org",), complain=("cross@*",))
    with Sandbox(faults=faults) as sandbox:
        for _ in range(2):
            send(sandbox, "a@bounce.example.org", "cross@example.org", "ada@example.org")
        events = sandbox.events()
    assert kinds(events) == [
        ("a@bounce.example.org", "processed"),
        ("a@bounce.example.org", "bounce"),
        ("cross@example.org", "processed"),
        ("cross@example.org", "delivered"),
        ("cross@example.org", "spamreport"),
        ("ada@example.org", "processed"),
        ("ada@example.org", "delivered"),
        ("a@bounce.example.org", "dropped"),
        ("cross@example.org", "dropped"),
        ("ada@example.org", "processed"),
        ("ada@example.org", "delivered"),
    ]
    assert {event["reason"] for event in events if event["event"] == "dropped"} == {
        "Bounced Address",
        "Spam Reporting Address",
    }


def test_held_mail_has_no_events() -> None:
    with Sandbox() as sandbox:
        send(sandbox, "ada@example.org", send_at=int(time.time()) + 3600)
        assert sandbox.events() == []


def test_posts_are_signed_as_the_sdk_checks_them(receiver: Receiver) -> None:
    with Sandbox(keep="counts", events_url=receiver.url) as sandbox:
        send(sandbox, "ada@example.org")
        wait_for(lambda: len(receiver.events()) == 2)
        status, answer, _ = ask(sandbox, "/v3/user/webhooks/event/settings/signed/one")
        assert (status, answer) == (200, {"id": "one", "public_key": sandbox.public_key})
    [(body, headers)] = receiver.posts
    assert body.endswith(b"\r\n")
    webhook = EventWebhook(answer["public_key"])
    signature, timestamp = headers[SIGNATURE], headers[TIMESTAMP]
    assert webhook.verify_signature(body.decode(), signature, timestamp)
    assert not webhook.verify_signature(body.decode().rstrip(), signature, timestamp)
    assert not webhook.verify_signature(body.decode(), signature, str(int(timestamp) + 1))


def test_what_isnt_taken_is_posted_again(receiver: Receiver) -> None:
    receiver.refusals = 2
    with Sandbox(events_url=receiver.url) as sandbox:
        send(sandbox, "ada@example.org")
        wait_for(lambda: len(receiver.events()) == 2)


def test_chaos_repeats_and_mixes_and_loses_nothing(receiver: Receiver) -> None:
    emails = [f"p{number}@example.org" for number in range(200)]
    with Sandbox(events_url=receiver.url, faults=Faults(events_chaos=True, seed=3)) as sandbox:
        send(sandbox, *emails)
        everything = {event["sg_event_id"] for event in sandbox.events()}
        wait_for(lambda: {event["sg_event_id"] for event in receiver.events()} == everything)
        events = receiver.events()
    counted = Counter(event["sg_event_id"] for event in events)
    assert max(counted.values()) > 1
    first = dict(reversed(kinds(events)))
    assert set(first.values()) == {"processed", "delivered"}


def test_events_leave_this_machine_for_nobody() -> None:
    for url in (
        "http://example.org/",
        "https://127.0.0.1/",
        "http://10.0.0.1:80/",
        "127.0.0.1",
        "http://[x",
        "ftp://localhost/",
    ):
        with pytest.raises(ValueError, match=r"this machine|URL"):
            Sandbox(events_url=url)


def test_without_a_webhook_there_is_no_key() -> None:
    with Sandbox() as sandbox:
        assert sandbox.public_key is None
        assert ask(sandbox, "/v3/user/webhooks/event/settings/signed")[0] == 404
