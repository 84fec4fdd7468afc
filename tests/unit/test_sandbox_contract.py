"""The provider's rules as a table: what is changed in a good request, and the field that the answer has to name."""

import base64
import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.sandbox.contract import violations

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PIXEL = base64.b64encode(b"GIF89a").decode()


def good() -> dict[str, Any]:
    """A request that uses what a newsletter uses, and some more."""
    return {
        "from": {"email": "news@example.org", "name": "Harbour Library; News, weekly"},
        "reply_to": {"email": "desk@example.org"},
        "subject": "Hello -t.name-",
        "content": [
            {"type": "text/plain", "value": "Hello -t.name-"},
            {"type": "text/html", "value": "<p>Hello -h.name-</p>"},
        ],
        "personalizations": [
            {
                "to": [{"email": "ada@example.org", "name": "Ada; Lovelace, A."}],
                "substitutions": {"-t.name-": "Ada", "-h.name-": "Ada"},
                "headers": {"List-Unsubscribe": "<https://example.org/u/1>"},
                "custom_args": {"delivery": "1"},
            },
            {"to": [{"email": "bo@example.org"}], "send_at": int(NOW.timestamp()) + 3600},
        ],
        "headers": {"List-Id": "<weekly.example.org>", "X-Accent": "café"},
        "custom_args": {"issue": "12"},
        "categories": ["weekly"],
        "attachments": [
            {
                "content": PIXEL,
                "type": "image/gif",
                "filename": "p.gif",
                "disposition": "inline",
                "content_id": "p@example.org",
            },
        ],
        "asm": {"group_id": 7, "groups_to_display": [7]},
        "send_at": int(NOW.timestamp()) + 72 * 3600,
        "batch_id": "known",
        "ip_pool_name": "pool",
        "mail_settings": {"sandbox_mode": {"enable": False}, "footer": {"enable": False, "html": ""}},
        "tracking_settings": {"click_tracking": {"enable": False, "enable_text": False}},
    }


