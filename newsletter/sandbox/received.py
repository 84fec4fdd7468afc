"""A message that was accepted: its line in the index, and its content as a mail program reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from newsletter.sandbox.message import Message


@dataclass(frozen=True)
class InlinePart:
    """An image that the HTML refers to as `cid:<content_id>`."""

    content_id: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Received:
    """One message as its recipient got it.

    `to` is the addresses of To, joined by ", " (a newsletter has one); `recipients` are all that the message went to,
    cc and bcc included. `headers` are those that the caller or ASM gave, personal over shared; for the others see
    `mime`. `request_id` is the X-Message-Id of the call. `path` is the file below the sandbox's folder, if any.
    """

    seq: int
    id: str
    received_at: datetime
    to: str
    recipients: tuple[str, ...]
    sender: str
    subject: str
    custom_args: dict[str, str]
    headers: dict[str, str]
    categories: tuple[str, ...]
    request_id: str
    path: str | None
    read: Callable[[], bytes | None] = field(repr=False, compare=False)
    """Gives the MIME source; None when it isn't kept."""

    @property
    def mime(self) -> EmailMessage | None:
        """The message as the stdlib parses it, each time anew; None when only the index is kept."""
        source = self.read()
        return None if source is None else message_from_bytes(source, policy=policy.default)

    @property
    def html(self) -> str | None:
        """The HTML part with `\\n` line ends; None when there is none."""
        return self._body("html")

    @property
    def text(self) -> str | None:
        """The plain-text part with `\\n` line ends; None when there is none."""
        return self._body("plain")

    @property
    def inline_parts(self) -> list[InlinePart]:
        """The parts that have a Content-ID."""
        mime = self.mime
        parts = [] if mime is None else [part for part in mime.walk() if part["Content-ID"]]
        return [
            InlinePart(
                content_id=str(part["Content-ID"]).strip("<> "),
                media_type=part.get_content_type(),
                data=bytes(part.get_payload(decode=True) or b""),
            )
            for part in parts
        ]

    def as_json(self) -> dict[str, Any]:
        """The message's line in `messages.jsonl`; `from_json` reads it back."""
        return {
            "seq": self.seq,
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "to": self.to,
            "recipients": self.recipients,
            "from": self.sender,
            "subject": self.subject,
            "custom_args": self.custom_args,
            "headers": self.headers,
            "categories": self.categories,
            "request_id": self.request_id,
            "path": self.path,
        }

    def _body(self, subtype: str) -> str | None:
        mime = self.mime
        part = None if mime is None else mime.get_body((subtype,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")


def from_message(message: Message, *, seq: int, path: str | None, read: Callable[[], bytes | None]) -> Received:
    """The record of `message`, which was accepted as number `seq`."""
    return Received(
        seq=seq,
        id=message.id,
        received_at=message.call.received_at,
        to=", ".join(person.email for person in message.to),
        recipients=tuple(person.email for person in (*message.to, *message.cc, *message.bcc)),
        sender=message.sender.email,
        subject=message.subject,
        custom_args=message.custom_args,
        headers=message.headers,
        categories=tuple(message.call.body.get("categories", ())),
        request_id=message.call.request_id,
        path=path,
        read=read,
    )


def from_json(line: dict[str, Any], read: Callable[[], bytes | None]) -> Received:
    """What `Received.as_json` wrote."""
    return Received(
        seq=line["seq"],
        id=line["id"],
        received_at=datetime.fromisoformat(line["received_at"]),
        to=line["to"],
        recipients=tuple(line["recipients"]),
        sender=line["from"],
        subject=line["subject"],
        custom_args=line["custom_args"],
        headers=line["headers"],
        categories=tuple(line["categories"]),
        request_id=line["request_id"],
        path=line["path"],
        read=read,
    )
