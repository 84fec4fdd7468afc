"""What one recipient gets: a call's shared message with one personalization applied to it.

Substitutions are literal replacements in the subject, the content and reply_to, and nowhere else. Its own headers win
over the message's. With `asm` the unsubscribe tags become links, or a footer with one is appended.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

ASM_TAGS = {
    "<%asm_group_unsubscribe_raw_url%>": "group",
    "<%asm_preferences_raw_url%>": "preferences",
    "<%asm_global_unsubscribe_raw_url%>": "global",
}
"""The provider's tags for bare addresses, and the part of the sandbox's link that stands for each."""


@dataclass(frozen=True)
class Call:
    """An accepted request: its body, which the contract was found to hold for, and how it was received."""

    body: Mapping[str, Any]
    request_id: str
    received_at: datetime
    url: str
    """Where the sandbox is served, without a trailing slash: links lead there."""

    @cached_property
    def uses_asm_tags(self) -> bool:
        """Whether the content places the unsubscribe link itself, in whichever part or personalization."""
        texts = [part["value"] for part in self.body["content"]]
        for personalization in self.body["personalizations"]:
            texts.extend(personalization.get("substitutions", {}).values())
        return any(tag in text for text in texts for tag in ASM_TAGS)


@dataclass(frozen=True, slots=True)
class Person:
    """An address with the name shown beside it, which may be empty."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One personalization's message, without its content."""

    call: Call
    index: int
    sender: Person
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    reply_to: tuple[Person, ...]
    subject: str
    headers: dict[str, str]
    custom_args: dict[str, str]

    @property
    def id(self) -> str:
        """Unique; begins with the X-Message-Id of its call, as the provider's `sg_message_id` does."""
        return f"{self.call.request_id}.{self.index}"

    def contents(self) -> list[tuple[str, str]]:
        """Media type and text of each part, in order."""
        values = self._substitutions()
        links = self._asm_links()
        parts = [(part["type"], _substitute(part["value"], values)) for part in self.call.body["content"]]
        if not links:
            return parts
        if self.call.uses_asm_tags:
            return [(media_type, _substitute(text, links)) for media_type, text in parts]
        link = _asm_link(self.call, self.index, "group")
        return [(media_type, _with_footer(media_type, text, link)) for media_type, text in parts]

    def _substitutions(self) -> dict[str, str]:
        values: dict[str, str] = self.call.body["personalizations"][self.index].get("substitutions", {})
        return values

    def _asm_links(self) -> dict[str, str]:
        if "asm" not in self.call.body:
            return {}
        return {tag: _asm_link(self.call, self.index, kind) for tag, kind in ASM_TAGS.items()}


def compose(call: Call, index: int) -> Message:
    """The message of personalization number `index` (from 0)."""
    body = call.body
    own = body["personalizations"][index]
    values = own.get("substitutions", {})
    headers = _merged_headers(body.get("headers", {}), own.get("headers", {}))
    if "asm" in body and not any(name.casefold() == "list-unsubscribe" for name in headers):
        headers["List-Unsubscribe"] = f"<{_asm_link(call, index, 'group')}>"
        headers = _merged_headers(headers, {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    replies = [body["reply_to"]] if "reply_to" in body else body.get("reply_to_list", [])
    return Message(
        call=call,
        index=index,
        sender=_person(own.get("from", body["from"])),
        to=_people(own, "to"),
        cc=_people(own, "cc"),
        bcc=_people(own, "bcc"),
        reply_to=tuple(
            Person(_substitute(reply["email"], values), _substitute(reply.get("name", ""), values)) for reply in replies
        ),
        subject=_substitute(own.get("subject", body.get("subject", "")), values),
        headers=headers,
        custom_args={**body.get("custom_args", {}), **own.get("custom_args", {})},
    )


def _merged_headers(shared: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """`own` over `shared`; a header's name is the same whatever its case."""
    overridden = {name.casefold() for name in own}
    return {**{name: value for name, value in shared.items() if name.casefold() not in overridden}, **own}


def _people(personalization: Mapping[str, Any], kind: str) -> tuple[Person, ...]:
    return tuple(_person(each) for each in personalization.get(kind, ()))


def _person(value: Mapping[str, str]) -> Person:
    return Person(value["email"], value.get("name", ""))


def _substitute(text: str, values: Mapping[str, str]) -> str:
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text


def _asm_link(call: Call, index: int, kind: str) -> str:
    return f"{call.url}/asm/{kind}/{call.request_id}.{index}"


def _with_footer(media_type: str, text: str, link: str) -> str:
    if media_type == "text/plain":
        return f"{text}\n\nUnsubscribe: {link}\n"
    if media_type != "text/html":
        return text
    footer = f'<p style="font-size:12px;text-align:center"><a href="{html.escape(link)}">Unsubscribe</a></p>'
    before, end, after = text.rpartition("</body>")
    return f"{before}{footer}{end}{after}" if end else text + footer
