"""`plan`, `send`, `status` and the rest, as processes of their own, to a sandbox that misbehaves when it is told to."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.unsubscribe import verify

SECRET = "a secret of at least thirty-two characters"
ISSUE = """\
subject: Tides for {{ subscriber.first_name or "friend" }}
preheader: High water at noon
date: 2026-03-31
slug: spring-tides
blocks:
  - type: text
    body: |
      Dear {{ subscriber.first_name or "friend" }}, you live in the *{{ subscriber.region }}*.
      [Your page](https://www.example.org/me?who={{ subscriber.email }})
  - type: text
    when: subscriber.region == "north"
    body: Only the north reads this.
"""
SETTINGS = """\
publication:
  name: The Test Letter
  url: https://www.example.org
  address: |
    The Test Society
    1 Test Street
sender:
  email: news@example.org
public_url: https://letters.example.org
batch_size: 100
segments:
  northerners: subscriber.region == "north"
"""


class Desk:
    """A workspace, a sandbox, and a terminal."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox

    def begin(self, *words: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "SENDGRID_HOST": self.sandbox.url,
            "SENDGRID_API_KEY": "SG.a-key-for-tests",
            "NEWSLETTER_SECRET": SECRET,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "newsletter", *words],
            cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str, code: int = 0) -> str:
        """What a command prints, when it ends with `code`."""
        process = self.begin(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, out + err
        return out + err

    def people(self, count: int, name: str = "members") -> None:
        rows = [f"p{n:04}@example.org,Person{n} Example,{('north', 'south')[n % 2]}" for n in range(count)]
        (self.folder / "people.csv").write_text("Email,Name,Region\n" + "\n".join(rows) + "\n", "utf-8")
        self.run("subscribers", "import", "people.csv", "--list", name)

    def status(self) -> dict[str, Any]:
        [standing] = json.loads(self.begin("status", "--json").communicate(timeout=60)[0])
        counted = sum(
            standing[word]
            for word in ("planned", "sending", "accepted", "refused", "uncertain", "suppressed", "cancelled")
        )
        assert counted == standing["audience"]
        return dict(standing)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "newsletter.yaml").write_text(SETTINGS, "utf-8")
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "2026-03-31-spring-tides.yaml").write_text(ISSUE, "utf-8")
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    with Sandbox() as sandbox:
        yield Desk(folder, sandbox)


def with_faults(folder: Path, *rules: str, **options: Any) -> Sandbox:
    return Sandbox(faults=Faults(rules=tuple(map(parse_rule, rules)), **options))


def test_a_list_of_5000_arrives_complete(desk: Desk) -> None:
    desk.people(5000)
    plan = json.loads(desk.run("plan", "--list", "members", "--json"))
    assert (plan["recipients"], plan["batches"], sum(plan["variants"].values())) == (5000, 50, 5000)
    desk.run("test", "--to", "editor@example.org", "--as", "p0000@example.org")
    desk.run("send", "--list", "members", "--yes", "5000")
    assert desk.status()["accepted"] == 5000
    messages = desk.sandbox.messages()
    by_address = {message.to: message for message in messages}
    assert len(messages) == len(by_address) == 5001, "no address twice, and the test is no delivery"
    tokens = set()
    for number in (*range(0, 5000, 97), 4999):
        address = f"p{number:04}@example.org"
        message = by_address[address]
        html, text, mime = message.html, message.text, message.mime
        assert html is not None
        assert text is not None
        assert mime is not None
        assert message.subject == f"Tides for Person{number}"
        assert mime.get_content_type() in ("multipart/alternative", "multipart/mixed")
        for part in (html, text):
            assert f"Dear Person{number}" in part
            assert f"who=p{number:04}%40example.org" in part
            assert ("Only the north" in part) is (number % 2 == 0)
            assert "{{" not in part
            assert re.search(r"zq[g-v]{5}", part) is None, "a token that was never filled"
        assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = re.fullmatch(
            r"<(https://letters\.example\.org/unsubscribe/([\w-]+))>", message.headers["List-Unsubscribe"]
        )
        assert link is not None
        assert link[1] in html
        assert link[1] in text
        tokens.add(verify(SECRET, link[2]))
        assert set(message.custom_args) == {"nl_dispatch", "nl_delivery", "nl_attempt"}
        assert "spring-tides" in message.categories
    assert len(tokens) == len({number for number, _ in tokens}) == 53
    assert {name for _, name in tokens} == {"members"}
    test_mail = by_address["editor@example.org"]
    assert test_mail.subject == "[Test] Tides for Person0"


def test_a_count_that_is_not_the_plans_sends_nothing(desk: Desk) -> None:
    desk.people(3)
    assert "recipients" in desk.run("send", "--list", "members", "--yes", "4", code=1)
    assert "--yes COUNT" in desk.run("send", "--list", "members", code=2)
    assert desk.sandbox.requests == 0
    assert "Nothing has been sent" in desk.run("status")


