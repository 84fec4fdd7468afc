"""What the provider would report about each mail, in the shape of its event webhook."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from newsletter.sandbox.faults import Faults, matches
from newsletter.sandbox.message import Call

KEPT_MAILS = 100_000
"""So many mails' events can be read again; the webhook gets those of all."""

Fate = Literal["delivered", "bounce", "spamreport", "dropped"]

_HISTORY: Mapping[Fate, tuple[str, ...]] = {
    "delivered": ("processed", "delivered"),
    "bounce": ("processed", "bounce"),
    "spamreport": ("processed", "delivered", "spamreport"),
    "dropped": ("dropped",),
}
_DETAILS: Mapping[str, Mapping[str, Any]] = {
    "processed": {},
    "delivered": {"response": "250 OK", "tls": 1},
    "bounce": {
        "type": "bounce",
        "reason": "550 5.1.1 There is no such mailbox",
        "status": "5.1.1",
        "bounce_classification": "Invalid Address",
    },
    "spamreport": {},
    "dropped": {"status": "5.0.0"},
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address, as far as events tell of it, and what became of it."""

    email: str
    request_id: str
    index: int
    custom_args: Mapping[str, str]
    categories: tuple[str, ...]
    timestamp: int
    fate: Fate
    reason: str = ""
    """Why it was dropped."""

    def events(self) -> Iterator[dict[str, Any]]:
        """Its events in the order in which they happened; the same ones each time."""
        for event in _HISTORY[self.fate]:
            identity = f"{event}-sandbox-{self.request_id}-{self.index}-{self.email}"
            # Custom args are flat beside the rest, and lose when they have its names.
            said: dict[str, Any] = {
                **self.custom_args,
                "email": self.email,
                "event": event,
                "timestamp": self.timestamp,
                "sg_event_id": urlsafe_b64encode(identity.encode()).decode().rstrip("="),
                "sg_message_id": f"{self.request_id}.filter0001.sandbox.{self.index}",
                "smtp-id": f"<{self.request_id}@sandbox.example.org>",
                **_DETAILS[event],
            }
            if self.categories:
                # One category comes as a string, several as an array.
                said["category"] = self.categories[0] if len(self.categories) == 1 else self.categories
            if self.reason and event == "dropped":
                said["reason"] = self.reason
            yield said


class EventBook:
    """Decides what becomes of each mail, and remembers it. Safe to use from several threads.

    An address that bounced or complained is on the provider's suppression list: later mails to it are dropped.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._mails: deque[Mail] = deque(maxlen=KEPT_MAILS)
        self._suppressed: dict[str, str] = {}

    def enter(self, call: Call, indices: Iterable[int], now_at: datetime) -> list[Mail]:
        """Take the mails of these personalizations of `call`, which went out at `now_at`."""
        shared: dict[str, str] = call.body.get("custom_args", {})
        categories = tuple(call.body.get("categories", ()))
        mails = []
        with self._lock:
            for index in indices:
                own = call.body["personalizations"][index]
                custom_args = {**shared, **own.get("custom_args", {})}
                for email in (person["email"] for kind in ("to", "cc", "bcc") for person in own.get(kind, ())):
                    fate, reason = self._fate(email)
                    mails.append(
                        Mail(
                            email,
                            call.request_id,
                            index,
                            custom_args,
                            categories,
                            int(now_at.timestamp()),
                            fate,
                            reason,
                        )
                    )
            self._mails.extend(mails)
        return mails

    def mails(self) -> list[Mail]:
        """The latest `KEPT_MAILS`, oldest first."""
        with self._lock:
            return list(self._mails)

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()
            self._suppressed.clear()

    def _fate(self, email: str) -> tuple[Fate, str]:
        if not (self._faults.bounce or self._faults.complain):
            return "delivered", ""
        if reason := self._suppressed.get(email.lower()):
            return "dropped", reason
        if matches(email, self._faults.bounce):
            self._suppressed[email.lower()] = "Bounced Address"
            return "bounce", ""
        if matches(email, self._faults.complain):
            self._suppressed[email.lower()] = "Spam Reporting Address"
            return "spamreport", ""
        return "delivered", ""
