"""Who got what, in numbers: cheap enough for a million recipients, and a log that outlives whoever is killed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from newsletter.sandbox.message import Call


class Ledger:
    """Counts what goes out, by address and by the values of custom_args. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages = 0
        self._addresses: Counter[str] = Counter()
        self._ids: dict[str, Counter[str]] = {}

    @property
    def messages(self) -> int:
        """How many went out, an address that got two counted twice."""
        with self._lock:
            return self._messages

    @property
    def size(self) -> int:
        """How many addresses got something."""
        with self._lock:
            return len(self._addresses)

    def count(self, call: Call, indices: Iterable[int]) -> None:
        """Note that the messages of these personalizations went out."""
        personalizations = call.body["personalizations"]
        shared: dict[str, str] = call.body.get("custom_args", {})
        addresses: list[str] = []
        ids: dict[str, list[str]] = {}
        for index in indices:
            own = personalizations[index]
            for kind in ("to", "cc", "bcc"):
                if kind in own:
                    addresses += [person["email"].lower() for person in own[kind]]
            for key, value in {**shared, **own.get("custom_args", {})}.items():
                ids.setdefault(key, []).append(value)
        self.add(addresses, ids)

    def add(self, addresses: list[str], ids: dict[str, list[str]]) -> None:
        """Note messages by their addresses, in lower case, and the custom_args' values of each key."""
        with self._lock:
            self._messages += len(addresses)
            self._addresses.update(addresses)
            for key, values in ids.items():
                self._ids.setdefault(key, Counter()).update(values)

    def addresses(self) -> dict[str, int]:
        """How many messages each address got, by address in lower case."""
        with self._lock:
            return dict(self._addresses)

    def ids(self, key: str) -> dict[str, int]:
        """How many messages carried each value of the custom_args' `key`."""
        with self._lock:
            return dict(self._ids.get(key, ()))

    def page(self, start: int, limit: int, at_least: int = 1) -> dict[str, Any]:
        """Totals, and `limit` of the addresses that got `at_least` so many, from number `start` in order of arrival."""
        with self._lock:
            found: Iterator[tuple[str, int]] = iter(self._addresses.items())
            if at_least > 1:
                found = (each for each in found if each[1] >= at_least)
            accepted = dict(islice(found, start, start + limit))
            return {"messages": self._messages, "addresses": len(self._addresses), "accepted": accepted}

    def clear(self) -> None:
        with self._lock:
            self._messages = 0
            self._addresses.clear()
            self._ids.clear()


class AcceptanceLog:
    """A file with a JSON line for each accepted call, added to what is there. Raises OSError when it can't be opened.

    A line has `at`, `request_id` (the X-Message-Id), `batch_id`, `send_at`, and under `messages` the addresses `to`
    and the custom_args of each personalization. It stands for acceptance: a mail that is cancelled later has one too.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def write(self, call: Call) -> None:
        """Hand the line of `call` to the operating system. Raises OSError."""
        body = call.body
        shared = body.get("custom_args", {})
        line = {
            "at": call.received_at,
            "request_id": call.request_id,
            "batch_id": body.get("batch_id"),
            "send_at": body.get("send_at"),
            "messages": [
                {
                    "to": [person["email"] for kind in ("to", "cc", "bcc") for person in each.get(kind, ())],
                    "custom_args": {**shared, **each.get("custom_args", {})},
                }
                for each in body["personalizations"]
            ],
        }
        with self._lock:
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()
