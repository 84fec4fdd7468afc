"""Send test, Checks and Sandbox in the browser: what goes out, what came of it, and what is wrong before it goes."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from controls import enter
from PIL import Image
from playwright.sync_api import Page, expect
from running_studio import RunningStudio

from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.subscriber import Subscriber
from newsletter.workspace import Workspace

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 31, tzinfo=UTC)
KEY = "SENDGRID_API_KEY=SG.a-key\n"


def send_to(studio: RunningStudio, host: str) -> None:
    """Have the workspace send to `host`."""
    (studio.root / ".env").write_text(f"{KEY}SENDGRID_HOST={host}\n", "utf-8")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def people(studio: RunningStudio, *named: tuple[str, str]) -> None:
    """Subscribers with these addresses and names, on the list `members`."""
    with Workspace.open(studio.root).open_store() as store, store.write() as connection:
        make_list(connection, "members", now=NOW)
        known = add_subscribers(connection, [Subscriber(0, email, name) for email, name in named], now=NOW)
        join_list(connection, "members", [person.id for person in known], source="test", now=NOW)


def issue(studio: RunningStudio) -> Path:
    """The sample issue."""
    return next((studio.root / "issues").glob("*-hello.yaml"))


def write_issue(studio: RunningStudio, blocks: str, subject: str = "Spring tides") -> str:
    """A small issue of these blocks; gives its stem."""
    text = f"subject: {subject}\npreheader: What the moon does\ndate: 2026-03-31\nblocks:\n{blocks}"
    (studio.root / "issues" / "2026-03-31-tides.yaml").write_text(text, "utf-8")
    return "2026-03-31-tides"


def post(sandbox: Sandbox, *emails: str, html: str = "<p>In HTML</p>", **changes: Any) -> None:
    """Send mails to the sandbox, not through the Studio."""
    body = {
        "from": {"email": "news@example.org", "name": "The Letter"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "In text"}, {"type": "text/html", "value": html}],
        "personalizations": [{"to": [{"email": email}]} for email in emails],
        **changes,
    }
    connection = http.client.HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=30)
    headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
    connection.request("POST", "/v3/mail/send", json.dumps(body), headers)
    assert connection.getresponse().status == 202
    connection.close()


@pytest.fixture
def sandbox(studio: RunningStudio) -> Iterator[Sandbox]:
    """A sandbox that the workspace sends to."""
    with Sandbox() as running:
        send_to(studio, running.url)
        yield running


@pytest.fixture
def moody(studio: RunningStudio) -> Iterator[Callable[..., Sandbox]]:
    """Makes the sandbox that the workspace sends to, with faults."""
    started: list[Sandbox] = []

    def start(**faults: Any) -> Sandbox:
        running = Sandbox(faults=Faults(**faults)).__enter__()
        started.append(running)
        send_to(studio, running.url)
        return running

    yield start
    for running in started:
        running.__exit__(None, None, None)


@pytest.fixture
def website() -> Iterator[tuple[str, list[str]]]:
    """A website on this machine: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def result(page: Page, address: str) -> Any:
    """What is said of the test to an address."""
    return page.locator(".testing-result").filter(has_text=address)


def add_address(page: Page, typed: str) -> None:
    field = page.get_by_label("Add an address")
    enter(field, typed)
    field.press("Enter")


# Send test.


def test_a_test_is_sent_as_somebody_and_seen_in_a_sandbox_started_here(
    studio: RunningStudio, studio_page: Page
) -> None:
    people(studio, ("ada@example.org", "Ada Lovelace"), ("ben@example.org", "Ben Berg"), ("adam@example.org", ""))
    send_to(studio, f"http://127.0.0.1:{free_port()}")
    page = studio_page
    page.goto(studio.url(f"/issue/{issue(studio).stem}/test"))
    expect(page.get_by_text("The sandbox isn't running")).to_be_visible()
    page.get_by_role("button", name="Start it here").click()
    expect(page.get_by_text("It goes to the sandbox on this machine")).to_be_visible()
    expect(page.locator(".testing-subject")).to_have_text("[Test] Hello, Sam")

    reader = page.get_by_role("combobox", name="The personal parts are filled for")
    reader.click()
    reader.press_sequentially("lovel")
    expect(page.get_by_role("option")).to_have_count(1)
    reader.press("Enter")
    expect(reader).to_have_value("Ada Lovelace <ada@example.org>")
    expect(page.locator(".testing-subject")).to_have_text("[Test] Hello, Ada")

    add_address(page, "me@example.org")
    expect(page.get_by_label("Add an address")).to_have_value("")
    enter(page.get_by_label("Add an address"), "Colleague <colleague@example.org>")
    page.keyboard.press("Control+Enter")
    for address in ("me@example.org", "colleague@example.org"):
        expect(result(page, address).locator(".chip")).to_have_text("accepted")

    result(page, "me@example.org").get_by_role("link", name="See it").click()
    expect(page.locator(".sandbox_mail-head h2")).to_have_text("[Test] Hello, Ada")
    expect(page.locator(".sandbox_mail-row.current")).to_contain_text("me@example.org")
    expect(page.frame_locator("iframe[title='The mail']").locator("body")).to_contain_text("Dear Ada")
    page.get_by_role("button", name="Plain text").click()
    expect(page.locator("pre.sandbox_mail-text")).to_contain_text("Dear Ada")


