"""The sandbox as the Studio reads it, and starts it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import WorkspaceError
from newsletter.sandbox import Faults, Sandbox
from newsletter.studio.desk import Desk
from newsletter.studio.sandbox.client import (
    Mailbox,
    NotASandbox,
    NotRunning,
    delete_mails,
    fetch_letter,
    list_mails,
)
from newsletter.studio.sandbox.letter import LinkSeen, as_page, links_in, read_letter
from newsletter.studio.sandbox.page import short_time, summary
from newsletter.studio.sandbox.reading import long_time


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def post(url: str, *emails: str, **changes: Any) -> None:
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/html", "value": "<p>Hello</p>"}],
        "personalizations": [{"to": [{"email": email}]} for email in emails],
        **changes,
    }
    connection = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]), timeout=10)
    headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
    connection.request("POST", "/v3/mail/send", json.dumps(body), headers)
    assert connection.getresponse().status == 202
    connection.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(faults=Faults(bounce=("b*",))) as running:
        yield running


def test_mails_are_listed_with_what_became_of_them(sandbox: Sandbox) -> None:
    post(sandbox.url, "ada@example.org", subject="Spring", categories=["spring", "members"])
    post(sandbox.url, "ben@example.org")
    found = list_mails(sandbox.url)
    assert [(mail.to, mail.subject, mail.categories, mail.fate) for mail in found.mails] == [
        ("ben@example.org", "Hello", (), "bounce"),
        ("ada@example.org", "Spring", ("spring", "members"), "delivered"),
    ]
    assert [mail.to for mail in list_mails(sandbox.url, "spring").mails] == ["ada@example.org"]
    assert found.mails[0].received_at.tzinfo is not None


def test_many_mails_come_in_pages(sandbox: Sandbox) -> None:
    post(sandbox.url, *(f"p{number}@example.org" for number in range(120)))
    pages = [list_mails(sandbox.url, page=number) for number in (1, 2, 3, 4)]
    assert [len(page.mails) for page in pages] == [50, 50, 20, 0]
    assert {(page.total, page.pages) for page in pages} == {(120, 3)}


def test_a_mail_is_fetched_whole_and_forgotten_when_it_is_deleted(sandbox: Sandbox) -> None:
    post(sandbox.url, "ada@example.org")
    [mail] = list_mails(sandbox.url).mails
    letter = fetch_letter(sandbox.url, mail.id)
    assert letter is not None
    assert letter.raw == sandbox.messages()[0].read()
    delete_mails(sandbox.url)
    assert fetch_letter(sandbox.url, mail.id) is None
    assert list_mails(sandbox.url) == Mailbox(0, 0, True, ())


def test_nobody_there_is_told_from_somebody_else() -> None:
    with pytest.raises(NotRunning):
        list_mails(f"http://127.0.0.1:{free_port()}")

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"messages": "none"}' if "q=json" in self.path else b"<h1>Hello</h1>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        for words in ("", "json"):
            with pytest.raises(NotASandbox):
                list_mails(f"http://127.0.0.1:{server.server_port}", words)
        server.shutdown()
        thread.join()


def test_the_studio_runs_a_sandbox_until_it_ends_and_keeps_its_mails(workspace_folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    (workspace_folder / ".env").write_text(f"SENDGRID_HOST={url}\n")
    for expected in (1, 2):
        desk = Desk(workspace_folder)
        desk.start_sandbox()
        post(url, "ada@example.org")
        assert list_mails(url).total == expected
        desk.close()
        with pytest.raises(NotRunning):
            list_mails(url)


@pytest.mark.parametrize("host", ["https://mail.example.org", "https://127.0.0.1:8025"])
def test_no_sandbox_where_the_real_provider_is(workspace_folder: Path, host: str) -> None:
    (workspace_folder / ".env").write_text(f"SENDGRID_HOST={host}\n")
    desk = Desk(workspace_folder)
    with pytest.raises(WorkspaceError, match="this machine only"):
        desk.start_sandbox()
    desk.close()


def test_a_port_that_is_taken_is_said(workspace_folder: Path, sandbox: Sandbox) -> None:
    (workspace_folder / ".env").write_text(f"SENDGRID_HOST={sandbox.url}\n")
    desk = Desk(workspace_folder)
    with pytest.raises(WorkspaceError, match="is taken"):
        desk.start_sandbox()
    desk.close()


def letter_of(html: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hi", "The Letter <news@example.org>", "ada@example.org"
    for name, value in headers.items():
        message[name] = value
    message.set_content("In text")
    message.add_alternative(html, subtype="html")
    part = message.get_payload()[1]
    part.add_related(b"GIF89a", "image", "gif", cid="<p+1@example.org>")
    return message.as_bytes()


def test_a_letter_is_taken_apart() -> None:
    letter = read_letter(letter_of("<!doctype html><p>In HTML</p>"))
    assert (letter.subject, letter.sender, letter.to) == ("Hi", "The Letter <news@example.org>", "ada@example.org")
    assert (letter.text, letter.html) == ("In text\n", "<!doctype html><p>In HTML</p>\n")
    assert letter.images == {"p+1@example.org": ("image/gif", b"GIF89a")}
    assert ("To", "ada@example.org") in letter.headers
    assert not letter.asks_outside


def test_images_inside_are_addressed_and_others_stay() -> None:
    letter = read_letter(
        letter_of(
            '<!doctype html><img src="cid:p%2B1@example.org"><img src="cid:other"><img src="https://a.example.org/">'
        )
    )
    page = as_page(letter, "/sandbox/7.0/images/")
    assert page.startswith("<!doctype html>")
    assert '<img src="/sandbox/7.0/images/p%2B1%40example.org">' in page
    assert '<img src="cid:other">' in page
    assert letter.asks_outside


def test_links_are_listed_with_their_words() -> None:
    html = (
        '<a href="https://example.org/a">Read <b>on</b></a><a name="x">no link</a>'
        '<a href=" mailto:me@example.org"><img alt="Write to us" src="x"></a><a href="javascript:x()">No</a><a href="#">unclosed'
    )
    assert links_in(html) == [
        LinkSeen("Read on", "https://example.org/a"),
        LinkSeen("Write to us", "mailto:me@example.org"),
        LinkSeen("No", "javascript:x()"),
    ]
    assert [link.can_be_opened for link in links_in(html)] == [True, True, False]


@pytest.mark.parametrize(
    ("total", "scheduled", "typed", "words"),
    [
        (0, 0, "", "0 mails"),
        (1, 0, "", "1 mail"),
        (12_000, 1, "", "12,000 mails · 1 more waits for its time"),
        (2, 30, "ada", "2 mails with “ada” · 30 more wait for their time"),
    ],
)
def test_how_many_there_are(total: int, scheduled: int, typed: str, words: str) -> None:
    assert summary(Mailbox(total, scheduled, True, ()), typed) == words


def test_times_are_short_in_the_list_and_long_at_the_mail() -> None:
    now = datetime(2026, 3, 31, 12, 0, tzinfo=UTC).astimezone()
    assert short_time(now.replace(hour=9, minute=5), now) == "09:05"
    assert short_time(now.replace(day=2), now) == "2 Mar"
    assert short_time(now.replace(year=2025, day=2), now) == "2 Mar 2025"
    letter = read_letter(letter_of("<p>Hi</p>", Date="Tue, 31 Mar 2026 14:08:32 +0000"))
    assert long_time(letter).endswith(
        "March 2026, " + datetime(2026, 3, 31, 14, 8, 32, tzinfo=UTC).astimezone().strftime("%H:%M:%S")
    )
    assert long_time(read_letter(letter_of("<p>Hi</p>"))) == ""
