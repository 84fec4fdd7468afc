"""Those of whom it isn't known whether they were mailed: listed by name, and settled by a person's decision."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from nicegui import ui

from newsletter.delivery import DeliveryStatus
from newsletter.dispatch.resolve import Decision, resolve
from newsletter.errors import NewsletterError
from newsletter.store.deliveries import AttemptRecord, DeliveryRecord, attempts_of, deliveries_page
from newsletter.store.dispatches import Dispatch
from newsletter.studio.desk import Desk
from newsletter.studio.sending.story import clock_words
from newsletter.studio.widgets import button, say, sheet, sheet_buttons, words

SHOWN = 200
"""At most so many are listed; deciding for all concerns the others too."""


class Uncertain:
    """The list on a page, and what can be decided. `decided` is called after each decision."""

    def __init__(self, desk: Desk, dispatch: Dispatch, decided: Callable[[], Awaitable[None]]) -> None:
        self._desk = desk
        self._dispatch = dispatch
        self._decided = decided
        self._client = ui.context.client
        self._count = 0
        self._chosen: set[str] = set()
        self._box = ui.element("section").classes("card sending-uncertain").props('aria-label="Uncertain"')
        self._box.set_visibility(False)

    async def update(self, count: int) -> None:
        """Show those who are uncertain; `count` is how many."""
        if count == self._count:
            return
        self._count, self._chosen = count, set()
        self._box.set_visibility(count > 0)
        people, calls = await asyncio.to_thread(self._read) if count else ([], {})
        if count != self._count:
            return  # something newer is on its way
        self._box.clear()
        if count:
            with self._box:
                self._draw(people, calls)

    def _read(self) -> tuple[list[DeliveryRecord], dict[int | None, AttemptRecord]]:
        with self._desk.store.read() as connection:
            people = deliveries_page(connection, self._dispatch.id, [DeliveryStatus.UNCERTAIN], limit=SHOWN)
            made = {number: attempts_of(connection, number) for number in {each.batch_id for each in people}}
        calls = {number: attempts[-1] for number, attempts in made.items() if attempts}
        return people, calls

    def _draw(self, people: list[DeliveryRecord], calls: dict[int | None, AttemptRecord]) -> None:
        words("h2", f"{self._count:,} uncertain")
        words(
            "p",
            "A call that went out and was never answered may have been accepted. Nothing is ever sent again by itself. "
            "Reports of the provider settle it for sure; the absence of a report proves nothing.",
            "muted",
        )
        with ui.element("div").classes("row wrap sending-decide"):
            self._sent = button("", lambda: self._ask(Decision.ASSUME_SENT), icon="done_all")
            self._again = button("", lambda: self._ask(Decision.RESEND), icon="forward_to_inbox", kind="danger")
        self._label()
        zone = self._desk.workspace.settings.publication.time_zone
        with ui.element("div").classes("sending-scroll"), ui.element("table").classes("table"):
            with ui.element("thead"), ui.element("tr"):
                with ui.element("th").props("scope=col"):
                    words("span", "Chosen", "sending-unseen")
                for label in ("Address", "Call", "What is known"):
                    words("th", label).props("scope=col")
            with ui.element("tbody"):
                for each in people:
                    call = calls.get(each.batch_id)
                    with ui.element("tr"):
                        with ui.element("td"):
                            box = ui.checkbox(
                                on_change=lambda event, one=each: self._choose(one.email, bool(event.value))
                            )
                            box.props("dense").props["aria-label"] = each.email
                        words("td", each.email)
                        words("td", clock_words(call.started_at, zone) if call else "", "num-left")
                        words("td", each.reason or (call.detail if call else None) or "no answer", "muted")
        if self._count > len(people):
            words("p", f"… and {self._count - len(people):,} more, listed under everybody below", "muted small")

    def _choose(self, email: str, chosen: bool) -> None:
        (self._chosen.add if chosen else self._chosen.discard)(email)
        self._label()

    def _label(self) -> None:
        whom = f"the {len(self._chosen):,} chosen" if self._chosen else f"all {self._count:,}"
        self._sent.text = f"Count {whom} as sent"
        self._again.text = f"Send {whom} once more"

    def _ask(self, decision: Decision) -> None:
        whom = len(self._chosen) or self._count
        resend = decision is Decision.RESEND
        # At the page, and not in the list, which is drawn anew meanwhile.
        with self._client, sheet("Send once more?" if resend else "Count as sent?") as dialog:
            words("p", f"{whom:,} will be sent once more." if resend else f"{whom:,} will count as sent.")
            words("p", "Some may get it twice." if resend else "Some may never have got it.")
            with sheet_buttons():
                button("Leave it", dialog.close)
                label = "Send once more" if resend else "Count as sent"

                async def decide() -> None:
                    dialog.close()
                    await self._decide(decision)

                button(label, decide, kind="danger" if resend else "primary")
        dialog.open()

    async def _decide(self, decision: Decision) -> None:
        emails, now = tuple(self._chosen), datetime.now(UTC)

        def act() -> int:
            return resolve(self._desk.store, self._dispatch, decision, who=getpass.getuser(), now=now, emails=emails)

        try:
            count = await asyncio.to_thread(act)
        except NewsletterError as error:
            told, failed = error.message + (f": {error.hint}" if error.hint else ""), True
        else:
            resend = decision is Decision.RESEND
            told = f"{count:,} will be sent once more, when you resume it." if resend else f"{count:,} count as sent."
            failed = False
        with self._client:
            say(told, "bad" if failed else "good")
        await self._decided()
