"""The mailbox's pages: what they show, what they escape, and whom they don't obey."""

import base64
import json
import re
import time
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from typing import Any

import pytest

from newsletter.sandbox import Faults, Sandbox, parse_rule

PIXEL = b"GIF89a\x01"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(sandbox: Sandbox) -> None:
    sandbox.clear()


def fetch(sandbox: Sandbox, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Any:
    connection = HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace"), response.headers
    finally:
        connection.close()


def send(sandbox: Sandbox, *emails: str, **changes: Any) -> list[str]:
    """The new messages' ids."""
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "In text"}, {"type": "text/html", "value": "<p>In HTML</p>"}],
        "personalizations": [{"to": [{"email": email}]} for email in emails],
        **changes,
    }
    headers = {"Authorization": "Bearer SG.key", "Content-Type": "application/json"}
    status, answer, _ = fetch(sandbox, "/v3/mail/send", "POST", json.dumps(body).encode(), **headers)
    assert status == 202, answer
    return [message.id for message in sandbox.messages()[-len(emails) :]]


def test_an_empty_mailbox_says_so(sandbox: Sandbox) -> None:
    status, page, _ = fetch(sandbox, "/")
    assert status == 200
    assert "No messages yet" in page


def test_the_list_has_the_newest_first(sandbox: Sandbox) -> None:
    send(sandbox, "ada@example.org")
    send(sandbox, "bo@example.org")
    _, page, _ = fetch(sandbox, "/")
    assert page.index("bo@example.org") < page.index("ada@example.org")
    assert "2 messages" in page


def test_search_and_paging(sandbox: Sandbox) -> None:
    send(sandbox, *(f"p{n}@example.org" for n in range(120)), "Ada@example.org")
    _, page, _ = fetch(sandbox, "/?q=ada%40")
    assert re.findall(r"<td>(.*?)</td>", page) == ["Ada@example.org"]
    _, page, _ = fetch(sandbox, "/?q=p&page=3")
    assert len(re.findall(r"<td>", page)) == 21
    assert 'href="/?q=p&amp;page=2"' in page
    assert "Page 3 of 3" in page
    assert fetch(sandbox, "/?page=9999")[0] == fetch(sandbox, "/?page=x")[0] == 200
    assert "No message has" in fetch(sandbox, "/?q=zz")[1]


def test_search_by_subject(sandbox: Sandbox) -> None:
    send(sandbox, "ada@example.org", subject="Spring tides")
    send(sandbox, "bo@example.org", subject="Autumn")
    _, page, _ = fetch(sandbox, "/?q=TIDES")
    assert re.findall(r"<td>(.*?)</td>", page) == ["ada@example.org"]


def test_the_list_as_json(sandbox: Sandbox) -> None:
    send(sandbox, "ada@example.org", "bo@example.org")
    answer = json.loads(fetch(sandbox, "/messages.json?limit=1")[1])
    assert answer["total"] == 2
    assert [message["to"] for message in answer["messages"]] == ["bo@example.org"]
    assert json.loads(fetch(sandbox, "/messages.json?q=ada")[1])["total"] == 1
    assert (answer["keep"], answer["scheduled"]) == ("all", 0)


def test_the_json_says_what_became_of_each_and_what_waits(sandbox: Sandbox) -> None:
    with Sandbox(faults=Faults(bounce=("b*",), complain=("c*",))) as moody:
        send(moody, "ada@example.org", "bo@example.org", "cy@example.org")
        send(moody, "bo@example.org")
        send(moody, "di@example.org", send_at=int(time.time()) + 3600)
        answer = json.loads(fetch(moody, "/messages.json")[1])
    told = {message["to"] + str(message["seq"]): message["fate"] for message in answer["messages"]}
    assert told == {
        "ada@example.org1": "delivered",
        "bo@example.org2": "bounce",
        "cy@example.org3": "spamreport",
        "bo@example.org4": "dropped",
    }
    assert answer["scheduled"] == 1


def test_a_message_has_views_of_all_its_parts(sandbox: Sandbox) -> None:
    [message_id] = send(sandbox, "ada@example.org", custom_args={"issue": "12"})
    _, page, _ = fetch(sandbox, f"/messages/{message_id}")
    assert f'src="/messages/{message_id}/html"' in page
    assert "issue=12" in page
    assert "In text" in fetch(sandbox, f"/messages/{message_id}?view=text")[1]
    assert "Message-ID" in fetch(sandbox, f"/messages/{message_id}?view=headers")[1]
    assert "Content-Transfer-Encoding" in fetch(sandbox, f"/messages/{message_id}?view=source")[1]


