"""The dialogs of a person's page. What can't be taken back says so, and who is put back has to have asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from newsletter.errors import NewsletterError
from newsletter.store.suppressions import SuppressionReason
from newsletter.studio.desk import Desk
from newsletter.studio.people.changes import Gone, add_person, change_person, never_mail
from newsletter.studio.people.forms import CONSENT, AttributeRows, ListChoice, read_tags
from newsletter.studio.people.tellings import REASONS, count_words, list_words
from newsletter.studio.widgets import banner, button, facts, field, say, select, sheet, sheet_buttons, words
from newsletter.subscriber import Subscriber

Refresh = Callable[[], Awaitable[None]]


async def _done(dialog: ui.dialog, desk: Desk, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Call a function of `people` with the store; close the dialog when it worked, else say why not and give None."""
    try:
        result = await asyncio.to_thread(function, desk.store, *arguments, now=datetime.now(UTC), **more)
    except NewsletterError as error:
        say(f"{error}; {error.hint}" if error.hint else str(error), "bad")
        return None
    if not isinstance(result, Gone):
        dialog.close()
    return result if result is not None else True


def ask_for_changes(desk: Desk, person: Subscriber, refresh: Refresh) -> None:
    """Open the dialog that changes a person's name, tags and attributes."""
    with sheet("Edit") as dialog:
        hint = "Another address is somebody else: add it, and unsubscribe this one"
        field("Address", person.email, hint=hint).props("readonly")
        name = field("Name", person.name).props("autofocus")
        tags = field("Tags", ", ".join(person.tags), hint="With commas between them")
        attributes = AttributeRows(person.attributes)

        async def save() -> None:
            try:
                pairs = attributes.read()
            except ValueError:
                return  # shown at its row
            after = replace(person, name=(name.value or "").strip(), attributes=pairs, tags=read_tags(tags.value or ""))
            if await _done(dialog, desk, change_person, person, after):
                say("Saved.")
                await refresh()

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Save", save, kind="primary")
    dialog.open()


def ask_for_list_of(desk: Desk, email: str, names: Sequence[str], refresh: Refresh) -> None:
    """Open the dialog that puts a person on one of some lists that don't know them, or on a new one."""
    with sheet("Add to a list") as dialog:
        words("p", f"Add {email} only to what they want to get.", "muted")
        choice = ListChoice(names)

        async def add() -> None:
            try:
                chosen = choice.read()
            except ValueError:
                return  # shown at the field
            added = await _done(dialog, desk, add_person, Subscriber(0, email), chosen, asked=False)
            if isinstance(added, Gone):
                say(added.sentence, "bad")
            elif added is not None:
                say(f"{email} is on {chosen}.")
                await refresh()

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Add", add, kind="primary")
    dialog.open()


def ask_to_come_back(email: str, list_name: str, left: bool, action: Refresh) -> None:
    """Open the dialog that puts back a person who `left` a list, or confirms one who never did it themselves."""
    consent = CONSENT if left else "They told us themselves that they want it"
    with sheet("Subscribe again" if left else "Confirm") as dialog:
        was = f"{email} left {list_name}." if left else f"{email} signed up for {list_name} and hasn't confirmed yet."
        words("p", f"{was} Nobody is mailed who doesn't want it.")
        asked = ui.checkbox(consent).props("dense autofocus")

        async def go_on() -> None:
            dialog.close()
            await action()

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Subscribe again" if left else "Confirm", go_on, kind="primary").bind_enabled_from(asked, "value")
    dialog.open()


def ask_to_leave_all(email: str, names: tuple[str, ...], action: Callable[[tuple[str, ...]], Awaitable[None]]) -> None:
    """Open the dialog that takes a person off all their lists."""
    with sheet("Unsubscribe from all") as dialog:
        words("p", f"{email} leaves {list_words(names)}. They stay known there, so that no import brings them back.")
        words(
            "p", "A list that never knew them could still take them in; to rule that out, choose Never mail.", "muted"
        )

        async def go_on() -> None:
            dialog.close()
            await action(names)

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Unsubscribe from all", go_on, kind="primary")
    dialog.open()


def ask_to_suppress(desk: Desk, email: str, refresh: Refresh) -> None:
    """Open the dialog that adds evidence against an address."""
    with sheet("Never mail") as dialog:
        words("p", f"{email} will not be mailed again, from whatever list.")
        banner("This can't be taken back.", "warn").classes("subscribers-flat")
        options = {
            reason.value: f"{REASONS[reason][0].capitalize()}: {REASONS[reason][1]}" for reason in SuppressionReason
        }
        reason = select("Reason", options, SuppressionReason.MANUAL.value)
        note = field("Note", hint="What there is to say about it", placeholder="by phone, to the office")

        async def go_on() -> None:
            chosen = SuppressionReason(reason.value)
            if await _done(dialog, desk, never_mail, email, chosen, note.value or ""):
                say(f"{email} will not be mailed.")
                await refresh()

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Never mail", go_on, kind="danger")
    dialog.open()


def ask_to_forget(email: str, sent: int, action: Refresh) -> None:
    """Open the dialog that erases a person who got `sent` issues: it says what is erased, and what stays."""
    with sheet("Forget") as dialog:
        words("p", f"Erase everything about {email}?")
        gone = f"{count_words(sent, 'delivery', 'deliveries')}"
        facts(
            [
                ("Erased", f"Their name, attributes, tags and lists, and their address in {gone}."),
                ("Stays", "A salted hash of the address, so that no import brings them back; and that something was "
                 "sent to somebody, but not to whom."),
                ("Yours to delete", "What was exported before, and files that were imported."),
            ]
        )  # fmt: skip
        banner("This can't be taken back.", "warn").classes("subscribers-flat")

        async def go_on() -> None:
            dialog.close()
            await action()

        with sheet_buttons():
            button("Cancel", dialog.close)
            button("Erase everything", go_on, kind="danger")
    dialog.open()
