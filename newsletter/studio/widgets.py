"""The Studio's own controls, so that one thing looks the same on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

Tone = Literal["plain", "good", "warn", "bad", "info"]


def use(*files: str) -> None:
    """Have the page that is being built load style sheets and scripts of `static/`, inside its frame."""
    for file in files:
        if file.endswith(".css"):
            ui.add_head_html(f'<link rel="stylesheet" href="/static/{file}">')
        else:
            ui.add_head_html(f'<script src="/static/{file}" defer></script>')


def button(
    label: str,
    on_click: Callable[..., Any] | None = None,
    *,
    icon: str | None = None,
    kind: Literal["primary", "quiet", "danger"] = "quiet",
) -> ui.button:
    """A button with words on it. One `primary` a page; `danger` for what can't be taken back."""
    made = ui.button(label, on_click=on_click, icon=f"sym_o_{icon}" if icon else None, color=None)
    return made.props("no-caps unelevated dense").classes(f"btn {kind}")


def icon_button(icon: str, label: str, on_click: Callable[..., Any] | None = None) -> ui.button:
    """A button with only an icon; `label` is its name and its tooltip."""
    made = ui.button(icon=f"sym_o_{icon}", on_click=on_click, color=None).props("flat dense round")
    made.props["aria-label"] = label
    with made.classes("icon-btn"):
        ui.tooltip(label)
    return made


def chip(text: str, tone: Tone = "plain") -> ui.element:
    """A word on a ground of its tone: a state."""
    with ui.element("span").classes(f"chip {tone}") as made:
        words("span", text)
    return made


def heading(text: str, level: int = 2) -> ui.element:
    """A heading, `h2` or below; the page's title is the frame's."""
    return words("h" + str(level), text)


def words(tag: str, text: str, classes: str = "") -> TextElement:
    """An element of HTML that holds plain words, escaped."""
    return TextElement(tag=tag, text=text).classes(classes)


@contextmanager
def card(title: str | None = None, classes: str = "") -> Iterator[ui.element]:
    """A surface with rounded corners, with a heading where it has a title."""
    with ui.element("section").classes(f"card {classes}") as made:
        if title:
            heading(title)
        yield made


def facts(pairs: list[tuple[str, str]]) -> ui.element:
    """Names and values, one pair a row."""
    with ui.element("dl").classes("facts") as made:
        for name, value in pairs:
            words("dt", name)
            words("dd", value)
    return made


def empty(icon: str, title: str, text: str) -> ui.element:
    """What stands where there is nothing yet, and says what to do. Put a button in."""
    with ui.element("div").classes("empty") as made:
        ui.icon(f"sym_o_{icon}").props("aria-hidden=true")
        heading(title)
        words("p", text)
    return made


def banner(text: str, tone: Tone = "info") -> ui.element:
    """A line across the page that says what is the matter; put buttons in."""
    with ui.element("div").classes(f"banner {tone}").props("role=status") as made:
        words("span", text, "banner-text")
    return made


@contextmanager
def sheet(title: str) -> Iterator[ui.dialog]:
    """A dialog with a title; open it with `.open()`. Once closed it is gone. Its buttons go into `sheet_buttons`."""
    dialog = ui.dialog()
    dialog.props["aria-label"] = title
    dialog.on("hide", dialog.delete)
    with dialog, ui.element("div").classes("sheet"):
        heading(title)
        yield dialog


def sheet_buttons() -> ui.element:
    """The row of buttons at the end of a dialog; the main one comes last."""
    return ui.element("div").classes("sheet-buttons")


def field(label: str, value: str = "", *, hint: str = "", placeholder: str = "") -> ui.input:
    """A line to type into, its label above it."""
    made = ui.input(label, value=value, placeholder=placeholder or None)
    made.props("outlined dense stack-label")
    if hint:
        made.props["hint"] = hint
    return made.classes("field")


def select(label: str, options: Any, value: Any = None, **more: Any) -> ui.select:
    """A choice out of some, its label above it."""
    return ui.select(options, label=label, value=value, **more).props("outlined dense options-dense").classes("field")


def say(message: str, tone: Literal["good", "bad", "info"] = "good") -> None:
    """A short notice at the bottom of the page, read out by screen readers."""
    kind: Any = {"good": "positive", "bad": "negative", "info": "info"}[tone]
    ui.notify(message, type=kind, position="bottom", timeout=8000 if tone == "bad" else 3500, close_button="Close")