def put(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Set what is at `path`, or take it out when `value` is Ellipsis."""

    def change(body: Any) -> None:
        *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in parents:
            body = body[step]
        if value is ...:
            del body[last]
        else:
            body[last] = value

    return change


def people(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"email": f"p{number}@example.org"} for number in range(start, start + count)]


FIRST = "personalizations/0"

VIOLATIONS: list[tuple[str, object, str | None]] = [
    ("personalizations", ..., "personalizations"),
    ("personalizations", [], "personalizations"),
    ("personalizations", [{"to": [person]} for person in people(1001)], "personalizations"),
    ("personalizations", [{"to": people(600)}, {"to": people(401, 600)}], "personalizations"),
    ("personalizations", "all", "personalizations"),
    ("personalizations/1", "bo", "personalizations.1"),
    (f"{FIRST}/to", ..., "personalizations.0.to"),
    (f"{FIRST}/to", [], "personalizations.0.to"),
    (f"{FIRST}/to", [{"name": "Ada"}], "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", 5, "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada@localhost", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada@example..org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", ".ada@example.org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "adä@example.org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada @example.org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada@example.org\n", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "a" * 65 + "@example.org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/email", "ada@" + "example." * 40 + "org", "personalizations.0.to.0.email"),
    (f"{FIRST}/to/0/name", "Ada\nBcc: bo@example.org", "personalizations.0.to.0.name"),
    (f"{FIRST}/to/0/nickname", "A", "personalizations.0.to.0.nickname"),
    ("personalizations/1/to/0/email", "ADA@Example.org", "personalizations.1.to"),
    (f"{FIRST}/cc", [{"email": "ada@example.org"}], "personalizations.0.cc"),
    (f"{FIRST}/bcc", [{"email": "bo"}], "personalizations.0.bcc.0.email"),
    (f"{FIRST}/from", {"email": "news@example.com"}, "personalizations.0.from.email"),
    (f"{FIRST}/subject", "", "personalizations.0.subject"),
    (f"{FIRST}/substitutions", ["-a-"], "personalizations.0.substitutions"),
    (f"{FIRST}/substitutions", {"-a-": 1}, None),
    (f"{FIRST}/substitutions", {"": "x"}, "personalizations.0.substitutions"),
    (f"{FIRST}/substitutions", {f"-{n}-": "" for n in range(100)}, "personalizations.0.substitutions"),
    (f"{FIRST}/substitutions", {"-a-": "é" * 4999}, "personalizations.0.substitutions"),
    (f"{FIRST}/custom_args", {}, "personalizations.0.custom_args"),
    (f"{FIRST}/custom_args", {"a": 1}, "personalizations.0.custom_args.a"),
    (f"{FIRST}/custom_args", {"a": "x" * 9995}, "personalizations.0.custom_args"),
    (f"{FIRST}/headers", {"X-A": 1}, "personalizations.0.headers.X-A"),
    (f"{FIRST}/headers", {"X-A": "a\r\nBcc: b"}, "personalizations.0.headers.X-A"),
    (f"{FIRST}/headers", {"X A": "a"}, "personalizations.0.headers.X A"),
    (f"{FIRST}/headers", {"X-Ä": "a"}, "personalizations.0.headers.X-Ä"),
    (f"{FIRST}/headers", {"Reply-to": "a@example.org"}, "personalizations.0.headers.Reply-to"),
    (f"{FIRST}/send_at", int(NOW.timestamp()) + 72 * 3600 + 1, "personalizations.0.send_at"),
    (f"{FIRST}/dynamic_template_data", {"a": 1}, "personalizations.0.dynamic_template_data"),
    (f"{FIRST}/sections", {}, "personalizations.0.sections"),
    ("from", ..., "from"),
    ("from", "news@example.org", "from"),
    ("from/email", "news", "from.email"),
    ("reply_to_list", [{"email": "desk@example.org"}], "reply_to"),
    ("reply_to", {}, "reply_to.email"),
    ("subject", ..., "subject"),
    ("subject", "", "subject"),
    ("subject", " ", "subject"),
    ("subject", "a\nb", "subject"),
    ("subject", None, "subject"),
    ("content", ..., "content"),
    ("content", [], "content"),
    ("content", "<p>Hello</p>", "content"),
    ("content/0/value", "", "content.0.value"),
    ("content/1/type", "text/html; charset=utf-8", "content.1.type"),
    ("content", [{"type": "text/html", "value": "a"}, {"type": "text/plain", "value": "a"}], "content"),
    ("content", [{"type": "text/html", "value": "a"}, {"type": "text/html", "value": "b"}], "content"),
    ("template_id", "d-1", "template_id"),
    ("sections", {"-a-": "b"}, "sections"),
    ("headers/DKIM-Signature", "x", "headers.DKIM-Signature"),
    ("custom_args", "issue=12", "custom_args"),
    ("custom_args/issue", 12, "custom_args.issue"),
    ("categories", [f"c{n}" for n in range(11)], "categories"),
    ("categories", ["a", "a"], "categories"),
    ("categories", ["a" * 256], "categories.0"),
    ("categories", ["é"], "categories.0"),
    ("send_at", "tomorrow", "send_at"),
    ("send_at", True, "send_at"),
    ("send_at", 1.5, "send_at"),
    ("batch_id", "made-up", "batch_id"),
    ("asm", {}, "asm.group_id"),
    ("asm/group_id", "7", "asm.group_id"),
    ("asm/groups_to_display", list(range(26)), "asm.groups_to_display"),
    ("ip_pool_name", "p", "ip_pool_name"),
    ("attachments/0/content", "not base64!", "attachments.0.content"),
    ("attachments/0/filename", ..., "attachments.0.filename"),
    ("attachments/0/filename", "a;b.gif", "attachments.0.filename"),
    ("attachments/0/disposition", "hidden", "attachments.0.disposition"),
    ("attachments/0/content_id", ..., "attachments.0.content_id"),
    ("mail_settings/sandbox_mode/enable", "true", "mail_settings.sandbox_mode.enable"),
    (
        "mail_settings",
        {"bypass_list_management": {"enable": True}, "bypass_spam_management": {"enable": True}},
        "mail_settings.bypass_spam_management",
    ),
    ("tracking_settings/click_tracking/enable", 1, "tracking_settings.click_tracking.enable"),
]


def found(body: object) -> list[str | None]:
    return [violation.field for violation in violations(body, now_at=NOW, batch_ids={"known"})]


def test_a_good_request_is_found_to_be_good() -> None:
    assert found(good()) == []


def test_a_thousand_recipients_are_allowed() -> None:
    body = good() | {"personalizations": [{"to": [person]} for person in people(1000)]}
    assert found(body) == []


def test_a_subject_in_each_personalization_will_do() -> None:
    body = good()
    del body["subject"]
    for personalization in body["personalizations"]:
        personalization["subject"] = "Hello"
    assert found(body) == []


@pytest.mark.parametrize(("path", "value", "field"), VIOLATIONS)
def test_a_violation_is_reported_by_its_field_alone(path: str, value: object, field: str | None) -> None:
    body = copy.deepcopy(good())
    put(path, value)(body)
    assert set(found(body)) == {field}


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object(body: object) -> None:
    assert found(body) == [None]


def test_all_violations_are_reported_together() -> None:
    body = good()
    body["subject"] = ""
    body["personalizations"][0]["to"][0]["email"] = "ada"
    body["personalizations"][1]["to"][0]["email"] = "bo"
    assert set(found(body)) == {"personalizations.0.to.0.email", "personalizations.1.to.0.email", "subject"}


def test_custom_args_count_with_those_of_the_message() -> None:
    body = good()
    body["custom_args"] = {"shared": "x" * 6000}
    body["personalizations"][0]["custom_args"] = {"own": "x" * 6000}
    assert found(body) == ["personalizations.0.custom_args"]
