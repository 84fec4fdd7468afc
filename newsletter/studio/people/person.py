"""One person: what is known of them, the lists they are on, why they aren't mailed, and all that was sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from starlette.requests import Request as HttpRequest

from newsletter.errors import NewsletterError
from newsletter.store.subscribers import Membership, MembershipStatus, list_names
from newsletter.studio.desk import Desk
from newsletter.studio.frame import frame
from newsletter.studio.people.changes import Known, erase, known_of, subscribe_again, unsubscribe
from newsletter.studio.people.page import add_head
from newsletter.studio.people.person_forms import (
    ask_for_changes,
    ask_for_list_of,
    ask_to_come_back,
    ask_to_forget,
    ask_to_leave_all,
    ask_to_suppress,
)
from newsletter.studio.people.tellings import (
    REASONS,
    STANDINGS,
    Telling,
    count_words,
    day_words,
    list_words,
    moment_words,
    tell,
)
from newsletter.studio.widgets import banner, button, card, chip, empty, facts, say, words


def add_pages(desk: Desk) -> None:
    """Add `/subscribers/{number}`."""

    @ui.page("/subscribers/{number:int}")
    async def page(request: HttpRequest, number: int) -> None:
        known, failure = None, ""
        try:
            known, names = await asyncio.to_thread(_read, desk, number)
        except NewsletterError as error:
            failure, names = str(error), []
        title = (known.person.name or known.person.email) if known else "Subscriber"
        with frame(desk, request, title=title, place="subscribers"):
            add_head()
            with ui.element("div").classes("wide subscribers"):
                with ui.element("a").classes("subscribers-back").props('href="/subscribers"'):
                    ui.icon("sym_o_arrow_back").props("aria-hidden=true")
                    words("span", "All subscribers")
                if known is not None:
                    PersonView(desk, known, names).draw()
                elif failure:
                    banner(failure, "bad")
                else:
                    empty("person_off", "There is no such subscriber", "They may have been erased meanwhile.")


def _read(desk: Desk, number: int) -> tuple[Known | None, list[str]]:
    with desk.store.read() as connection:
        names = list_names(connection)
    return known_of(desk.store, number), names


class PersonView:
    """A person on a page, and what can be done about them."""

    def __init__(self, desk: Desk, known: Known, names: list[str]) -> None:
        self._desk = desk
        self._known = known
        self._names = names
        self._client = ui.context.client
        self._zone = desk.workspace.settings.publication.time_zone
        self._box = ui.element("div").classes("subscribers-person")

    def draw(self) -> None:
        """Draw what is known."""
        self._box.clear()
        with self._box:
            with ui.element("div").classes("subscribers-column"):
                self._about()
                self._lists()
                if self._known.suppressions:
                    self._suppressions()
                self._ending()
            with card("History", "subscribers-history"):
                if not self._known.chapters:
                    words("p", "Nothing has been sent yet.", "muted")
                for place, chapter in enumerate(reversed(self._known.chapters)):
                    _chapter(tell(chapter), self._zone, opened=place == 0)

    async def refresh(self) -> None:
        """Show what is known now."""
        known, self._names = await asyncio.to_thread(_read, self._desk, self._known.person.id)
        if known is None:
            self._box.clear()
            with self._box:
                empty("person_off", "They are gone", "They were erased meanwhile.")
        else:
            self._known = known
            self.draw()

    async def _do(self, done: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in the store, say so, and show what has become of it. None when it failed."""
        try:
            result = await asyncio.to_thread(function, self._desk.store, *arguments, now=datetime.now(UTC))
        except NewsletterError as error:
            with self._client:  # the dialog that asked may be gone
                say(f"{error}; {error.hint}" if error.hint else str(error), "bad")
            return None
        if done:
            with self._client:
                say(done)
            await self.refresh()
        return result

    def _about(self) -> None:
        person = self._known.person
        with card(classes="subscribers-about"):
            with ui.element("div").classes("row"):
                words("h2", "About", "grow")
                button("Edit", lambda: ask_for_changes(self._desk, self._known.person, self.refresh), icon="edit")
            pairs = [("Address", person.email), ("Name", person.name or "unknown")]
            if person.created_at:
                pairs.append(("Known since", day_words(person.created_at, self._zone)))
            facts([*pairs, *sorted(person.attributes.items())])
            if person.tags:
                with ui.element("div").classes("subscribers-chips").props('aria-label="Tags" role=group'):
                    for tag in person.tags:
                        chip(tag)

    def _lists(self) -> None:
        with card("Lists"):
            if not self._known.lists:
                words("p", "They are on no list.", "muted")
            for membership in self._known.lists:
                with ui.element("div").classes("subscribers-membership"):
                    self._membership(membership)
            with ui.element("div").classes("subscribers-buttons"):
                on = [each.list_name for each in self._known.lists]
                others = [name for name in self._names if name not in on]
                email = self._known.person.email
                button("Add to a list", lambda: ask_for_list_of(self._desk, email, others, self.refresh), icon="add")
                staying = self._staying()
                if len(staying) > 1:
                    button("Unsubscribe from all", lambda: ask_to_leave_all(email, staying, self._leave))

    def _staying(self) -> tuple[str, ...]:
        left = MembershipStatus.UNSUBSCRIBED
        return tuple(each.list_name for each in self._known.lists if each.status is not left)

    async def _leave(self, names: tuple[str, ...]) -> None:
        await self._do(f"Unsubscribed from {list_words(names)}.", unsubscribe, self._known.person.id, names)

    def _membership(self, membership: Membership) -> None:
        name, (word, tone) = membership.list_name, STANDINGS[membership.status]
        with ui.element("div").classes("grow"):
            with ui.element("div").classes("row"):
                words("a", name, "subscribers-list").props(f'href="/subscribers?{urlencode({"list": name})}"')
                chip(word, tone)
            since = f"since {day_words(membership.changed_at, self._zone)}, by {membership.source}"
            words("p", since, "muted small")

        async def back() -> None:
            await self._do(f"Subscribed to {name} again.", subscribe_again, self._known.person.id, name)

        left = membership.status is MembershipStatus.UNSUBSCRIBED
        if membership.status is not MembershipStatus.ACTIVE:
            email = self._known.person.email
            again = button("Subscribe again" if left else "Confirm", lambda: ask_to_come_back(email, name, left, back))
            again.props(f'aria-label="{again.text} to {_quoted(name)}"')
        if not left:
            leave = button("Unsubscribe", lambda: self._leave((name,)))
            leave.props(f'aria-label="Unsubscribe from {_quoted(name)}"')

    def _suppressions(self) -> None:
        with card("Not mailed"):
            words("p", "No list mails this address, whatever their standing there.", "muted small")
            for each in self._known.suppressions:
                word, sentence = REASONS[each.reason]
                with ui.element("div").classes("subscribers-evidence"):
                    chip(word, "bad")
                    with ui.element("div"):
                        words("p", sentence)
                        since = f"since {day_words(each.since_at, self._zone)}, by {each.source}"
                        words("p", since + (f": {each.detail}" if each.detail else ""), "muted small")

    def _ending(self) -> None:
        email = self._known.person.email
        with card("Ending it"), ui.element("div").classes("subscribers-ending"):
            words("p", "Never mail this address again, from whatever list.", "muted")
            button("Never mail", lambda: ask_to_suppress(self._desk, email, self.refresh), icon="block")
            words("p", "Erase everything about somebody who asks for it.", "muted")
            sent = sum(each.delivery is not None for each in self._known.chapters)
            button("Forget", lambda: ask_to_forget(email, sent, self._forget), icon="person_remove", kind="danger")

    async def _forget(self) -> None:
        email = self._known.person.email
        erased = await self._do("", erase, email)
        if erased is None:
            return
        self._box.clear()
        with self._box:
            text = (
                f"Erased from {count_words(erased.deliveries, 'delivery', 'deliveries')}. No import brings them back."
            )
            with empty("person_off", f"{email} is forgotten", text):
                button("All subscribers", lambda: ui.navigate.to("/subscribers"))


