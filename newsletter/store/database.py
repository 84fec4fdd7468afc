"""Opening the database, its transactions, and what to say when it fails."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, IntegrityError, NoSuchModuleError

from newsletter.errors import StoreError
from newsletter.store.presence import presence
from newsletter.store.tables import REVISION

_BUSY_SECONDS = 30
"""How long a transaction waits for another process's, before it fails as locked."""

_CONNECTIONS = 40
"""At most so many are kept: one for each thread of a sender, and some for who looks on."""

_SQLITE_FAULTS = (
    (r"locked|busy", "the database is locked by another program", "try again when it has finished"),
    (r"full", "the disk is full", "make room; what was committed is safe"),
    (r"readonly|read-only", "the database can't be written to", "check the permissions of the file and its folder"),
    (r"unable to open", "the database can't be opened", "check that its folder exists and may be written to"),
    (r"not a database|malformed|disk image", "the file isn't an intact database", "restore it from a backup"),
    (r"disk I/O", "the disk failed", "check the disk; what was committed is safe"),
)


class Store:
    """An open database. Made by `open_store`; safe to use from several threads; close it, or use `with`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite's writers wait for each other by trying again and again; threads of one program take turns instead.
        self._turns = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing. Raises StoreError."""
        with self._errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, committed and on the disk when the block ends, undone when it raises. Raises StoreError."""
        with (
            self._turns,
            self._errors(),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def presence(self, sender: str) -> Iterator[None]:
        """Hold the lock by which others know that `sender` is alive, until the block or the process ends."""
        with self._errors(), presence(self._engine, sender):
            yield

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _store_error(self._engine.url, error) from error


def open_store(url: str) -> Store:
    """Open the database at an SQLAlchemy `url` (`sqlite:///file` or `postgresql://…`), made or brought up to date.

    A SQLite file and its folder are made when missing. Raises StoreError when the database can't be opened or
    written, or was made by a newer version.
    """
    store = Store(_engine(url))
    try:
        with store.read() as connection:
            current = _revision(connection)
        if current != REVISION:
            with store.write() as connection:
                _migrate(connection)
    except BaseException:
        store.close()
        raise
    return store


def _engine(text_url: str) -> Engine:
    try:
        url = make_url(text_url)
    except ArgumentError:
        raise StoreError(
            "the database's address can't be read", hint="e.g. sqlite:///newsletter.db or postgresql://host/name"
        ) from None
    if url.get_backend_name() in ("postgresql", "postgres"):
        return _postgresql_engine(url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite_engine(url, Path(url.database))
    raise StoreError(
        f"{url.get_backend_name()} can't hold the store", hint="it is a SQLite file or a PostgreSQL database"
    )


def _sqlite_engine(url: URL, path: Path) -> Engine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It holds addresses: nobody else's business.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the database can't be made at {path}: {error.strerror}", hint="check the permissions of the folder"
        ) from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=_CONNECTIONS, **_json_by_orjson())

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # sqlite3's own idea of when transactions begin is switched off; `begin` below decides.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",  # readers and a writer don't wait for each other
            "synchronous = FULL",  # a commit is on the disk: the promise about crashes rests on it
            "foreign_keys = ON",
            "cache_size = -32000",  # KiB
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that began as a reader could fail half-way, because another one has written meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=_CONNECTIONS, **_json_by_orjson()
        )
    except (ImportError, NoSuchModuleError):
        raise StoreError(
            "PostgreSQL needs its driver", hint='install it with: pip install "newsletter[postgresql]"'
        ) from None


def _json_by_orjson() -> dict[str, Any]:
    return {"json_serializer": lambda value: orjson.dumps(value).decode(), "json_deserializer": orjson.loads}


def _revision(connection: Connection) -> str | None:
    """The migration that the database is at; none when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(connection: Connection) -> None:
    """Run the migrations that are missing, all in the transaction of `connection`."""
    import alembic.command
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        # Two programs that open a new database at once take turns, as SQLite's writers do anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('newsletter migrations'))"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        alembic.command.upgrade(config, "head")
    except CommandError:
        raise StoreError(
            f"the database was made by a newer version of newsletter (its revision is {_revision(connection)})",
            hint="install the newest version; nothing was changed",
        ) from None


def _store_error(url: URL, error: DBAPIError) -> StoreError:
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    said = str(error.orig)
    if isinstance(error, IntegrityError):
        # Statements don't break the rules by themselves; two at the same moment may.
        return StoreError("another program changed the same rows at the same moment", hint="run it again")
    if url.get_backend_name() == "sqlite" and isinstance(error, DatabaseError):
        for pattern, message, hint in _SQLITE_FAULTS:
            if re.search(pattern, said):
                return StoreError(f"{message}: {where}", hint=hint)
    # The first line is the sentence; the rest repeats the statement and its values, which may be addresses.
    return StoreError(f"the database failed: {said.partition(chr(10))[0]}", hint=f"the database is {where}")
