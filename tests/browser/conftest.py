"""A real Chromium, the system's, that can reach nothing but this machine."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from running_studio import RunningStudio

from newsletter.scaffold import write_workspace

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_NOWHERE = "net::ERR_NAME_NOT_RESOLVED"


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
    """A fresh page. Requests for other machines lead nowhere, and are listed in `page.outside_requests`."""
    context = chromium.new_context()
    page = context.new_page()
    outside: list[str] = []
    page.outside_requests = outside  # type: ignore[attr-defined]  # the one thing that a test wants to ask besides
    context.on("requestfailed", lambda request: outside.append(request.url) if request.failure == _NOWHERE else None)
    yield page
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a test that failed what its page showed then, and what its Studio wrote."""
    report = yield
    if report.when == "call" and report.failed:
        given: dict[str, Any] = getattr(item, "funcargs", {})
        with contextlib.suppress(PlaywrightError):
            if (page := given.get("page")) is not None:
                report.sections.append(("The page", f"{page.url}\n{page.locator('body').aria_snapshot(timeout=5000)}"))
                focused = page.evaluate("document.activeElement?.outerHTML.slice(0, 300)")
                report.sections.append(("Focused", str(focused)))
        if (studio := given.get("studio")) is not None:
            report.sections.append(("What the Studio wrote", studio.log()))
    return report


@contextlib.contextmanager
def _running_studio(folder: Path) -> Iterator[RunningStudio]:
    """A Studio on a fresh workspace, as `newsletter init` makes it. Its log may hold no traceback."""
    for _ in write_workspace(folder / "workspace"):
        pass
    running = RunningStudio(folder / "workspace")
    running.start()
    yield running
    running.stop()
    assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[RunningStudio]:
    """A Studio for this test alone."""
    with _running_studio(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """One Studio for all tests of a module: for those that write the issue anew that they are about."""
    with _running_studio(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def studio_page(studio: RunningStudio, page: Page) -> Iterator[Page]:
    """A page that the Studio lets in, still empty. Nothing on it may ask for anything outside this machine."""
    expect.set_options(timeout=15_000)  # a machine that does other work besides
    page.set_viewport_size({"width": 1280, "height": 860})
    page.context.request.get(studio.address, max_redirects=0)  # brings the cookie
    yield page
    assert page.outside_requests == []
