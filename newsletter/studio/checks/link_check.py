"""The card that asks the websites whether an issue's links answer: on demand, as others see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import background_tasks, ui

from newsletter.check.links import Answer, Link, ask
from newsletter.studio.checks.arriving import arriving
from newsletter.studio.widgets import button, card, words


class LinkCheck:
    """The card. `answers` are what came back, by address; `on_answer` is called when there is something new in them."""

    def __init__(self, on_answer: Callable[[], Any]) -> None:
        self.answers: dict[str, Answer] = {}
        self._on_answer = on_answer
        self._links: Sequence[Link] = ()
        self._task: asyncio.Task[None] | None = None
        with card("Links"):
            self._about = words("p", "", "muted small")
            self._bar = ui.linear_progress(0, show_value=False).props('aria-label="Addresses answered"')
            self._bar.classes("checks-bar").set_visibility(False)
            self._said = words("p", "", "small").props("role=status")
            self._extra = ui.element("div").classes("checks-extra")
            with ui.element("div").classes("checks-buttons"):
                self._button = button("Ask the websites", self._press, icon="travel_explore")

    def offer(self, links: Sequence[Link]) -> None:
        """Take the links that the issue has now."""
        self._links = links
        self._draw()

    def close(self) -> None:
        """Ask no further."""
        if self._task is not None:
            self._task.cancel()

    def _press(self) -> None:
        if self._task is None:
            self._task = background_tasks.create(self._ask(), name="links")
        else:
            self._task.cancel()

    async def _ask(self) -> None:
        links = [link for link in self._links if link.is_asked]
        self.answers.clear()
        self._on_answer()
        self._button.set_text("Stop")
        try:
            async for answer in arriving(lambda: ask(links)):
                is_new = answer.link.url not in self.answers
                self.answers[answer.link.url] = answer
                self._draw()
                if is_new and answer.problem is not None:
                    self._on_answer()
        finally:
            self._task = None
            if not self._button.is_deleted:
                self._button.set_text("Ask again")
                self._draw()

    def _draw(self) -> None:
        urls = {link.url for link in self._links if link.is_asked}
        self._about.set_text(about(len(urls)))
        self._button.set_enabled(bool(urls))
        answers = [self.answers[url] for url in urls if url in self.answers]
        is_running = self._task is not None
        self._bar.set_visibility(is_running)
        self._bar.set_value(len(answers) / max(1, len(urls)))
        self._said.set_text(said(answers, len(urls)))
        self._said.set_visibility(bool(answers) or is_running)
        self._extra.clear()
        with self._extra:
            _listed("These keep programs out. Open them yourself:", sorted(a.link.url for a in answers if a.is_unsure))
            personal = sorted({link.url for link in self._links if link.is_personal})
            _listed("These differ from reader to reader, and aren't asked:", personal, can_be_opened=False)


def about(count: int) -> str:
    """What asking means, for so many addresses."""
    if not count:
        return "The issue has no links to websites."
    return (
        f"{count} {'address' if count == 1 else 'addresses'} to ask. The websites see that somebody asks; "
        "addresses inside your own network are left alone."
    )


def said(answers: Sequence[Answer], count: int) -> str:
    """How far the asking is, and what came of it."""
    wrong = sum(answer.problem is not None for answer in answers)
    unsure = sum(answer.is_unsure for answer in answers)
    parts = [f"{len(answers) - wrong - unsure} fine", f"{wrong} to look at"]
    if unsure:
        parts.append(f"{unsure} can't be told")
    return f"{len(answers)} of {count} answered: {', '.join(parts)}."


def _listed(title: str, addresses: Sequence[str], *, can_be_opened: bool = True) -> None:
    if not addresses:
        return
    words("p", title, "muted small")
    with ui.element("ul").classes("checks-addresses small"):
        for address in addresses:
            with ui.element("li"):
                made = words("a" if can_be_opened else "span", address)
                if can_be_opened:
                    made.props('target="_blank" rel="noopener noreferrer"').props["href"] = address
