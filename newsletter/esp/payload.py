"""The body of a SendGrid v3 Mail Send call, as bytes.

Recipients differ in a small part only, so what a Message has in common for all of its calls is serialised once.
"""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from newsletter.esp import MAX_RECIPIENTS, Message, Recipient

_UNSAFE_IN_NAMES = re.compile(r"[;,\s\x00-\x1f\x7f]+")
"""SendGrid's documented limitation: `;` and `,` in a display name split it into two recipients."""

_KEPT_MESSAGES = 64
"""Serialised messages kept: one is needed for each variant of the issue that is being sent."""


class PayloadWriter:
    """Writes bodies, and remembers the serialised part that the calls of a Message share, by the object's identity."""

    def __init__(self) -> None:
        self._shared: dict[int, tuple[Message, bytes]] = {}

    def write(self, message: Message, recipients: Sequence[Recipient]) -> bytes:
        """The body of one call.

        Raises ValueError for no or too many recipients, two with the same address, or a `send_at` without a time zone.
        """
        if not 1 <= len(recipients) <= MAX_RECIPIENTS:
            raise ValueError(f"a call has 1 to {MAX_RECIPIENTS} recipients, not {len(recipients)}")
        if len({recipient.email.casefold() for recipient in recipients}) != len(recipients):
            raise ValueError("an address stands twice in one call")
        personalizations = orjson.dumps([_personalization(recipient) for recipient in recipients])
        return b"".join((b'{"personalizations":', personalizations, b",", self._shared_part(message)))

    def _shared_part(self, message: Message) -> bytes:
        """The object's remaining members and its closing brace."""
        kept = self._shared.get(id(message))
        # The entry holds the message, so its id can't have passed to another object.
        if kept is not None:
            return kept[1]
        if len(self._shared) >= _KEPT_MESSAGES:
            self._shared.clear()
        shared = orjson.dumps(_shared(message))[1:]
        self._shared[id(message)] = (message, shared)
        return shared


def _personalization(recipient: Recipient) -> dict[str, Any]:
    personalization: dict[str, Any] = {"to": (_address(recipient.email, recipient.name),)}
    # Empty objects are refused by the API.
    if recipient.substitutions:
        personalization["substitutions"] = recipient.substitutions
    if recipient.headers:
        personalization["headers"] = recipient.headers
    if recipient.custom_args:
        personalization["custom_args"] = recipient.custom_args
    return personalization


def _shared(message: Message) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "from": _address(message.from_email, message.from_name),
        "subject": message.subject,
        "content": [
            {"type": "text/plain", "value": message.text},
            {"type": "text/html", "value": message.html},
        ],
        # Said outright, because what is left out falls back to the account's settings.
        "tracking_settings": {
            "click_tracking": {"enable": message.track_clicks, "enable_text": False},
            "open_tracking": {"enable": message.track_opens},
            "subscription_tracking": {"enable": False},
        },
    }
    if message.reply_to:
        shared["reply_to"] = {"email": message.reply_to}
    if message.headers:
        shared["headers"] = dict(message.headers)
    if message.categories:
        shared["categories"] = list(message.categories)
    if message.batch_id is not None:
        shared["batch_id"] = message.batch_id
    if message.send_at is not None:
        if message.send_at.tzinfo is None:
            raise ValueError("send_at has no time zone")
        shared["send_at"] = math.ceil(message.send_at.timestamp())
    if message.unsubscribe_group is not None:
        shared["asm"] = {"group_id": message.unsubscribe_group}
    if message.images:
        shared["attachments"] = [
            {
                "content": b64encode(image.data).decode(),
                "type": image.media_type,
                "filename": image.filename,
                "disposition": "inline",
                "content_id": image.content_id,
            }
            for image in message.images
        ]
    return shared


def _address(email: str, name: str) -> dict[str, str]:
    if ";" in name or "," in name or not name.isprintable():
        name = _UNSAFE_IN_NAMES.sub(" ", name).strip()
    return {"email": email, "name": name} if name else {"email": email}
