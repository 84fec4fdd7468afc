"""Which senders are alive, without clocks: a sender holds a lock that the system lets go of when its process ends.

On SQLite that is an exclusive lock on a small file beside the database, on PostgreSQL an advisory lock of a session.
So a sender that is only slow is never taken for dead, and one that was killed is known to be gone at once.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text

_RANDOM_BYTES = 6


def new_sender_id() -> str:
    """A name for a sender: the machine's, for people, and a random word."""
    return f"{socket.gethostname()}.{secrets.token_hex(_RANDOM_BYTES)}"


@contextmanager
def presence(engine: Engine, sender: str) -> Iterator[None]:
    """Hold the lock that says that `sender` is alive, until the block or the process ends."""
    if engine.dialect.name == "sqlite":
        file = _file(engine, sender)
        lock = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            lock.close()
            with suppress(OSError):
                file.unlink()
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(sender)})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(sender)})


def is_alive(connection: Connection, sender: str) -> bool:
    """Whether `sender` holds its lock."""
    if connection.dialect.name == "sqlite":
        file = _file(connection.engine, sender)
        if not file.exists():
            return False
        lock = sqlite3.connect(file, timeout=0, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
        finally:
            lock.close()
        with suppress(OSError):
            file.unlink()  # what a killed sender left
        return False
    got = connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(sender)})
    return not got


def _file(engine: Engine, sender: str) -> Path:
    return Path(f"{engine.url.database}.sender-{sender}")


def _key(sender: str) -> int:
    return int.from_bytes(hashlib.blake2b(sender.encode(), digest_size=8).digest(), "big", signed=True)
