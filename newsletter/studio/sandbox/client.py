"""What a sandbox on this machine has received, asked over HTTP: it may run in this process or in a terminal."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from newsletter.studio.sandbox.letter import Letter, read_letter

PAGE_SIZE = 50
PATIENCE = 5.0
"""Seconds that a sandbox may take to answer."""


class NotRunning(Exception):
    """Nothing answers where the sandbox should be."""


class NotASandbox(Exception):
    """Something answers there, and it isn't a sandbox."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the list shows it. `fate` is what became of it at the recipient's, when the sandbox still knows."""

    id: str
    to: str
    sender: str
    subject: str
    received_at: datetime
    categories: tuple[str, ...]
    fate: str | None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A page of the mails that fit, newest first: how many fit in `total`, how many wait for their time in all.

    `is_kept` is false when the sandbox counts mails and keeps none.
    """

    total: int
    scheduled: int
    is_kept: bool
    mails: tuple[Mail, ...]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def list_mails(host: str, words: str = "", page: int = 1) -> Mailbox:
    """The mails with `words` in an address or the subject. Raises NotRunning and NotASandbox."""
    query = urlencode({"q": words, "page": page, "limit": PAGE_SIZE})
    status, body = _ask(host, "GET", f"/messages.json?{query}")
    try:
        answer = orjson.loads(body)
        return Mailbox(
            answer["total"],
            answer.get("scheduled", 0),
            answer.get("keep") != "counts",
            tuple(map(_mail, answer["messages"])),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise NotASandbox(f"it answers with {status}") from error


@functools.lru_cache(maxsize=16)
def fetch_letter(host: str, mail_id: str) -> Letter | None:
    """A mail with its content; None when there is none of this id. Raises NotRunning."""
    status, body = _ask(host, "GET", f"/messages/{quote(mail_id, safe='')}.eml")
    return read_letter(body) if status == 200 else None


def delete_mails(host: str) -> None:
    """Have the sandbox forget all mails. Raises NotRunning."""
    _ask(host, "DELETE", "/messages")
    fetch_letter.cache_clear()


def _mail(entry: Mapping[str, Any]) -> Mail:
    return Mail(
        id=entry["id"],
        to=entry["to"],
        sender=entry["from"],
        subject=entry["subject"],
        received_at=datetime.fromisoformat(entry["received_at"]),
        categories=tuple(entry["categories"]),
        fate=entry.get("fate"),
    )


def _ask(host: str, method: str, path: str) -> tuple[int, bytes]:
    place = urlsplit(host)
    connection = HTTPConnection(place.hostname or "127.0.0.1", place.port or 80, timeout=PATIENCE)
    try:
        connection.request(method, path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException) as error:
        raise NotRunning from error
    finally:
        connection.close()
