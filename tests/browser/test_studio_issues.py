"""The list of issues: what is there, in which state, and new ones."""

from __future__ import annotations

import pytest
from controls import enter
from playwright.sync_api import Page, expect
from running_studio import RunningStudio, until

pytestmark = pytest.mark.browser


@pytest.fixture
def issue_list(studio: RunningStudio, studio_page: Page) -> Page:
    studio_page.goto(studio.url("/"))
    return studio_page


def test_an_issue_shows_its_state_and_a_picture_and_follows_its_file(studio: RunningStudio, issue_list: Page) -> None:
    path = next((studio.root / "issues").glob("*-hello.yaml"))
    card = issue_list.locator(".issue-card")
    expect(card).to_contain_text("Hello")
    expect(card).to_contain_text("ready")
    expect(card.frame_locator("iframe").get_by_text("A story has a headline and a text")).to_be_visible()

    path.write_text(path.read_text("utf-8").replace("type: story", "type: storry"), "utf-8")
    expect(card).to_contain_text("1 problem")
    expect(card).to_contain_text("storry")  # the fault itself, with its line

    path.write_bytes(b"subject: caf\xe9\n")
    expect(card).to_contain_text("this is not UTF-8 text")  # never hidden


def test_a_new_issue_is_started_from_a_theme(studio: RunningStudio, issue_list: Page) -> None:
    issue_list.get_by_role("button", name="New issue").click()
    dialog = issue_list.get_by_role("dialog")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog).to_contain_text("An issue needs a title")
    enter(dialog.get_by_label("Title"), 'Spring "tides"')
    dialog.get_by_role("button", name="Make it").click()
    issue_list.wait_for_url("**/issue/*-spring-tides")
    made = until(lambda: next(iter((studio.root / "issues").glob("*-spring-tides.yaml")), None))
    assert 'subject: "Spring \\"tides\\""' in made.read_text("utf-8")


def test_a_copy_keeps_what_the_old_issue_says(studio: RunningStudio, issue_list: Page) -> None:
    issue_list.get_by_role("button", name="New issue").click()
    dialog = issue_list.get_by_role("dialog")
    enter(dialog.get_by_label("Title"), "Autumn")
    dialog.get_by_label("Begin with").click()
    issue_list.get_by_role("option", name="Copy of").click()
    dialog.get_by_role("button", name="Make it").click()
    issue_list.wait_for_url("**/issue/*-autumn")
    made = next((studio.root / "issues").glob("*-autumn.yaml")).read_text("utf-8")
    assert "subject: Autumn" in made
    assert "slug: autumn" in made
    assert "A story has a headline and a text" in made


def test_a_fault_in_the_theme_shows_on_its_issues(studio: RunningStudio, issue_list: Page) -> None:
    card = issue_list.locator(".issue-card")
    expect(card).to_contain_text("ready")
    theme = studio.root / "templates" / "digest" / "theme.yaml"
    good = theme.read_text("utf-8")
    theme.write_text(good + "nonsense: 1\n", "utf-8")
    expect(card).to_contain_text("1 problem")
    theme.write_text(good, "utf-8")
    expect(card).to_contain_text("ready")
