"""A folder of messages: what another process finds there, and what a restarted sandbox does."""

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.sandbox.mailbox import Mailbox
from newsletter.sandbox.message import Call


def call(name: str, *emails: str) -> Call:
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hello"}],
        "categories": ["weekly"],
        "personalizations": [{"to": [{"email": email}], "custom_args": {"n": email}} for email in emails],
    }
    return Call(body, name, datetime(2026, 3, 1, tzinfo=UTC), "http://127.0.0.1:1")


def test_another_process_can_read_index_and_messages(tmp_path: Path) -> None:
    Mailbox(tmp_path).deliver(call("one", "Ada@example.org", "bo@example.org"))
    lines = [json.loads(line) for line in (tmp_path / "messages.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "seq": 1,
        "id": "one.0",
        "received_at": "2026-03-01T00:00:00+00:00",
        "to": "Ada@example.org",
        "recipients": ["Ada@example.org"],
        "from": "news@example.org",
        "subject": "Hello",
        "custom_args": {"n": "Ada@example.org"},
        "headers": {},
        "categories": ["weekly"],
        "request_id": "one",
        "path": "messages/000001-one.0.eml",
    }
    message = message_from_bytes((tmp_path / lines[1]["path"]).read_bytes(), policy=policy.default)
    assert message["To"] == "bo@example.org"


def test_a_restart_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    Mailbox(tmp_path).deliver(call("one", "Ada@example.org"))
    again = Mailbox(tmp_path)
    again.deliver(call("two", "ada@example.org"))
    assert [(each.seq, each.id, each.text) for each in again.messages()] == [
        (1, "one.0", "Hello"),
        (2, "two.0", "Hello"),
    ]
    assert again.ledger.addresses() == {"ada@example.org": 2}


def test_a_line_torn_by_a_kill_is_dropped(tmp_path: Path) -> None:
    Mailbox(tmp_path).deliver(call("one", "ada@example.org"))
    with (tmp_path / "messages.jsonl").open("a") as index:
        index.write('{"seq": 2, "id": "tor')
    again = Mailbox(tmp_path)
    again.deliver(call("two", "bo@example.org"))
    assert [each.id for each in Mailbox(tmp_path).messages()] == ["one.0", "two.0"]


def test_clear_deletes_what_was_kept_and_nothing_else(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    (tmp_path / "messages" / "note.txt").write_text("mine")
    mailbox.deliver(call("one", "ada@example.org"))
    mailbox.clear()
    assert (mailbox.messages(), mailbox.ledger.addresses(), mailbox.get("one.0")) == ([], {}, None)
    assert [path.name for path in (tmp_path / "messages").iterdir()] == ["note.txt"]
    assert (tmp_path / "messages.jsonl").read_bytes() == b""


def test_the_index_alone(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path, keep="index")
    mailbox.deliver(call("one", "ada@example.org"))
    [message] = mailbox.messages()
    assert (message.subject, message.path, message.html, message.text) == ("Hello", None, None, None)
    assert not list((tmp_path / "messages").iterdir())
    assert Mailbox(tmp_path).ledger.addresses() == {"ada@example.org": 1}


def test_without_a_folder_messages_can_be_read_as_well() -> None:
    mailbox = Mailbox()
    mailbox.deliver(call("one", "ada@example.org"))
    assert [each.text for each in mailbox.messages()] == ["Hello"]