def _chapter(telling: Telling, zone: str, *, opened: bool) -> None:
    with ui.element("details").classes("subscribers-chapter").props("open" if opened else ""):
        with ui.element("summary"), ui.element("div").classes("subscribers-chapter-head"):
            with ui.element("div").classes("grow"):
                words("h3", telling.issue)
                planned = f"to {telling.list_name}, planned {moment_words(telling.planned_at, zone)}"
                words("p", planned, "muted small")
            chip(telling.word, telling.tone)
        if telling.reason:
            sentence = telling.reason[0].upper() + telling.reason[1:].rstrip(".") + "."
            words("p", sentence, "subscribers-reason")
        if telling.lines:
            with ui.element("ol").classes("subscribers-lines"):
                for line in telling.lines:
                    with ui.element("li").classes(line.tone):
                        words("time", moment_words(line.at, zone), "muted small num")
                        with ui.element("div"):
                            words("div", line.what)
                            if line.detail:
                                words("div", line.detail, "muted small subscribers-detail")
        given = [(each, "holds" if held else "doesn't hold") for each, held in telling.conditions]
        given += [(f"{{{{ {expression} }}}}", value or "(empty)") for expression, value in telling.slots]
        if given:
            words("h4", "What was personal in it")
            facts(given).classes("subscribers-given")


def _quoted(text: str) -> str:
    """`text` within a property that stands in double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
