"""What v3 Mail Send demands beyond the shape of its body: pure functions from parsed JSON to violations.

The rules come from the provider's reference and error pages. Where those are silent or disagree the stricter reading
stands, so that a sender which pleases the sandbox also pleases the provider. This account has no templates.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Container, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from newsletter.sandbox.schema import Violation, has_control_characters, shape_violations

MAX_RECIPIENTS = 1000
MAX_SUBSTITUTIONS = 100
MAX_SUBSTITUTION_BYTES = 10_000
MAX_CUSTOM_ARGS_BYTES = 10_000
MAX_SCHEDULE = timedelta(hours=72)
RESERVED_HEADERS = frozenset(
    (
        "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
        "subject", "reply-to", "cc", "bcc",
    )
)  # fmt: skip

_HEADER_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 section 2.2: printable ASCII but the colon
_BYPASSES = ("bypass_spam_management", "bypass_bounce_management", "bypass_unsubscribe_management")

Body = dict[str, Any]
People = list[tuple[str, Body]]
"""The personalizations that are objects, each with its path."""


def violations(body: object, *, now_at: datetime, batch_ids: Container[str] = ()) -> list[Violation]:
    """Everything that is wrong with the parsed `body` of a POST to /v3/mail/send; empty when it is acceptable.

    `now_at` is what `send_at` is measured from; `batch_ids` are those that this account was given.
    """
    found = shape_violations(body)
    if isinstance(body, dict):
        people = list(_objects(body, "personalizations"))
        for rule in _RULES:
            found += rule(body, people)
        found += _schedule(body, people, now_at)
        batch_id = body.get("batch_id")
        if isinstance(batch_id, str) and batch_id not in batch_ids:
            found.append(Violation("There is no such batch.", "batch_id"))
    return found


def _recipients(_body: Body, people: People) -> Iterator[Violation]:
    seen: set[str] = set()
    total = 0
    for path, personalization in people:
        for kind in (kind for kind in ("to", "cc", "bcc") if kind in personalization):
            for _, person in _objects(personalization, kind):
                total += 1
                email = person.get("email")
                if not isinstance(email, str):
                    continue
                if email.casefold() in seen:
                    # The provider names the list, not the item.
                    yield Violation("Each address may be in the personalizations only once.", f"{path}.{kind}")
                seen.add(email.casefold())
    if total > MAX_RECIPIENTS:
        message = f"A request may have at most {MAX_RECIPIENTS} recipients (to, cc and bcc) and this has {total}."
        yield Violation(message, "personalizations")


def _senders(body: Body, people: People) -> Iterator[Violation]:
    domain = _domain(body.get("from"))
    for path, personalization in people:
        if domain and _domain(personalization.get("from")) not in (None, domain):
            yield Violation("The domain has to be that of the message's from.", f"{path}.from.email")


def _reply_to(body: Body, _people: People) -> Iterator[Violation]:
    if "reply_to" in body and "reply_to_list" in body:
        yield Violation("Use either reply_to or reply_to_list, not both.", "reply_to")


def _subject(body: Body, people: People) -> Iterator[Violation]:
    personalizations = [personalization for _, personalization in people]
    if "subject" not in body and not (personalizations and all("subject" in each for each in personalizations)):
        yield Violation("The subject is required, here or in every personalization.", "subject")
    if isinstance(body.get("subject"), str) and body["subject"].isspace():
        yield Violation("The subject may not be blank.", "subject")


def _content(body: Body, _people: People) -> Iterator[Violation]:
    if "content" not in body:
        yield Violation("The content parameter is required: there are no templates here.", "content")
    order = {"text/plain": 0, "text/html": 1}
    types = [part.get("type") for _, part in _objects(body, "content")]
    ranks = [order.get(media_type, 2) for media_type in types if isinstance(media_type, str)]
    if ranks != sorted(ranks):
        yield Violation("text/plain has to come first, then text/html, then any other content.", "content")
    if any(types.count(media_type) > 1 for media_type in order):
        yield Violation("text/plain and text/html may be there only once.", "content")


def _templates(body: Body, people: People) -> Iterator[Violation]:
    if "template_id" in body:
        yield Violation("There is no such template: the sandbox has none.", "template_id")
    for path, personalization in people:
        if "dynamic_template_data" in personalization:
            yield Violation("This needs a dynamic template.", f"{path}.dynamic_template_data")


def _substitutions(_body: Body, people: People) -> Iterator[Violation]:
    for parent, personalization in people:
        path = f"{parent}.substitutions"
        values = personalization.get("substitutions")
        if not isinstance(values, dict):
            continue
        for tag, value in values.items():
            if not isinstance(value, str):
                # The provider says "Bad Request" and no field, so no caller may count on being told which one it was.
                yield Violation(f"Bad Request: the value of {path}.{tag} isn't a string.", None)
            if not tag:
                yield Violation("A substitution tag may not be empty.", path)
        if len(values) >= MAX_SUBSTITUTIONS:
            yield Violation(f"There have to be fewer than {MAX_SUBSTITUTIONS} substitutions.", path)
        if _size(values) > MAX_SUBSTITUTION_BYTES:
            yield Violation(f"All substitutions together may have at most {MAX_SUBSTITUTION_BYTES} bytes.", path)


def _custom_args(body: Body, people: People) -> Iterator[Violation]:
    yield from _custom_arg_values(body.get("custom_args"), "custom_args")
    shared = body.get("custom_args")
    shared = shared if isinstance(shared, dict) else {}
    for parent, personalization in people:
        path = f"{parent}.custom_args"
        own = personalization.get("custom_args")
        yield from _custom_arg_values(own, path)
        if _size({**shared, **(own if isinstance(own, dict) else {})}) > MAX_CUSTOM_ARGS_BYTES:
            yield Violation(
                f"custom_args may have at most {MAX_CUSTOM_ARGS_BYTES} bytes, the message's included.", path
            )


def _custom_arg_values(values: object, path: str) -> Iterator[Violation]:
    if not isinstance(values, dict):
        return
    if not values:
        yield Violation("custom_args may not be an empty object.", path)
    for key, value in values.items():
        if not isinstance(value, str):
            yield Violation("The values of custom_args have to be strings.", f"{path}.{key}")


def _headers(body: Body, people: People) -> Iterator[Violation]:
    yield from _header_values(body.get("headers"), "headers")
    for path, personalization in people:
        yield from _header_values(personalization.get("headers"), f"{path}.headers")


def _header_values(headers: object, path: str) -> Iterator[Violation]:
    if not isinstance(headers, dict):
        return
    for name, value in headers.items():
        for fault in _header_name_faults(name):
            yield Violation(fault, f"{path}.{name}")
        if not isinstance(value, str):
            yield Violation("A header's value has to be a string.", f"{path}.{name}")
        elif has_control_characters(value.replace("\t", " ")):
            yield Violation("A header's value may not contain line breaks or control characters.", f"{path}.{name}")


@lru_cache(maxsize=256)
def _header_name_faults(name: str) -> tuple[str, ...]:
    """Remembered, since a thousand recipients have the same headers."""
    faults = []
    if not _HEADER_NAME.fullmatch(name):
        faults.append("A header's name has to be ASCII without spaces and colons.")
    if name.casefold() in RESERVED_HEADERS:
        faults.append(f"The header {name} is set by the provider and can't be given.")
    return tuple(faults)


def _attachments(body: Body, _people: People) -> Iterator[Violation]:
    for path, attachment in _objects(body, "attachments"):
        content = attachment.get("content")
        if isinstance(content, str) and not _is_base64(content):
            yield Violation("This has to be Base64.", f"{path}.content")
        if attachment.get("disposition") == "inline" and "content_id" not in attachment:
            yield Violation("An inline attachment has to have a content_id.", f"{path}.content_id")


def _bypasses(body: Body, _people: People) -> Iterator[Violation]:
    settings = body.get("mail_settings")
    if isinstance(settings, dict) and "bypass_list_management" in settings:
        for name in _BYPASSES:
            if name in settings:
                yield Violation("This can't be combined with bypass_list_management.", f"mail_settings.{name}")


def _schedule(body: Body, people: People, now_at: datetime) -> Iterator[Violation]:
    latest = (now_at + MAX_SCHEDULE).timestamp()
    for prefix, scheduled in (("", body), *((f"{path}.", each) for path, each in people)):
        send_at = scheduled.get("send_at")
        if isinstance(send_at, int) and send_at > latest:
            yield Violation("An email can be scheduled at most 72 hours ahead.", f"{prefix}send_at")


_RULES: tuple[Callable[[Body, People], Iterator[Violation]], ...] = (
    _recipients, _senders, _reply_to, _subject, _content, _templates, _substitutions, _custom_args, _headers,
    _attachments, _bypasses,
)  # fmt: skip


def _objects(parent: Body, key: str) -> Iterator[tuple[str, Body]]:
    """The objects in the array `parent[key]`, each with its path; whatever has another type is passed over."""
    items = parent.get(key)
    if isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                yield f"{key}.{index}", item


def _domain(person: object) -> str | None:
    email = person.get("email") if isinstance(person, dict) else None
    return email.rpartition("@")[2].casefold() if isinstance(email, str) else None


def _size(values: Body) -> int:
    """Bytes of all keys and values; values that aren't strings are reported elsewhere."""
    return len("".join([*values, *(value for value in values.values() if isinstance(value, str))]).encode())


def _is_base64(content: str) -> bool:
    try:
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
