"""The card that looks at a list, whether the personal parts of an issue can be filled for everybody on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nicegui import background_tasks, ui

from newsletter.dispatch.plan import Plan, survey
from newsletter.errors import NewsletterError, Problem
from newsletter.outbox import order_of
from newsletter.store.subscribers import MembershipStatus, list_sizes
from newsletter.studio.checks.examining import Examined, unfilled_problems
from newsletter.studio.checks.problem_list import sentences
from newsletter.studio.desk import Desk
from newsletter.studio.widgets import button, card, select, words
from newsletter.workspace import Edition


class _Stopped(Exception):
    """Nobody wants to know any more."""


class AudienceCheck:
    """The card. `on_result` is called when `problems` gives something else than before."""

    def __init__(self, desk: Desk, path: Path, on_result: Callable[[], Any]) -> None:
        self._desk, self._path, self._on_result = desk, path, on_result
        self._plan: Plan | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = threading.Event()
        with card("Audience"):
            words("p", "Whether the personal parts can be filled for everybody on a list.", "muted small")
            self._list = select("List", {}).classes("checks-list")
            self._said = words("p", "", "small").props("role=status")
            self._said.set_visibility(False)
            with ui.element("div").classes("checks-buttons"):
                self._button = button("Look at everybody", self._press, icon="groups")
        self._button.set_enabled(False)

    async def load(self) -> None:
        """Find out which lists there are."""
        try:
            sizes = await asyncio.to_thread(_sizes, self._desk)
        except NewsletterError as error:
            self._tell(sentences(error))
            return
        self._list.set_options({name: f"{name} ({count:,})" for name, count in sizes.items()})
        if sizes and self._list.value not in sizes:
            self._list.set_value(max(sizes, key=lambda name: sizes[name]))
        if not sizes:
            self._tell("There is no list yet: import subscribers first.")

    def offer(self, *, can_be_sent: bool) -> None:
        """Take whether the issue is fit to be looked at with a list."""
        self._button.set_enabled(can_be_sent and bool(self._list.options))
        if not can_be_sent:
            self._tell("Mend what stops the sending first.")
        elif self._plan is None and self._list.options and self._task is None:
            self._tell("")

    def forget(self) -> None:
        """The issue has changed: what was found is no longer true."""
        self._stop.set()
        self._plan = None

    def problems(self, examined: Examined) -> Mapping[Problem, str]:
        """What was found for the issue as it is, and whom each concerns."""
        if self._plan is None:
            return {}
        found = unfilled_problems(self._plan.unrenderable, examined.text, examined.file)
        total = self._plan.unrenderable_count
        more = total - len(self._plan.unrenderable)
        return {problem: concerned(addresses, more) for problem, addresses in found}

    def close(self) -> None:
        """Look no further."""
        self._stop.set()

    def _press(self) -> None:
        if self._task is None:
            self._task = background_tasks.create(self._look(), name="audience")
        else:
            self._stop.set()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        stop = self._stop = threading.Event()
        list_name = str(self._list.value)

        def watch(count: int) -> None:
            if stop.is_set():
                raise _Stopped
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, count)

        def tell(count: int) -> None:
            if not stop.is_set() and not self._said.is_deleted:
                self._tell(f"{count:,} looked at …")

        self._plan = None
        self._on_result()
        self._tell("Looking …")
        self._button.set_text("Stop")
        said = ""
        try:
            plan = await asyncio.to_thread(_survey, self._desk, self._path, list_name, watch)
            if not stop.is_set():
                self._plan, said = plan, outcome(plan, list_name)
        except _Stopped:
            pass
        except NewsletterError as error:
            said = sentences(error)
        finally:
            self._task = None
            if not self._said.is_deleted:
                self._tell(said)
                self._button.set_text("Look again")
                self._on_result()

    def _tell(self, text: str) -> None:
        self._said.set_text(text)
        self._said.set_visibility(bool(text))


def outcome(plan: Plan, list_name: str) -> str:
    """What a survey found, in a sentence."""
    looked_at = plan.recipients + plan.unrenderable_count
    if not looked_at:
        return f"Nobody on {list_name} would get it now."
    if not plan.unrenderable_count:
        return f"Every personal part can be filled, for all {plan.recipients:,} who would get it."
    return f"For {plan.unrenderable_count:,} of {looked_at:,} people something is missing."


def concerned(addresses: list[str], more: int) -> str:
    """Whom a Problem concerns: some by name."""
    named = ", ".join(addresses[:5])
    others = len(addresses) - 5 + more if len(addresses) > 5 else more
    return f"Missing for {named}" + (f" and {others:,} more" if others > 0 else "")


def _survey(desk: Desk, path: Path, list_name: str, watch: Callable[[int], None]) -> Plan:
    edition = Edition.read(desk.workspace, path)
    return survey(desk.store, order_of(edition, list_name=list_name), watch)


def _sizes(desk: Desk) -> dict[str, int]:
    with desk.store.read() as connection:
        return {name: counts[MembershipStatus.ACTIVE] for name, counts in list_sizes(connection).items()}
