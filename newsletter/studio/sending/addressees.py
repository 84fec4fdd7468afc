"""Where test mails go: addresses of one's own, remembered with the workspace, each to be ticked or removed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import getaddresses
from pathlib import Path
from typing import Any

from nicegui import ui

from newsletter.studio.widgets import button, field, icon_button, words
from newsletter.subscriber import address_key, normalise_address

MOST = 12
"""More addresses aren't remembered."""
_FILE = "studio-test-addresses.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The addresses that are offered, the newest first, and those of them that were used last."""

    known: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()

    def with_address(self, address: str) -> Remembered:
        """The same with one more, which is chosen."""
        others = [each for each in self.known if address_key(each) != address_key(address)]
        ticked = [each for each in self.chosen if address_key(each) != address_key(address)]
        return Remembered((address, *others)[:MOST], (address, *ticked))

    def without(self, address: str) -> Remembered:
        """The same with one less."""
        return Remembered(
            tuple(each for each in self.known if each != address),
            tuple(each for each in self.chosen if each != address),
        )

    def ticked(self, address: str, *, is_chosen: bool) -> Remembered:
        """The same with one of the known addresses chosen or not."""
        chosen = {*self.chosen, address} if is_chosen else {*self.chosen} - {address}
        return Remembered(self.known, tuple(each for each in self.known if each in chosen))


def read_remembered(state: Path) -> Remembered:
    """What is remembered in the folder `state`; nothing when that can't be read."""
    try:
        kept = json.loads((state / _FILE).read_text("utf-8"))
        known = [str(each) for each in kept["known"]]
        return Remembered(tuple(known[:MOST]), tuple(each for each in known if each in kept["chosen"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Remembered()


def remember(state: Path, remembered: Remembered) -> None:
    """Keep it in the folder `state`, for the owner's eyes alone. Nothing happens when the folder can't be written."""
    with suppress(OSError):
        state.mkdir(parents=True, exist_ok=True)
        fresh = state / f"{_FILE}.new"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"known": remembered.known, "chosen": remembered.chosen}, indent=1), "utf-8")
        fresh.replace(state / _FILE)


def split_addresses(text: str) -> list[str]:
    """The addresses in what was typed or pasted, one or several, with or without names. Raises ValueError for what
    isn't an address, with a sentence that says so."""
    if "<" in text:
        parts = [address for _, address in getaddresses([re.sub(r"[;\n]", ",", text)])]
    else:
        parts = [part for part in re.split(r"[\s,;]+", text) if part]
    found = []
    for part in parts:
        try:
            found.append(normalise_address(part))
        except ValueError as error:
            shown = part or text.strip()
            raise ValueError(f"“{shown}” isn't an address. {error}") from None
    return list({address_key(address): address for address in found}.values())


class Addressees:
    """The addresses on a page. `on_change` is called when others are chosen."""

    def __init__(self, state: Path, on_change: Callable[[], Any]) -> None:
        self._state, self._on_change = state, on_change
        self._kept = read_remembered(state)
        self._list = ui.element("ul").classes("testing-addresses").props('aria-label="Addresses"')
        with ui.element("div").classes("testing-add"):
            self._field = field("Add an address", placeholder="you@example.org")
            self._field.props("autocomplete=off inputmode=email spellcheck=false").classes("grow")
            self._field.on("keydown.enter.exact", self.take_typed, args=[])
            self._field.on_value_change(lambda: self._complain(""))
            button("Add", self.take_typed)
        self._draw()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Where to send, in the order shown."""
        return self._kept.chosen

    def take_typed(self) -> bool:
        """Add what is typed in the field. False, and said there, when it isn't an address."""
        typed = str(self._field.value or "")
        try:
            addresses = split_addresses(typed)
        except ValueError as error:
            self._complain(str(error))
            return False
        for address in reversed(addresses):
            self._kept = self._kept.with_address(address)
        if addresses:
            self._field.set_value("")
            self._changed()
        return True

    def ask_for_one(self) -> None:
        """Say that an address is missing, and go to the field."""
        self._complain("Where should it go? Type an address of your own.")
        self._field.run_method("focus")

    def _complain(self, complaint: str) -> None:
        self._field.props(remove="error error-message")
        if complaint:
            self._field.props("error")
            self._field.props["error-message"] = complaint

    def _tick(self, address: str, is_chosen: bool) -> None:
        self._kept = self._kept.ticked(address, is_chosen=is_chosen)
        self._changed(draw=False)

    def _forget(self, address: str) -> None:
        self._kept = self._kept.without(address)
        self._changed()

    def _changed(self, *, draw: bool = True) -> None:
        remember(self._state, self._kept)
        if draw:
            self._draw()
        self._on_change()

    def _draw(self) -> None:
        self._list.clear()
        with self._list:
            if not self._kept.known:
                words("li", "None yet. Those that you use are remembered here.", "muted small")
            for address in self._kept.known:
                with ui.element("li").classes("testing-address"):
                    box = ui.checkbox(address, value=address in self._kept.chosen).props("dense").classes("grow")
                    box.on_value_change(lambda event, address=address: self._tick(address, event.value))
                    icon_button("close", f"Forget {address}", lambda address=address: self._forget(address))
