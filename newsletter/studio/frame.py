"""What is around every page: the sidebar, the head with the issue's tabs, light and dark, the shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from nicegui import ui
from starlette.requests import Request as HttpRequest

from newsletter.outbox import is_local
from newsletter.studio.desk import Desk
from newsletter.studio.widgets import button, empty, icon_button, sheet, use, words

THEME_COOKIE = "newsletter-studio-theme"

SHORTCUTS = (
    ("g i", "Issues"),
    ("g s", "Subscribers"),
    ("g x", "Sandbox"),
    ("g c", "Compose this issue"),
    ("g k", "Checks of this issue"),
    ("g t", "Send a test of this issue"),
    ("g n", "Send this issue"),
    ("Ctrl S", "Save the text"),
    ("Ctrl /", "Add a block"),
    ("Ctrl Space", "Complete what is typed in the YAML"),
    ("Alt ↑", "In the outline: move a block up, with ↓ down"),
    ("Ctrl D", "In the outline: duplicate a block; Delete removes it"),
    ("?", "These shortcuts"),
)
"""Keys, pressed together with Ctrl and Alt and else one after the other, and what they do."""


class Tab(NamedTuple):
    """A page about one issue."""

    key: str
    label: str
    icon: str
    path: str


TABS = (
    Tab("compose", "Compose", "edit_note", ""),
    Tab("checks", "Checks", "fact_check", "/checks"),
    Tab("test", "Send test", "outgoing_mail", "/test"),
    Tab("send", "Send", "send", "/send"),
)

PLACES = (
    ("issues", "Issues", "newsstand", "/"),
    ("subscribers", "Subscribers", "group", "/subscribers"),
    ("sandbox", "Sandbox", "inbox", "/sandbox"),
)


def issue_address(stem: str, tab: str = "compose") -> str:
    """The address of a page about the issue whose file is called `stem`."""
    return f"/issue/{quote(stem)}" + next(each.path for each in TABS if each.key == tab)


@contextmanager
def frame(
    desk: Desk, request: HttpRequest, *, title: str, place: str, stem: str | None = None, tab: str | None = None
) -> Iterator[ui.element]:
    """The page around what is put in: `place` is one of PLACES, `stem` and `tab` say which page of which issue.

    Gives the element at the right of the head, for a page's own buttons.
    """
    chosen = request.cookies.get(THEME_COOKIE)
    ui.dark_mode(value={"light": False, "dark": True}.get(chosen or ""))
    ui.page_title(f"{title} · newsletter")
    use("studio.css", "studio.js")
    ui.colors(primary="#1f6b63", secondary="#5b5a55", accent="#1f6b63", positive="#2c7a4b", negative="#b3261e")
    ui.query("body").classes("studio")
    with ui.element("a").classes("skip").props('href="#content"'):
        ui.label("Skip to the content")
    with ui.element("div").classes("shell slim" if tab == "compose" else "shell"):
        _sidebar(desk, place)
        with ui.element("div").classes("page"):
            with ui.element("header").classes("head"):
                with ui.element("div").classes("head-title"):
                    words("h1", title, "ellipsis")
                    if stem is not None:
                        _tabs(stem, tab)
                actions = ui.element("div").classes("head-actions")
            content = ui.element("div").props('id="content" tabindex="-1"')
            content.classes("content flush" if tab == "compose" else "content")
    with content:
        if desk.fault:
            with ui.element("div").classes("banner bad").props("role=alert"):
                ui.label(f"newsletter.yaml has a fault: {desk.fault}. The last good settings are used.")
        yield actions


def _sidebar(desk: Desk, place: str) -> None:
    with ui.element("nav").classes("sidebar").props('aria-label="Studio"'):
        with ui.element("a").classes("brand").props('href="/"'):
            ui.element("img").props('src="/static/icon.svg" alt="All issues" width=26 height=26')
            ui.label(desk.workspace.settings.publication.name).classes("brand-name ellipsis")
        for key, label, icon, path in PLACES:
            link = ui.element("a").classes("nav" + (" current" if key == place else ""))
            link.props(f'href="{path}" aria-label="{label}"')
            if key == place:
                link.props('aria-current="page"')
            with link:
                ui.icon(f"sym_o_{icon}").props("aria-hidden=true")
                ui.label(label)
        ui.element("div").classes("grow")
        with ui.element("div").classes("sidebar-foot"):
            host = urlsplit(desk.workspace.environment.sendgrid_host).netloc
            local = is_local(desk.workspace)
            with ui.element("div").classes("provider"):
                ui.element("span").classes("dot " + ("good" if local else "warn")).props("aria-hidden=true")
                ui.label("Sends to the sandbox" if local else f"Sends through {host}").classes("ellipsis")
                ui.tooltip(f"SENDGRID_HOST is {host}")
            with ui.element("div").classes("foot-buttons"):
                icon_button("contrast", "Light or dark").props('id="theme-toggle"').on(
                    "click", js_handler="() => Studio.toggleTheme()"
                )
                icon_button("keyboard", "Shortcuts (?)", _show_shortcuts).props('id="shortcuts-button"')


def _tabs(stem: str, tab: str | None) -> None:
    with ui.element("nav").classes("tabs").props('aria-label="Issue"'):
        for each in TABS:
            link = ui.element("a").props(
                f'href="{issue_address(stem, each.key)}" data-tab="{each.key}" aria-label="{each.label}"'
            )
            link.classes("tab" + (" current" if each.key == tab else ""))
            if each.key == tab:
                link.props('aria-current="page"')
            with link:
                ui.icon(f"sym_o_{each.icon}").props("aria-hidden=true")
                ui.label(each.label)


def _show_shortcuts() -> None:
    with sheet("Shortcuts") as dialog, ui.element("dl").classes("keys"):
        for keys, what in SHORTCUTS:
            with ui.element("dt"):
                for key in keys.split():
                    words("kbd", key)
            words("dd", what)
    dialog.open()


def no_issue(stem: str) -> None:
    """What a page about an issue shows when there is none of that name."""
    with empty("draft", f"There is no issue {stem}", "It may have been renamed or removed."):
        button("All issues", lambda: ui.navigate.to("/"))


def on_leave(action: Callable[[], object]) -> None:
    """Have `action` done when the page that is being built is closed for good."""
    ui.context.client.on_delete(action)