def test_addresses_are_remembered_and_can_be_forgotten(
    studio: RunningStudio, studio_page: Page, sandbox: Sandbox
) -> None:
    page, place = studio_page, studio.url(f"/issue/{issue(studio).stem}/test")
    page.goto(place)
    add_address(page, "me@example.org; you@example.org")
    page.get_by_role("checkbox", name="you@example.org").click()
    page.get_by_role("button", name="Send test").click()
    expect(result(page, "me@example.org").locator(".chip")).to_have_text("accepted")
    expect(result(page, "you@example.org")).to_have_count(0)

    page.goto(place)
    expect(page.get_by_role("checkbox", name="me@example.org")).to_be_checked()
    expect(page.get_by_role("checkbox", name="you@example.org")).not_to_be_checked()
    page.get_by_role("button", name="Forget you@example.org").click()
    expect(page.get_by_role("checkbox", name="you@example.org")).to_have_count(0)
    page.goto(place)
    expect(page.get_by_role("checkbox")).to_have_count(1)
    assert sandbox.accepted == {"me@example.org": 1}


def test_what_isnt_an_address_is_said_and_nothing_is_sent(
    studio: RunningStudio, studio_page: Page, sandbox: Sandbox
) -> None:
    page = studio_page
    page.goto(studio.url(f"/issue/{issue(studio).stem}/test"))
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("Where should it go?")).to_be_visible()
    enter(page.get_by_label("Add an address"), "me@example.org, nobody")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("“nobody” isn't an address")).to_be_visible()
    expect(page.locator(".testing-result")).to_have_count(0)
    enter(page.get_by_label("Add an address"), "me@example.org")
    expect(page.get_by_text("isn't an address")).to_have_count(0)
    assert sandbox.requests == 0


def test_the_provider_is_quoted_for_each_address(
    studio: RunningStudio, studio_page: Page, moody: Callable[..., Sandbox]
) -> None:
    moody(refuse=("bad@*",), rules=(parse_rule("accepted-then-reset@3"), parse_rule("429@4")))
    page = studio_page
    page.goto(studio.url(f"/issue/{issue(studio).stem}/test"))
    add_address(page, "fine@example.org bad@example.org lost@example.org busy@example.org")
    page.get_by_role("button", name="Send to 4 addresses").click()
    for address, state, said in (
        ("fine@example.org", "accepted", "Accepted by the provider"),
        ("bad@example.org", "refused", "bad@example.org isn't taken here"),
        ("lost@example.org", "uncertain", "it may have been sent"),
        ("busy@example.org", "not sent", "asks to wait"),
    ):
        expect(result(page, address).locator(".chip")).to_have_text(state)
        expect(result(page, address)).to_contain_text(said)
    expect(page.get_by_role("link", name="See it")).to_have_count(1)


def test_an_issue_that_cant_be_rendered_isnt_sent_and_leads_to_its_line(
    studio: RunningStudio, studio_page: Page, sandbox: Sandbox
) -> None:
    stem = write_issue(studio, "  - type: text\n    body: Hello {{ subscriber. }}\n")
    page = studio_page
    page.goto(studio.url(f"/issue/{stem}/test"))
    expect(page.get_by_text("can't be rendered before this is mended")).to_be_visible()
    expect(page.get_by_role("button", name="Send test")).to_be_disabled()
    link = page.locator("a.problems-place")
    expect(link).to_have_attribute("href", re.compile(rf"/issue/{stem}\?line=6&column=\d+"))
    write_issue(studio, "  - type: text\n    body: Hello {{ subscriber.name }}\n")
    expect(page.get_by_role("button", name="Send test")).to_be_enabled()
    expect(link).to_have_count(0)
    assert sandbox.requests == 0


def test_real_mail_is_announced(studio: RunningStudio, studio_page: Page) -> None:
    send_to(studio, "https://mail.example.org")
    studio_page.goto(studio.url(f"/issue/{issue(studio).stem}/test"))
    expect(studio_page.get_by_text("This is real mail: it goes out through mail.example.org")).to_be_visible()
    studio_page.goto(studio.url("/sandbox"))
    expect(studio_page.get_by_text("Mail goes to the real provider")).to_be_visible()
    expect(studio_page.get_by_text("SENDGRID_HOST=http://127.0.0.1:8025")).to_be_visible()


