"""The commands, as somebody types them."""

from __future__ import annotations

import json
import subprocess
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from newsletter.sandbox import Sandbox


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-m", "newsletter", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    folder = tmp_path / "letter"
    assert run("init", str(folder), folder=tmp_path).returncode == 0
    return folder


def test_a_fresh_workspace_is_fine_and_new_adds_a_fine_issue(fresh: Path) -> None:
    assert run("new", "Spring: tides & more", folder=fresh).returncode == 0
    checked = run("check", folder=fresh)
    assert checked.returncode == 0
    assert checked.stdout.count("✓") == 2


def test_init_overwrites_nothing(fresh: Path) -> None:
    (fresh / "newsletter.yaml").write_text("mine")
    assert "kept" in run("init", ".", folder=fresh).stdout
    assert (fresh / "newsletter.yaml").read_text() == "mine"


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_check_names_the_place_and_fails(fresh: Path, form: str) -> None:
    (fresh / "issues" / "bad.yaml").write_text("subject: x\npreheader: y\nblocks:\n  - type: text\n    bdy: x\n")
    checked = run("check", "bad", "--format", form, folder=fresh)
    assert checked.returncode == 1
    if form == "json":
        assert [(each["code"], each["line"], each["column"]) for each in json.loads(checked.stdout)] == [
            ("unknown-key", 5, 5)
        ]
    else:
        assert {"text": "issues/bad.yaml:5:5", "github": "::error file=issues/bad.yaml,line=5,col=5"}[
            form
        ] in checked.stdout
    assert "\x1b" not in checked.stdout


def test_render_writes_every_form(fresh: Path) -> None:
    assert run("render", "hello", "--out", "out", folder=fresh).returncode == 0
    files = {path.suffix for path in (fresh / "out").iterdir()}
    assert files == {".mjml", ".html", ".txt", ".eml"}
    message = message_from_bytes((fresh / "out" / "hello.eml").read_bytes(), policy=default)
    assert message["Subject"] == "Hello, Sam"
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert "Dear Sam" in (fresh / "out" / "hello.html").read_text()


def test_a_test_mail_arrives_in_the_sandbox_as_rendered(fresh: Path) -> None:
    with Sandbox() as sandbox:
        sent = run(
            "test",
            "hello",
            "--to",
            "me@example.org",
            "--to",
            "You@example.org",
            folder=fresh,
            SENDGRID_HOST=sandbox.url,
        )
        assert sent.returncode == 0, sent.stdout + sent.stderr
        received = sandbox.messages()
    assert sorted(each.to for each in received) == ["You@example.org", "me@example.org"]
    assert {each.subject for each in received} == {"[Test] Hello, Sam"}
    assert "Dear Sam" in str(received[0].html)
    assert "/asm/" in str(received[0].text)


def test_without_a_server_the_test_mail_is_not_sent_and_says_so(fresh: Path) -> None:
    sent = run("test", "hello", "--to", "me@example.org", folder=fresh, SENDGRID_HOST="http://127.0.0.1:9")
    assert sent.returncode == 1
    assert "not sent" in sent.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["chek"], 2, "Did you mean `check`?"),
        (["render"], 2, "--out"),
        (["render", "nothing", "--out", "x"], 1, "there is no issue `nothing`"),
        (["test", "hello", "--to", "nobody"], 1, "not an address"),
    ],
)
def test_wrong_calls_say_what_is_wrong(fresh: Path, arguments: list[str], code: int, words: str) -> None:
    called = run(*arguments, folder=fresh)
    assert called.returncode == code
    assert words in called.stderr
    assert "Traceback" not in called.stderr


def test_outside_a_workspace_the_hint_is_init(tmp_path: Path) -> None:
    called = run("check", folder=tmp_path)
    assert called.returncode == 1
    assert "newsletter init" in called.stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; import newsletter.cli.main; print([name for name in ('jinja2', 'pydantic', 'sqlalchemy', 'premailer', 'rich', 'yaml') if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
