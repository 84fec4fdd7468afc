"""What a recipient's mail program reads, parsed back by the stdlib."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from newsletter.sandbox.message import Call, compose
from newsletter.sandbox.mime import as_bytes

PIXEL = b"GIF89a" + bytes(range(256))
URL = "http://127.0.0.1:8025"


def call(**changes: Any) -> Call:
    body = {
        "from": {"email": "news@example.org", "name": "Hafenbücherei, Neues"},
        "subject": "Für -t.name-",
        "content": [
            {"type": "text/plain", "value": "Hello -t.name-,\n\nread on: -k.link-\n"},
            {"type": "text/html", "value": "<p>Hello -h.name-</p>\n<a href='-l.link-'>read on</a>"},
        ],
        "personalizations": [
            {
                "to": [{"email": "ada@example.org", "name": 'Ada "A" Lovelace'}],
                "substitutions": {
                    "-t.name-": "Zoë & co",
                    "-h.name-": "Zoë &amp; co",
                    "-k.link-": "https://example.org/?a=1&b=2",
                    "-l.link-": "https://example.org/?a=1&amp;b=2",
                },
            },
            {"to": [{"email": "bo@example.org"}]},
        ],
    }
    return Call({**body, **changes}, "call-1", datetime(2026, 3, 1, 12, 30, tzinfo=UTC), URL)


def personalization(**values: Any) -> dict[str, Any]:
    return {"personalizations": [{"to": [{"email": "ada@example.org"}], **values}]}


def source(one: Call, index: int = 0) -> bytes:
    return as_bytes(compose(one, index))


def parsed(one: Call, index: int = 0) -> EmailMessage:
    message = message_from_bytes(source(one, index), policy=policy.default)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def test_the_message_has_what_its_recipient_expects() -> None:
    message = parsed(call())
    assert message["From"].addresses[0].display_name == "Hafenbücherei, Neues"
    assert message["To"].addresses[0].display_name == 'Ada "A" Lovelace'
    assert message["To"].addresses[0].addr_spec == "ada@example.org"
    assert message["Date"].datetime == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_substitutions_are_literal_in_subject_and_content() -> None:
    message = parsed(call())
    assert message["Subject"] == "Für Zoë & co"
    assert body(message, "plain") == "Hello Zoë & co,\n\nread on: https://example.org/?a=1&b=2\n"
    assert body(message, "html") == "<p>Hello Zoë &amp; co</p>\n<a href='https://example.org/?a=1&amp;b=2'>read on</a>"


def test_a_recipient_without_substitutions_sees_the_tags() -> None:
    assert parsed(call(), 1)["Subject"] == "Für -t.name-"


def test_substitutions_reach_reply_to_but_neither_headers_nor_custom_args() -> None:
    values = personalization(substitutions={"-x-": "Ada"}, headers={"X-Own": "-x-"}, custom_args={"own": "-x-"})
    message = compose(call(**values, headers={"X-Shared": "-x-"}, reply_to={"email": "-x-@example.org"}), 0)
    assert message.reply_to[0].email == "Ada@example.org"
    assert message.headers == {"X-Shared": "-x-", "X-Own": "-x-"}
    assert message.custom_args == {"own": "-x-"}


def test_a_line_break_in_a_substitution_cannot_add_a_header() -> None:
    values = personalization(substitutions={"-t.name-": "Ada\r\nBcc: bo@example.org"})
    message = parsed(call(**values, subject="For -t.name-"))
    assert message["Subject"] == "For Ada Bcc: bo@example.org"
    assert message["Bcc"] is None


def test_personal_headers_and_args_win_whatever_their_case() -> None:
    values = personalization(headers={"x-list": "own"}, custom_args={"a": "own"})
    message = compose(call(**values, headers={"X-List": "shared"}, custom_args={"a": "shared", "b": "shared"}), 0)
    assert message.headers == {"x-list": "own"}
    assert message.custom_args == {"a": "own", "b": "shared"}


def test_a_personal_sender_wins() -> None:
    assert parsed(call(**personalization(**{"from": {"email": "desk@example.org"}})))["From"] == "desk@example.org"


def test_bcc_gets_the_message_and_is_not_shown() -> None:
    one = call(**personalization(cc=[{"email": "cc@example.org"}], bcc=[{"email": "secret@example.org"}]))
    assert parsed(one)["Cc"] == "cc@example.org"
    assert b"secret@example.org" not in source(one)


def test_one_message_id_for_a_call_unless_the_caller_gives_its_own() -> None:
    assert parsed(call(), 0)["Message-ID"] == parsed(call(), 1)["Message-ID"]
    own = parsed(call(**personalization(headers={"Message-Id": "<own@example.org>"})))
    assert own.get_all("Message-ID") == ["<own@example.org>"]


@pytest.mark.parametrize(
    "value",
    [
        "<https://example.org/u/" + "a" * 150 + ">, <mailto:leave@example.org?subject=" + "b" * 100 + ">",
        "Grüße " * 60,
        "w" * 2000,
        "looks like =?utf-8?q?encoded?= and isn't",
    ],
)
def test_a_long_header_arrives_whole_in_legal_lines(value: str) -> None:
    one = call(**personalization(headers={"X-Long": value}))
    assert max(map(len, source(one).split(b"\r\n"))) <= 998
    assert source(one).partition(b"\r\n\r\n")[0].isascii()
    assert parsed(one)["X-Long"].strip() == value.strip()


def test_list_unsubscribe_is_not_turned_into_encoded_words() -> None:
    link = "<https://example.org/u/" + "a" * 150 + ">"
    assert link.encode() in source(call(**personalization(headers={"List-Unsubscribe": link})))


def test_content_lines_are_legal_whatever_they_hold() -> None:
    text = "x" * 5000 + "\n.\nFrom here \ntab\t\n=20\r\nünï" + "é" * 500
    one = call(content=[{"type": "text/plain", "value": text}])
    head, _, content = source(one).partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in content.split(b"\r\n"))
    assert b"\n" not in source(one).replace(b"\r\n", b"")
    assert b"multipart" not in head
    assert body(parsed(one), "plain") == text.replace("\r\n", "\n")


def test_inline_images_travel_with_the_html_and_attachments_beside_it() -> None:
    content = base64.b64encode(PIXEL).decode()
    image = {"content": content, "type": "image/gif", "filename": "p.gif", "disposition": "inline", "content_id": "p1"}
    report = {"content": content, "type": "application/pdf", "filename": "Bücher.pdf"}
    message = parsed(call(attachments=[report, image]))
    assert message.get_content_type() == "multipart/mixed"
    related = next(part for part in message.walk() if part.get_content_type() == "multipart/related")
    page, picture = related.iter_parts()
    assert page.get_content_type() == "text/html"
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<p1>", "inline")
    assert picture.get_content() == PIXEL
    assert max(map(len, source(call(attachments=[report, image])).split(b"\r\n"))) <= 78
    assert b"\n" not in source(call(attachments=[report, image])).replace(b"\r\n", b"")
    attached = list(message.iter_attachments())
    assert [part.get_filename() for part in attached] == ["Bücher.pdf"]


class TestUnsubscribeGroups:
    TAGGED = "<a href='<%asm_group_unsubscribe_raw_url%>'>a</a> <%asm_preferences_raw_url%> -g-"

    def test_tags_become_links_also_when_a_substitution_brings_them(self) -> None:
        values = personalization(substitutions={"-g-": "<%asm_global_unsubscribe_raw_url%>"})
        one = call(**values, asm={"group_id": 7}, content=[{"type": "text/html", "value": self.TAGGED}])
        assert body(parsed(one), "html") == (
            f"<a href='{URL}/asm/group/call-1.0'>a</a> {URL}/asm/preferences/call-1.0 {URL}/asm/global/call-1.0"
        )

    def test_without_tags_a_footer_is_appended_to_each_part(self) -> None:
        html = "<html><body><p>Hi</p></body></html>"
        content = [{"type": "text/plain", "value": "Hi"}, {"type": "text/html", "value": html}]
        message = parsed(call(asm={"group_id": 7}, content=content))
        assert body(message, "plain").startswith("Hi\n")
        assert f"{URL}/asm/group/call-1.0" in body(message, "plain")
        assert body(message, "html").startswith("<html><body><p>Hi</p><p")
        assert body(message, "html").endswith("</p></body></html>")

    def test_without_asm_tags_stay(self) -> None:
        one = call(content=[{"type": "text/html", "value": self.TAGGED}])
        assert body(parsed(one), "html") == self.TAGGED

    def test_list_unsubscribe_is_added(self) -> None:
        message = parsed(call(asm={"group_id": 7}))
        assert message["List-Unsubscribe"] == f"<{URL}/asm/group/call-1.0>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_but_a_given_one_stays(self) -> None:
        one = call(**personalization(headers={"list-unsubscribe": "<https://example.org/u>"}), asm={"group_id": 7})
        assert parsed(one).get_all("List-Unsubscribe") == ["<https://example.org/u>"]