def test_the_frame_runs_no_scripts(sandbox: Sandbox) -> None:
    [message_id] = send(sandbox, "ada@example.org")
    frame = re.search(r"<iframe[^>]*>", fetch(sandbox, f"/messages/{message_id}")[1])
    assert frame
    assert "sandbox=" in frame[0]
    policy = fetch(sandbox, f"/messages/{message_id}/html")[2]["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in frame[0] + policy
    assert "allow-same-origin" not in frame[0] + policy


def test_the_frames_page_keeps_its_doctype_first(sandbox: Sandbox) -> None:
    html = "<!doctype html><html><body><a href='https://example.org/'>a</a></body></html>"
    [message_id] = send(sandbox, "ada@example.org", content=[{"type": "text/html", "value": html}])
    assert fetch(sandbox, f"/messages/{message_id}/html")[1].startswith(html)


def test_inline_images_are_resolved_and_unknown_ones_stay(sandbox: Sandbox) -> None:
    image = {
        "content": base64.b64encode(PIXEL).decode(),
        "type": "image/gif",
        "filename": "p.gif",
        "disposition": "inline",
        "content_id": "p+1@example.org",
    }
    html = '<img src="cid:p%2B1@example.org"><img src="cid:other">'
    content = [{"type": "text/html", "value": html}]
    [message_id] = send(sandbox, "ada@example.org", content=content, attachments=[image])
    _, page, _ = fetch(sandbox, f"/messages/{message_id}/html")
    sources = re.findall('src="(.*?)"', page)
    assert sources[1] == "cid:other"
    status, data, headers = fetch(sandbox, sources[0])
    assert (status, data, headers["Content-Type"]) == (200, PIXEL.decode(), "image/gif")
    assert fetch(sandbox, f"/messages/{message_id}/cid/other")[0] == 404


def test_a_download_is_the_message_itself(sandbox: Sandbox) -> None:
    [message_id] = send(sandbox, "ada@example.org")
    _, source, headers = fetch(sandbox, f"/messages/{message_id}.eml")
    assert headers["Content-Type"] == "message/rfc822"
    assert message_id in headers["Content-Disposition"]
    assert source.encode() == sandbox.messages()[0].read()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=%3Cscript%3E",
        "/messages/ID",
        "/messages/ID?view=text",
        "/messages/ID?view=headers",
        "/messages/ID?view=source",
    ],
)
def test_whatever_a_message_says_is_escaped(sandbox: Sandbox, path: str) -> None:
    evil = "<script>alert(1)</script>"
    content = [{"type": "text/plain", "value": evil}]
    [message_id] = send(
        sandbox, "ada@example.org", subject=evil, content=content, headers={"X-A": evil}, custom_args={evil: evil}
    )
    status, page, headers = fetch(sandbox, path.replace("ID", message_id))
    assert status == 200
    assert "<script" not in page
    assert "&lt;script" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_links_of_unsubscribe_groups_lead_to_a_page(sandbox: Sandbox) -> None:
    [message_id] = send(sandbox, "ada@example.org", asm={"group_id": 7})
    link = sandbox.messages()[0].headers["List-Unsubscribe"].strip("<>")
    path = link.removeprefix(sandbox.url)
    assert message_id in path
    assert "would be unsubscribed" in fetch(sandbox, path)[1]
    assert fetch(sandbox, path, "POST", b"List-Unsubscribe=One-Click")[0] == 200


def test_the_mailbox_can_be_cleared(sandbox: Sandbox) -> None:
    [message_id] = send(sandbox, "ada@example.org")
    assert fetch(sandbox, "/messages", "DELETE")[0] == 204
    assert sandbox.messages() == []
    assert fetch(sandbox, f"/messages/{message_id}")[0] == 404
    send(sandbox, "ada@example.org")
    status, _, headers = fetch(sandbox, "/messages/clear", "POST", b"", Origin=sandbox.url)
    assert (status, headers["Location"], sandbox.messages()) == (303, "/", [])


def test_other_peoples_pages_can_neither_clear_nor_read_it(sandbox: Sandbox) -> None:
    send(sandbox, "ada@example.org")
    assert fetch(sandbox, "/messages/clear", "POST", b"", Origin="https://example.org")[0] == 403
    assert fetch(sandbox, "/messages/clear", "POST", b"", Origin="null")[0] == 403
    assert fetch(sandbox, "/", Host="rebound.example.org")[0] == 421
    assert len(sandbox.messages()) == 1


def test_a_well_behaved_sandbox_says_nothing_of_faults(sandbox: Sandbox) -> None:
    page = fetch(sandbox, "/")[1]
    assert "It misbehaves" not in page
    assert "It posts events" not in page


def test_the_list_tells_of_faults_counts_and_what_is_scheduled() -> None:
    faults = Faults(rules=(parse_rule("429@99"),), refuse=("<b>@*",), seed=7)
    with Sandbox(faults=faults, events_url="http://127.0.0.1:9/e") as sandbox:
        key = {"Authorization": "Bearer SG.key"}
        batch_id = json.loads(fetch(sandbox, "/v3/mail/batch", "POST", b"", **key)[1])["batch_id"]
        send(sandbox, "ada@example.org")
        later = int(time.time()) + 3600
        fetch(sandbox, "/v3/mail/send", "POST", scheduled(later, batch_id), **key, **JSON)
        status = json.dumps({"batch_id": batch_id, "status": "pause"}).encode()
        fetch(sandbox, "/v3/user/scheduled_sends", "POST", status, **key, **JSON)
        page = " ".join(re.sub(r"<[^>]*>", " ", fetch(sandbox, "/")[1]).split())
        assert "1 message 2 calls 1 address 1 scheduled" in page
        assert "429@99 too many requests" in page
        assert "refuse &lt;b&gt;@*" in page
        assert "seed 7" in page
        assert f"1 message, paused batch {batch_id}" in page
        assert unescape(page).count(str(sandbox.public_key)) == 1


def test_counts_alone_lead_to_who_got_how_many() -> None:
    with Sandbox(keep="counts") as sandbox:
        body = json.loads(scheduled(1, None))
        key = {"Authorization": "Bearer SG.key"}
        assert fetch(sandbox, "/v3/mail/send", "POST", json.dumps(body).encode(), **key, **JSON)[0] == 202
        page = fetch(sandbox, "/")[1]
        assert "1 message" in page
        assert 'href="/sandbox/accepted.json"' in page
        assert json.loads(fetch(sandbox, "/sandbox/accepted.json")[1])["accepted"] == {"bo@example.org": 1}


JSON = {"Content-Type": "application/json"}


def scheduled(send_at: int, batch_id: str | None) -> bytes:
    body = {
        "from": {"email": "news@example.org"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "In text"}],
        "personalizations": [{"to": [{"email": "bo@example.org"}]}],
        "send_at": send_at,
        **({"batch_id": batch_id} if batch_id else {}),
    }
    return json.dumps(body).encode()
