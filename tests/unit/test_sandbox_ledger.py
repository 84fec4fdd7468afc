"""Counting who got what: as values, as JSON, and in the log that outlives a killed sender."""

import json
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from newsletter.sandbox import Faults, Sandbox, parse_rule


def ask(sandbox: Sandbox, path: str, body: object = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    try:
        headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None
    finally:
        connection.close()


def body(*emails: str, **changes: Any) -> dict[str, Any]:
    return {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hello"}],
        "custom_args": {"attempt": "a1"},
        "personalizations": [
            {"to": [{"email": email}], "custom_args": {"delivery": f"d{number}"}} for number, email in enumerate(emails)
        ],
        **changes,
    }


@pytest.mark.parametrize("keep", ["all", "index", "counts"])
def test_addresses_and_ids_are_counted_whatever_is_kept(keep: Any) -> None:
    with Sandbox(keep=keep) as sandbox:
        ask(sandbox, "/v3/mail/send", body("Ada@example.org", "bo@example.org"))
        ask(sandbox, "/v3/mail/send", body("ada@example.org"))
        assert sandbox.accepted == {"ada@example.org": 2, "bo@example.org": 1}
        assert sandbox.ids("delivery") == {"d0": 2, "d1": 1}
        assert sandbox.ids("attempt") == {"a1": 3}
        assert sandbox.ids("unknown") == {}
        assert len(sandbox.messages()) == (0 if keep == "counts" else 3)
        sandbox.clear()
        assert (sandbox.accepted, sandbox.ids("delivery")) == ({}, {})


def test_counts_refuse_what_is_wrong_all_the_same() -> None:
    with Sandbox(keep="counts") as sandbox:
        assert ask(sandbox, "/v3/mail/send", body("ada@example.org", "nobody"))[0] == 400
        assert sandbox.accepted == {}


def test_the_counts_as_json_in_pages() -> None:
    with Sandbox(keep="counts") as sandbox:
        ask(sandbox, "/v3/mail/send", body("a@example.org", "b@example.org", "c@example.org"))
        ask(sandbox, "/v3/mail/send", body("c@example.org"))
        path = "/sandbox/accepted.json"
        everything = {
            "messages": 4,
            "addresses": 3,
            "accepted": {"a@example.org": 1, "b@example.org": 1, "c@example.org": 2},
        }
        assert ask(sandbox, path) == (200, everything)
        assert ask(sandbox, f"{path}?start=1&limit=1")[1]["accepted"] == {"b@example.org": 1}
        assert ask(sandbox, f"{path}?at_least=2")[1]["accepted"] == {"c@example.org": 2}
        assert ask(sandbox, f"{path}?start=x&limit=-1")[1] == everything


def test_the_log_has_a_line_for_each_accepted_call(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    with Sandbox(keep="counts", log=log) as sandbox:
        ask(sandbox, "/v3/mail/send", body("Ada@example.org", "bo@example.org"))
        ask(sandbox, "/v3/mail/send", body("nobody"))
    with Sandbox(log=log) as sandbox:
        send_at = int(time.time()) + 3600
        ask(sandbox, "/v3/mail/send", body("cy@example.org", send_at=send_at))
        assert sandbox.accepted == {}
    first, second = map(json.loads, log.read_text().splitlines())
    assert first["messages"] == [
        {"to": ["Ada@example.org"], "custom_args": {"attempt": "a1", "delivery": "d0"}},
        {"to": ["bo@example.org"], "custom_args": {"attempt": "a1", "delivery": "d1"}},
    ]
    assert set(first) == {"at", "request_id", "batch_id", "send_at", "messages"}
    assert second["send_at"] == send_at


def test_the_line_is_there_when_the_answer_never_comes(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    faults = Faults((parse_rule("reset@1"), parse_rule("accepted-then-reset@2")))
    with Sandbox(log=log, faults=faults) as sandbox:
        for email in ("ada@example.org", "bo@example.org"):
            with pytest.raises(ConnectionResetError):
                ask(sandbox, "/v3/mail/send", body(email))
        [line] = map(json.loads, log.read_text().splitlines())
    assert line["messages"][0]["to"] == ["bo@example.org"]


def test_a_log_that_cant_be_written_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Sandbox(log=tmp_path / "nowhere" / "log.jsonl")
