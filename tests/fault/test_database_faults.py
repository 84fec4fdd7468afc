"""A database that is full, read-only, locked, newer, or gone in mid-sending; a clock that goes back. Nothing is lost."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from newsletter.delivery import DispatchState
from newsletter.dispatch.send import Speed, send, start
from newsletter.errors import StoreError
from newsletter.esp.sendgrid import SendGrid
from newsletter.store import Store, open_store
from newsletter.store.deliveries import dispatch_tally

from .conftest import KEY, NOW, SECRET, Mailing

ONE = Speed(connections=1)
Pragma = Callable[[str], None]


@pytest.fixture
def pragma(mailing: Mailing, database_url: str) -> Pragma:
    """Sets a pragma of SQLite on every connection from now on: its own way to a full disk, or a read-only file."""
    if not database_url.startswith("sqlite"):
        pytest.skip("SQLite's own faults; PostgreSQL's are below")
    statement = ["PRAGMA query_only = OFF"]

    @event.listens_for(mailing.store._engine, "checkout")
    def _set(connection: Any, *_: object) -> None:
        connection.execute(statement[0])

    return lambda words: statement.__setitem__(0, f"PRAGMA {words}")


def pages(store: Store) -> int:
    with store.read() as connection:
        return int(connection.scalar(text("PRAGMA page_count")) or 0)


def test_a_database_that_cannot_be_written_lets_no_byte_out(mailing: Mailing, pragma: Pragma) -> None:
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox()
    pragma("query_only = ON")
    with pytest.raises(StoreError, match="can't be written"):
        mailing.send(dispatch, sandbox.url)
    assert sandbox.requests == 0, "no byte without a claim on the disk"
    pragma("query_only = OFF")
    assert mailing.send(dispatch, sandbox.url).state is DispatchState.COMPLETE
    mailing.holds(dispatch, sandbox, 30)


def test_a_plan_that_does_not_fit_on_the_disk_leaves_nothing_behind(mailing: Mailing, pragma: Pragma) -> None:
    mailing.people(500)
    pragma(f"max_page_count = {pages(mailing.store) + 4}")
    with pytest.raises(StoreError, match="disk is full"):
        mailing.plan()
    pragma("max_page_count = 1000000")
    assert mailing.plan().recipients == 500


def test_an_answer_that_cannot_be_recorded_is_uncertain(
    mailing: Mailing, pragma: Pragma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.dispatch.send._LOOK_SECONDS", 0.01)
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox()

    class Filling(SendGrid):
        def send(self, *arguments: Any) -> Any:
            pragma("query_only = ON")
            return super().send(*arguments)

    with Filling(KEY, sandbox.url) as provider, pytest.raises(StoreError):
        send(mailing.store, provider, start(mailing.store, dispatch.id, now=NOW), secret=SECRET, speed=ONE)
    pragma("query_only = OFF")
    done = mailing.send(dispatch, sandbox.url)
    assert (done.tally.uncertain, done.tally.accepted) == (10, 20)
    mailing.holds(dispatch, sandbox, 30)


def test_a_locked_database_is_told_as_such(
    mailing: Mailing, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's writers don't lock each other out")
    monkeypatch.setattr("newsletter.store.database._BUSY_SECONDS", 0.05)
    mailing.people(3)
    with open_store(database_url) as impatient, sqlite3.connect(database_url.removeprefix("sqlite:///")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"), impatient.write():
            pass
        other.rollback()


def test_a_database_of_a_newer_version_is_left_alone(store: Store, database_url: str) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(database_url)


def test_a_clock_that_goes_back_changes_nothing(mailing: Mailing) -> None:
    """Who is alive is told by locks, not by times, and what comes next by numbers."""
    mailing.people(30)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox(credits=10)
    mailing.send(dispatch, sandbox.url)
    before = NOW - timedelta(days=365)
    again = mailing.sandbox()
    with SendGrid(KEY, again.url) as provider:
        done = send(mailing.store, provider, start(mailing.store, dispatch.id, now=before), secret=SECRET, speed=ONE)
    assert (done.tally.accepted, done.tally.uncertain) == (30, 0)
    assert not set(sandbox.accepted) & set(again.accepted)


def test_a_server_that_drops_its_connections_loses_nothing(mailing: Mailing, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    mailing.people(60)
    dispatch = mailing.planned()
    sandbox = mailing.sandbox()
    calls = []

    class Dropping(SendGrid):
        def send(self, *arguments: Any) -> Any:
            calls.append(1)
            if len(calls) == 3:
                with open_store(database_url) as other, other.write() as connection:
                    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    connection.execute(text(drop + " AND datname = current_database()"))
            return super().send(*arguments)

    with Dropping(KEY, sandbox.url) as provider:
        started = start(mailing.store, dispatch.id, now=NOW)
        # The sender may notice, or get a new connection in time.
        with contextlib.suppress(StoreError):
            send(mailing.store, provider, started, secret=SECRET, speed=ONE)
    done = mailing.send(dispatch, sandbox.url)
    assert done.state is DispatchState.COMPLETE
    mailing.holds(dispatch, sandbox, 60)
    with mailing.store.read() as connection:
        assert dispatch_tally(connection, dispatch.id).audience == 60
