"""Posting events as the provider does: in batches, signed, again when they weren't taken."""

from __future__ import annotations

import queue
import threading
from base64 import b64encode
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from random import Random
from time import time
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.sandbox.events import Mail

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_MOST_EVENTS = 1000
_ATTEMPTS = 6
_TIMEOUT_SECONDS = 10.0
_REPEATED = 0.1
"""Share of events that chaos sends twice."""


class Webhook:
    """Posts events to `url` from a thread of its own; `public_key` verifies them. Raises ValueError for other hosts.

    With `chaos`, drawn from `seed`, events come twice and out of order, also across requests. A batch that isn't
    taken is posted again a few times, then given up and counted in `lost`. What waits is lost when the sandbox ends.
    """

    def __init__(self, url: str, *, chaos: bool = False, seed: int = 0) -> None:
        self._host, self._port, self._path = _loopback(url)
        self.url = url
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._chaos = Random(f"{seed}/events") if chaos else None  # noqa: S311  nothing is kept secret by it
        self._waiting: queue.SimpleQueue[Mail | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-events", daemon=True)
        self.posted = 0
        self.lost = 0

    @property
    def public_key(self) -> str:
        """In the provider's form: Base64 of DER."""
        return b64encode(self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def post(self, mails: Iterable[Mail]) -> None:
        """Put the events of `mails` in the queue."""
        for mail in mails:
            self._waiting.put(mail)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        held_back: list[dict[str, Any]] = []
        while (mail := self._waiting.get()) is not None:
            events = [*held_back, *mail.events()]
            while len(events) < _MOST_EVENTS and not self._waiting.empty():
                if (mail := self._waiting.get()) is None:
                    return
                events += mail.events()
            events, held_back = self._disordered(events)
            self._post_until_taken(events)
            if self._waiting.empty() and held_back:
                self._post_until_taken(held_back)
                held_back = []

    def _disordered(self, events: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What is posted now and what only with the next batch."""
        if self._chaos is None:
            return events, []
        events += [event for event in events if self._chaos.random() < _REPEATED]
        self._chaos.shuffle(events)
        kept = len(events) - len(events) // 10
        return events[:kept], events[kept:]

    def _post_until_taken(self, events: list[dict[str, Any]]) -> None:
        for attempt in range(_ATTEMPTS):
            if self._post(events):
                self.posted += len(events)
                return
            if self._ending.wait(0.25 * 2**attempt):
                break
        self.lost += len(events)

    def _post(self, events: list[dict[str, Any]]) -> bool:
        """Whether the receiver took them."""
        body = orjson.dumps(events) + b"\r\n"
        timestamp = str(int(time()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        headers = {
            "Content-Type": "application/json;charset=utf-8",
            SIGNATURE: b64encode(signature).decode(),
            TIMESTAMP: timestamp,
        }
        connection = HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", self._path, body, headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def _loopback(url: str) -> tuple[str, int, str]:
    """Host, port and path. Events hold addresses: they may not leave this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise ValueError(f"{url!r} isn't a URL; e.g. http://127.0.0.1:8000/events") from None
    try:
        is_loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback:
        raise ValueError(f"{url!r} isn't on this machine; e.g. http://127.0.0.1:8000/events")
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
