"""What holds on every page of the Studio: it is accessible, in light and dark, and asks for nothing outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from controls import settle
from playwright.sync_api import Page, expect
from running_studio import RunningStudio

from newsletter.store import open_store
from newsletter.store.import_csv import import_csv
from newsletter.workspace import Workspace

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "/", "/issue/{stem}", "/issue/{stem}/checks", "/issue/{stem}/test", "/issue/{stem}/send", "/subscribers",
    "/subscribers/import", "/subscribers/{person}", "/sandbox",
)  # fmt: skip


@pytest.fixture
def people(studio: RunningStudio) -> int:
    """The sample subscribers on a list; gives the id of one."""
    from datetime import UTC, datetime

    from newsletter.store.subscribers import subscriber_by_address

    with open_store(Workspace.open(studio.root).database_url) as store:
        import_csv(store, studio.root / "subscribers.csv", "members", now=datetime.now(UTC))
        with store.read() as connection:
            person = subscriber_by_address(connection, "ada@example.org")
    assert person is not None
    return person.id


def test_axe_finds_nothing_serious_on_any_page_in_light_and_dark(
    studio: RunningStudio, studio_page: Page, people: int
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core isn't there: `make tests/node/node_modules/.package-lock.json` installs it, with Node.js")
    script = AXE.read_text("utf-8")
    stem = next((studio.root / "issues").glob("*.yaml")).stem
    found = []
    for path in PAGES:
        studio_page.goto(studio.url(path.format(stem=stem, person=people)))
        settle(studio_page)
        studio_page.evaluate(script)
        for scheme in ("light", "dark"):
            studio_page.emulate_media(color_scheme=scheme)
            expect(studio_page.locator(f"body.body--{scheme}")).to_have_count(1)
            settle(studio_page)
            studio_page.wait_for_timeout(300)  # colours fade into each other
            # The bar shows that axe itself fetches style sheets.
            results = studio_page.evaluate(
                "axe.run({exclude: ['.q-loading-bar']}, {iframes: false, resultTypes: ['violations']})"
            )
            found += [
                f"{path} {scheme}: {each['id']}: {each['help']}: {each['nodes'][0]['html'][:160]}"
                for each in results["violations"]
                if each["impact"] in ("serious", "critical")
            ]
    assert found == []


def test_keys_lead_from_page_to_page(studio: RunningStudio, studio_page: Page) -> None:
    studio_page.goto(studio.url("/"))
    expect(studio_page.locator(".issue-card")).to_have_count(1)
    studio_page.keyboard.press("g")
    studio_page.keyboard.press("s")
    expect(studio_page.get_by_role("heading", level=1)).to_have_text("Subscribers")
    studio_page.keyboard.press("?")
    expect(studio_page.get_by_role("dialog")).to_contain_text("Sandbox")
    studio_page.keyboard.press("Escape")
    stem = next((studio.root / "issues").glob("*.yaml")).stem
    studio_page.goto(studio.url(f"/issue/{stem}/checks"))
    expect(studio_page.get_by_role("heading", level=1)).to_be_visible()
    studio_page.keyboard.press("g")
    studio_page.keyboard.press("n")
    studio_page.wait_for_url("**/send")


def test_light_and_dark_are_remembered(studio: RunningStudio, studio_page: Page) -> None:
    studio_page.goto(studio.url("/"))
    dark = studio_page.locator("body.body--dark")
    expect(studio_page.locator(".issue-card")).to_have_count(1)
    expect(dark).to_have_count(0)
    studio_page.get_by_role("button", name="Light or dark").click()
    expect(dark).to_have_count(1)
    studio_page.goto(studio.url("/subscribers"))
    expect(dark).to_have_count(1)


def test_a_fault_in_the_settings_is_told_and_the_last_good_ones_are_used(
    studio: RunningStudio, studio_page: Page
) -> None:
    settings = studio.root / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8") + "nonsense: 1\n", "utf-8")
    studio_page.goto(studio.url("/"))
    expect(studio_page.get_by_role("alert")).to_contain_text("newsletter.yaml has a fault")
    expect(studio_page.locator(".issue-card")).to_have_count(1)
