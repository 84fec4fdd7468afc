"""Readings of the Studio's pages that overlap: what was asked for last is what is shown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nicegui import ui
from nicegui.client import Client
from nicegui.page import page as nicegui_page

from newsletter.delivery import DeliveryStatus
from newsletter.scaffold import write_workspace
from newsletter.studio.desk import Desk
from newsletter.studio.issues import Summaries, Summary
from newsletter.studio.sandbox import reading
from newsletter.studio.sandbox.letter import Letter, read_letter
from newsletter.studio.sandbox.reading import ReadingPane
from newsletter.studio.sending import recipients, resolving
from newsletter.studio.sending.recipients import People
from newsletter.studio.sending.resolving import Uncertain


@contextmanager
def blank_page() -> Iterator[ui.element]:
    """A box on a page that no browser has opened."""
    client = Client(nicegui_page("/"), request=None)
    with client, ui.element() as box:
        yield box
    client.delete()


class Slow:
    """Stands for a reading of the store: the first one ends when `go` is called, the others at once."""

    def __init__(self) -> None:
        self.count = 0
        self._go = threading.Event()

    def wait(self) -> int:
        self.count += 1
        number = self.count
        if number == 1:
            self._go.wait(20)
        return number

    async def overtaken(self, first: Any, second: Any) -> None:
        """Begin `first`; have `second` begin and end; let the first one end."""
        begun = asyncio.create_task(first)
        while not self.count:
            await asyncio.sleep(0.01)
        await second
        self._go.set()
        await begun


def shown(element: ui.element) -> list[str]:
    return [each.text for each in element.descendants() if hasattr(each, "text")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    for _ in write_workspace(tmp_path):
        pass
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_summary_that_a_change_overtook_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next((desk.root / "issues").glob("*.yaml"))
    subjects = iter(["before", "after"])

    async def ask() -> list[str]:
        summaries = Summaries(desk)

        async def summarise(*_: object) -> Summary:
            subject = next(subjects)
            if subject == "before":
                for listener in list(desk._listeners):
                    listener({desk.root / "templates" / "digest" / "theme.yaml"})
            return Summary(path.stem, subject, "", path.stem, ())

        monkeypatch.setattr(desk.renderer, "call", summarise)
        return [(await summaries.of(path))[1].title for _ in range(3)]

    assert asyncio.run(ask()) == ["before", "after", "after"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The store has one delivery, to `1@example.org` in the first reading and to `2@example.org` in the second."""
    slow = Slow()

    def read(*_: object, **__: object) -> list[Any]:
        email = f"{slow.wait()}@example.org"
        return [SimpleNamespace(id=1, batch_id=1, email=email, name="", status=DeliveryStatus.UNCERTAIN, reason=None)]

    for module in (recipients, resolving):
        monkeypatch.setattr(module, "deliveries_page", read)
    return slow


def test_the_table_is_of_the_status_that_was_chosen_last(desk: Desk, slow: Slow) -> None:
    async def ask() -> list[str]:
        with blank_page() as box:
            people = People(desk, 1, {DeliveryStatus.UNCERTAIN: 1})
            await slow.overtaken(people.refresh(), people.refresh())
            return shown(box)

    found = asyncio.run(ask())
    assert "2@example.org" in found
    assert "1@example.org" not in found


def test_who_is_uncertain_is_listed_once(desk: Desk, slow: Slow) -> None:
    dispatch: Any = SimpleNamespace(id=1)

    async def nothing() -> None: ...

    async def ask() -> list[str]:
        with blank_page() as box:
            uncertain = Uncertain(desk, dispatch, nothing)
            await slow.overtaken(uncertain.update(2), uncertain.update(1))
            return shown(box)

    found = asyncio.run(ask())
    assert [each for each in found if each.endswith("@example.org")] == ["2@example.org"]


def test_the_mail_that_was_chosen_last_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = Slow()

    def fetch(_host: str, mail_id: str) -> Letter:
        wait.wait()
        return read_letter(f"Subject: {mail_id}\r\n\r\nHello".encode())

    monkeypatch.setattr(reading, "fetch_letter", fetch)

    async def ask() -> list[str]:
        with blank_page() as box:
            pane = ReadingPane("http://127.0.0.1:1", lambda: None)
            await wait.overtaken(pane.show("first"), pane.show("second"))
            return shown(box)

    found = asyncio.run(ask())
    assert "second" in found
    assert "first" not in found