# Checks.


def test_problems_stand_by_their_effect_lead_to_their_line_and_go_when_mended(
    studio: RunningStudio, studio_page: Page
) -> None:
    blocks = """\
  - type: text
    body: Read [this](ftp://example.org/x). TODO
  - type: story
    headline: The moon
    url: https://www.example.org/moon
    label: click here
"""
    stem = write_issue(studio, blocks)
    page = studio_page
    page.goto(studio.url(f"/issue/{stem}/checks"))
    expect(page.get_by_role("heading", name="One thing stops it from being sent")).to_be_visible()
    titles = page.locator(".problems-group h2")
    expect(titles).to_have_text(
        ["Readers can't get where a link promises", "Some readers miss something", "Worth a look"]
    )
    wrong = page.get_by_role("region", name="Readers can't get where a link promises")
    expect(wrong.locator("mark")).to_have_text("ftp://example.org/x")
    expect(wrong).to_contain_text("stops the sending")

    write_issue(studio, blocks.replace("ftp:", "https:"))
    expect(page.get_by_role("heading", name="2 things to look at")).to_be_visible()
    write_issue(studio, blocks.replace("ftp:", "https:").replace(" TODO", "").replace("click here", "Read on"))
    expect(page.get_by_role("heading", name="Nothing to mend")).to_be_visible()

    write_issue(studio, blocks.replace("ftp:", "https:"))
    page.locator("a.problems-place").filter(has_text="click here").click()
    expect(page).to_have_url(re.compile(rf"/issue/{stem}\?line=10&column=12"))


def test_a_fault_of_a_theme_is_shown_with_its_file(studio: RunningStudio, studio_page: Page) -> None:
    (studio.root / "templates" / "digest" / "quote.mjml").write_text("<mj-nonsense>{{ block.text }}</mj-nonsense>\n")
    page = studio_page
    page.goto(studio.url(f"/issue/{issue(studio).stem}/checks"))
    group = page.get_by_role("region", name="It can't be sent")
    expect(group).to_contain_text("templates/digest/quote.mjml, line 1")
    expect(group.locator("mark")).to_have_text("<mj-nonsense")
    expect(group.locator("a")).to_have_count(0)


def test_links_to_private_addresses_arent_asked(
    studio: RunningStudio, studio_page: Page, website: tuple[str, list[str]]
) -> None:
    address, asked = website
    settings = studio.root / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8").replace("https://www.example.org", f"{address}/home"), "utf-8")
    stem = write_issue(
        studio, f"  - type: text\n    body: '[one]({address}/one), [mine]({address}/{{{{ subscriber.name }}}})'\n"
    )
    page = studio_page
    page.goto(studio.url(f"/issue/{stem}/checks"))
    expect(page.get_by_role("heading", name="Nothing to mend")).to_be_visible()
    expect(page.get_by_text("2 addresses to ask")).to_be_visible()
    expect(page.locator(".checks-addresses")).to_contain_text("subscriber.name")
    page.get_by_role("button", name="Ask the websites").click()
    expect(page.get_by_text("2 of 2 answered: 0 fine, 2 to look at.")).to_be_visible()
    group = page.get_by_role("region", name="Readers can't get where a link promises")
    expect(group.get_by_text("leads to a private address")).to_have_count(2)
    expect(group.locator("a.problems-place mark")).to_have_text(f"{address}/one")
    expect(group).to_contain_text("newsletter.yaml, line")
    assert asked == []

    write_issue(studio, "  - type: text\n    body: No links\n")
    expect(group.get_by_text("leads to a private address")).to_have_count(1)


def test_personal_parts_that_are_missing_for_somebody_are_found_on_the_list(
    studio: RunningStudio, studio_page: Page
) -> None:
    people(studio, ("ada@example.org", "Ada"), ("ben@example.org", "Ben"))
    stem = write_issue(studio, "  - type: text\n    body: You live in {{ subscriber.town }}.\n")
    page = studio_page
    page.goto(studio.url(f"/issue/{stem}/checks"))
    expect(page.get_by_role("heading", name="Nothing to mend")).to_be_visible()
    page.get_by_role("button", name="Look at everybody").click()
    expect(page.get_by_text("For 2 of 2 people something is missing.")).to_be_visible()
    group = page.get_by_role("region", name="Personal parts read wrongly")
    expect(group).to_contain_text("Missing for ada@example.org, ben@example.org")
    expect(group.locator("mark")).to_have_text("subscriber.town")
    expect(group.locator("a.problems-place")).to_have_attribute("href", f"/issue/{stem}?line=6&column=26")

    write_issue(studio, '  - type: text\n    body: You live in {{ subscriber.town or "a town" }}.\n')
    expect(page.get_by_role("heading", name="Nothing to mend")).to_be_visible()
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Every personal part can be filled, for all 2")).to_be_visible()


