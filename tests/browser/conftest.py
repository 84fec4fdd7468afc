"""A real Chromium, the system's, that can reach nothing but this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from running_studio import RunningStudio

from newsletter.scaffold import write_workspace

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, headless. While Playwright runs, this thread has an event loop: other tests mustn't meet it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("Chromium isn't installed: `make browser` installs it where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page. Requests that leave this machine are refused, and listed in `page.outside_requests`."""
    context = chromium.new_context()
    page = context.new_page()
    outside: list[str] = []
    page.outside_requests = outside  # type: ignore[attr-defined]  # the one thing that a test wants to ask besides

    def refuse_outside(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.hostname == "127.0.0.1" or address.scheme in ("file", "data", "blob", "about"):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", refuse_outside)
    yield page
    context.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[RunningStudio]:
    """A Studio on a fresh workspace, as `newsletter init` makes it. Its log may hold no traceback."""
    root = tmp_path / "workspace"
    for _ in write_workspace(root):
        pass
    running = RunningStudio(root)
    running.start()
    yield running
    running.stop()
    assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def studio_page(studio: RunningStudio, page: Page) -> Iterator[Page]:
    """A page that the Studio has let in. Nothing on it may ask for anything outside this machine."""
    expect.set_options(timeout=15_000)  # a machine that does other work besides
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(studio.address)
    yield page
    assert page.outside_requests == []