def test_a_segment_by_name_and_a_mistake_in_one(desk: Desk) -> None:
    desk.people(10)
    assert json.loads(desk.run("plan", "--list", "members", "--segment", "northerners", "--json"))["recipients"] == 5
    wrong = desk.run("plan", "--list", "members", "--segment", 'subscriber.region = "north"', code=1)
    assert "--segment:1:19" in wrong
    desk.run("send", "--list", "members", "--segment", "northerners", "--yes", "5")
    desk.people(10, "others")
    plan = desk.run("plan", "--list", "others", "--exclude-received", "spring-tides", "--json")
    assert json.loads(plan)["recipients"] == 5
    assert "did you mean `spring-tides`" in desk.run(
        "plan", "--list", "others", "--exclude-received", "spring-tide", code=1
    )


def test_ctrl_c_says_how_to_go_on_and_a_second_one_leaves_at_once(folder: Path) -> None:
    with with_faults(folder, "silent@3", latency=(0.05, 0.05)) as sandbox:
        desk = Desk(folder, sandbox)
        desk.people(2000)
        process = desk.begin("send", "--list", "members", "--yes", "2000", "--connections", "1")
        _wait(lambda: sandbox.requests >= 3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 3
        assert "Left at once" in err
        standing = desk.status()
        assert (standing["uncertain"], standing["accepted"]) == (100, 200)
        out = desk.run("resume", code=3)
        assert "newsletter resolve spring-tides" in out
        assert desk.status()["accepted"] == 1900
        assert "p0200@example.org" in desk.run("resolve", code=3)
        assert "100 will be sent once more" in desk.run("resolve", "--resend")
        desk.run("resume")
        assert desk.status()["accepted"] == 2000
        assert set(sandbox.accepted.values()) == {1}


def test_the_first_ctrl_c_finishes_the_calls_under_way(folder: Path) -> None:
    with with_faults(folder, latency=(0.1, 0.1)) as sandbox:
        desk = Desk(folder, sandbox)
        desk.people(2000)
        process = desk.begin("send", "--list", "members", "--yes", "2000", "--connections", "2")
        _wait(lambda: sandbox.requests >= 2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 1
        assert "newsletter resume spring-tides" in out
        standing = desk.status()
        assert standing["uncertain"] == standing["sending"] == 0
        assert standing["planned"] > 0
        desk.run("send", "--list", "members", "--yes", "2000")
        assert set(sandbox.accepted.values()) == {1}
        assert len(sandbox.accepted) == 2000


def test_pause_from_another_terminal_and_status_from_a_third(folder: Path) -> None:
    with with_faults(folder, latency=(0.1, 0.1)) as sandbox:
        desk = Desk(folder, sandbox)
        desk.people(3000)
        process = desk.begin("send", "--list", "members", "--yes", "3000", "--connections", "1")
        _wait(lambda: sandbox.requests >= 1)
        desk.run("pause")
        process.communicate(timeout=20)
        assert process.returncode == 1
        assert desk.status()["state"] == "paused"
        assert "cancelled" in desk.run("cancel")
        assert "nothing to resume" in desk.run("resume", code=1)


def test_undo(desk: Desk) -> None:
    desk.people(300)
    assert "11 minutes" in desk.run("send", "--list", "members", "--yes", "300", "--undo-window", "5m", code=2)
    out = desk.run("send", "--list", "members", "--yes", "300", "--undo-window", "20m")
    assert "can be undone until" in out
    assert desk.sandbox.accepted == {}
    assert "300 will not get it" in desk.run("undo")
    assert desk.status()["cancelled"] == 300


def test_a_rehearsal_is_no_sending(desk: Desk) -> None:
    desk.people(50)
    assert "nobody was mailed" in desk.run("send", "--list", "members", "--rehearse")
    assert len(desk.sandbox.accepted) == 50
    assert "Nothing has been sent" in desk.run("status")


def test_who_and_why_tell_each_ones_story(folder: Path) -> None:
    with with_faults(folder, refuse=("p0001@*",)) as sandbox:
        desk = Desk(folder, sandbox)
        desk.people(4)
        desk.run("subscribers", "remove", "p0002@example.org", "--list", "members")
        desk.run("send", "--list", "members", "--yes", "3", code=1)
        rows = list(csv.DictReader(io.StringIO(desk.run("who", "--format", "csv"))))
        assert [(row["email"], row["status"]) for row in rows] == [
            ("p0000@example.org", "accepted"), ("p0001@example.org", "refused"), ("p0003@example.org", "accepted"),
        ]  # fmt: skip
        assert rows[1]["reason"]
        told = desk.run("why", "P0000@example.org")
        assert 'subscriber.region == "north" → yes' in told
        assert "→ Person0" in told
        assert "accepted as" in told
        assert "unsubscribed" in desk.run("why", "p0002@example.org")
        assert "nobody of this address" in desk.run("why", "stranger@example.org")


def test_somebody_without_a_value_is_named_and_nothing_is_sent(desk: Desk) -> None:
    desk.people(3)
    desk.run("subscribers", "add", "new@example.org", "--list", "members")
    out = desk.run("send", "--list", "members", "--yes", "4", code=1)
    assert "new@example.org" in out
    assert "region" in out
    assert desk.sandbox.requests == 0


def _wait(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come to pass"
        time.sleep(0.02)