# Sandbox.


def test_mails_show_up_as_they_come_and_are_found(studio: RunningStudio, studio_page: Page, sandbox: Sandbox) -> None:
    page = studio_page
    page.goto(studio.url("/sandbox"))
    expect(page.get_by_text("No mails yet")).to_be_visible()
    rows = page.locator(".sandbox_mail-row")
    post(sandbox, "ada@example.org", subject="Spring", categories=["spring-tides"])
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("spring-tides")
    expect(rows).to_contain_text("delivered")
    post(sandbox, *(f"p{number}@example.org" for number in range(70)), subject="Autumn")
    expect(rows).to_have_count(50)
    expect(page.get_by_text("71 mails")).to_be_visible()
    page.get_by_role("button", name="Older mails").click()
    expect(rows).to_have_count(21)
    enter(page.get_by_label("Search the mails"), "SPRING")
    expect(rows).to_have_count(1)
    enter(page.get_by_label("Search the mails"), "p69@")
    expect(rows).to_contain_text(["p69@example.org"])
    enter(page.get_by_label("Search the mails"), "nobody")
    expect(page.get_by_text("Nothing found")).to_be_visible()

    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    enter(page.get_by_label("Search the mails"), "")
    expect(page.get_by_text("No mails yet")).to_be_visible()
    assert sandbox.messages() == []


def test_a_mail_is_shown_whole_and_harmless(studio: RunningStudio, studio_page: Page, sandbox: Sandbox) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (20, 10), "#336699").save(picture, "PNG")
    inside = {
        "content": base64.b64encode(picture.getvalue()).decode(),
        "type": "image/png",
        "filename": "p.png",
        "disposition": "inline",
        "content_id": "p+1@example.org",
    }
    html = (
        '<!doctype html><body><img id="in" src="cid:p%2B1@example.org" alt=""><img src="https://example.org/pixel" alt="">'
        '<script>document.title = "taken"; parent.document.title = "taken"</script>'
        '<a id="away" href="https://example.org/away">Away <b>we go</b></a><a href="javascript:alert(1)">No</a></body>'
    )
    post(sandbox, "ada@example.org", html=html, attachments=[inside], headers={"X-Issue": "<b>12</b>"})
    page = studio_page
    page.goto(studio.url("/sandbox"))
    page.locator(".sandbox_mail-row").click()
    frame = page.frame_locator("iframe[title='The mail']")
    expect(frame.locator("#in")).to_be_visible()
    assert frame.locator("#in").evaluate("image => image.decode().then(() => image.naturalWidth)") == 20
    expect(page).to_have_title("Sandbox · newsletter")
    expect(page.get_by_text("Images from the web aren't fetched here.")).to_be_visible()
    frame.locator("#away").click()
    expect(frame.locator("#away")).to_be_visible()

    page.get_by_role("button", name="Links").click()
    expect(page.get_by_role("link", name="https://example.org/away")).to_be_visible()
    expect(page.get_by_role("cell", name="Away we go")).to_be_visible()
    expect(page.get_by_role("link", name="javascript")).to_have_count(0)
    page.get_by_role("button", name="Headers").click()
    expect(page.locator(".sandbox_mail-headers")).to_contain_text("<b>12</b>")
    page.get_by_role("button", name="Source").click()
    expect(page.locator("pre.sandbox_mail-source")).to_contain_text("Content-Transfer-Encoding: base64")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert Path(download.value.path()).read_bytes() == sandbox.messages()[0].read()


def test_something_else_on_the_port_is_said(
    studio: RunningStudio, studio_page: Page, website: tuple[str, list[str]]
) -> None:
    send_to(studio, website[0])
    studio_page.goto(studio.url("/sandbox"))
    expect(studio_page.get_by_text("That isn't a sandbox")).to_be_visible()


def test_a_sandbox_that_ends_and_comes_back_is_followed(studio: RunningStudio, studio_page: Page) -> None:
    port = free_port()
    send_to(studio, f"http://127.0.0.1:{port}")
    studio_page.goto(studio.url("/sandbox"))
    expect(studio_page.get_by_text("The sandbox isn't running")).to_be_visible()
    with Sandbox(port) as running:
        post(running, "ada@example.org")
        expect(studio_page.locator(".sandbox_mail-row")).to_have_count(1)
    expect(studio_page.get_by_text("The sandbox isn't running")).to_be_visible()
