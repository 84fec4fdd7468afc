"""Keeping what was accepted: in memory, or in a folder that other processes can read meanwhile.

A folder has `messages.jsonl`, a line for each message, appended once a call when all its messages are written, and
`messages/<seq>-<id>.eml`. A sandbox that is started on a folder goes on where the last one ended. Without a folder
nothing but the calls is held, and a message is made again whenever it is read. Who got how many is counted in any case.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import orjson

from newsletter.sandbox.ledger import Ledger
from newsletter.sandbox.message import Call, compose
from newsletter.sandbox.mime import as_bytes
from newsletter.sandbox.received import Received, from_json, from_message

Keep = Literal["all", "index", "counts"]
"""Whether messages' sources are kept, or their index lines alone, or neither and they are but counted."""


class Mailbox:
    """All accepted messages, oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path | None = None, *, keep: Keep = "all") -> None:
        self._folder = folder
        self.keep = keep
        self._lock = threading.Lock()
        self._messages: dict[str, Received] = {}
        self.ledger = Ledger()
        self._seq = 0
        if folder is not None:
            (folder / "messages").mkdir(parents=True, exist_ok=True)
            self._load(folder / "messages.jsonl")

    def deliver(self, call: Call, indices: Iterable[int] | None = None) -> None:
        """Keep a message for each personalization of `call`, or those in `indices`; they show up all at once.

        Raises OSError when the folder can't be written.
        """
        chosen = list(range(len(call.body["personalizations"])) if indices is None else indices)
        if self.keep != "counts":
            self._keep_messages(call, chosen)
        self.ledger.count(call, chosen)

    def messages(self) -> list[Received]:
        """In order of arrival."""
        with self._lock:
            return list(self._messages.values())

    def get(self, message_id: str) -> Received | None:
        with self._lock:
            return self._messages.get(message_id)

    def clear(self) -> None:
        """Forget all messages and delete their files."""
        with self._lock:
            if self._folder is not None:
                (self._folder / "messages.jsonl").write_bytes(b"")
                for each in self._messages.values():
                    if each.path is not None:
                        (self._folder / each.path).unlink(missing_ok=True)
            self._messages.clear()
        self.ledger.clear()

    def _keep_messages(self, call: Call, indices: list[int]) -> None:
        with self._lock:
            first = self._seq + 1
            self._seq += len(indices)
        received = [self._keep_one(call, index, first + place) for place, index in enumerate(indices)]
        with self._lock:
            if self._folder is not None:
                lines = b"".join(orjson.dumps(each.as_json()) + b"\n" for each in received)
                with (self._folder / "messages.jsonl").open("ab") as index_file:
                    index_file.write(lines)
            self._messages.update((each.id, each) for each in received)

    def _keep_one(self, call: Call, index: int, seq: int) -> Received:
        message = compose(call, index)
        path = None
        read: Callable[[], bytes | None] = _nothing
        if self.keep == "index":
            pass
        elif self._folder is None:
            read = partial(as_bytes, message)
        else:
            path = f"messages/{seq:06d}-{message.id}.eml"
            (self._folder / path).write_bytes(as_bytes(message))
            read = partial(_read, self._folder / path)
        return from_message(message, seq=seq, path=path, read=read)

    def _load(self, index: Path) -> None:
        if not index.exists():
            return
        content = index.read_bytes()
        complete = content[: content.rfind(b"\n") + 1]
        if complete != content:  # a sandbox was killed while it wrote: that call was never answered
            index.write_bytes(complete)
        for line in complete.splitlines():
            entry: dict[str, Any] = orjson.loads(line)
            path = entry["path"]
            read = _nothing if path is None else partial(_read, index.parent / path)
            received = from_json(entry, read)
            self._messages[received.id] = received
            self._seq = max(self._seq, received.seq)
            ids = {key: [value] for key, value in received.custom_args.items()}
            self.ledger.add([address.lower() for address in received.recipients], ids)


def _nothing() -> None:
    return None


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
