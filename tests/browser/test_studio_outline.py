"""The outline and the palette: blocks are found, moved, duplicated, removed and added, as edits to the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from running_studio import RunningStudio, until

pytestmark = pytest.mark.browser

ISSUE = """\
# yaml-language-server: $schema=issue.schema.json
subject: Tides
preheader: The first issue of our newsletter, with what the sea does
blocks:
  # greets everybody
  - type: text
    body: |
      Dear reader,

      hello.

  - type: section
    title: News   # as every week

  # the lead
  - {type: story, headline: The wall is open, url: "https://www.example.org/wall"}
  - type: quote
    text: Short, clear.
    when: subscriber.region == "north"
"""


@pytest.fixture
def studio(shared_studio: RunningStudio) -> RunningStudio:
    return shared_studio


def open_issue(studio: RunningStudio, page: Page, text: str = ISSUE) -> Path:
    path = studio.root / "issues" / "2026-05-01-tides.yaml"
    path.write_text(text, "utf-8")
    page.goto(studio.url(f"/issue/{path.stem}"))
    page.wait_for_function("window.Studio?.editor")
    expect(rows(page)).to_have_count(text.count("type: "))
    return path


def rows(page: Page) -> Locator:
    return page.locator(".outline-row")


def titles(page: Page) -> list[str]:
    return page.locator(".outline-row .outline-title").all_inner_texts()


def text_of(page: Page) -> str:
    return str(page.evaluate("Studio.editor.text()"))


def current_line(page: Page) -> str:
    script = (
        "(() => { const {doc, selection} = Studio.editor.view.state; return doc.lineAt(selection.main.head).text; })()"
    )
    return str(page.evaluate(script))


def wait_for_titles(page: Page, *expected: str) -> None:
    expect(page.locator(".outline-row .outline-title")).to_have_text(list(expected))


BEFORE = ("Dear reader, hello.", "News", "The wall is open", "Short, clear.")


def test_it_names_every_block_and_marks_the_current_one(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    wait_for_titles(studio_page, *BEFORE)
    expect(studio_page.get_by_role("button", name="Issue")).to_have_attribute("aria-current", "true")
    expect(studio_page.get_by_role("button", name="Quote: Short, clear. , only for some")).to_be_visible()

    rows(studio_page).nth(2).get_by_role("button").first.click()
    expect(rows(studio_page).nth(2).locator(".outline-go")).to_have_attribute("aria-current", "true")
    assert current_line(studio_page) == "  # the lead"

    studio_page.evaluate("Studio.editor.goTo(12, 1, true)")
    expect(rows(studio_page).nth(1).locator(".outline-go")).to_have_attribute("aria-current", "true")


def test_what_is_wrong_is_marked_at_its_block(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page, ISSUE.replace("https://www.example.org/wall", "nowhere"))
    expect(rows(studio_page).nth(2).locator(".outline-dot.bad")).to_be_visible()
    expect(studio_page.locator(".outline-dot.bad")).to_have_count(1)


def test_dragging_reorders_the_file_with_its_comments(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    start = rows(studio_page).nth(2).bounding_box()
    end = rows(studio_page).nth(0).bounding_box()
    assert start
    assert end
    mouse = studio_page.mouse
    mouse.move(start["x"] + 60, start["y"] + 16)
    mouse.down()
    mouse.move(start["x"] + 60, start["y"] + 6, steps=3)
    mouse.move(end["x"] + 60, end["y"] + 4, steps=12)
    studio_page.wait_for_timeout(200)  # the rows make room
    mouse.up()
    wait_for_titles(studio_page, "The wall is open", "Dear reader, hello.", "News", "Short, clear.")
    until(lambda: text_of(studio_page).index("# the lead") < text_of(studio_page).index("# greets"))
    studio_page.keyboard.press("Control+s")
    until(lambda: path.read_text("utf-8") != ISSUE)
    saved = path.read_text("utf-8")
    assert sorted(saved.split("\n")) == sorted(ISSUE.split("\n"))
    assert saved.index("  # the lead\n  - {type: story") < saved.index("  # greets everybody\n  - type: text")
    assert "News   # as every week" in saved


def test_the_keyboard_walks_moves_duplicates_and_removes(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    keyboard = studio_page.keyboard
    studio_page.get_by_role("button", name="Issue").focus()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(rows(studio_page).nth(1).locator(".outline-go")).to_be_focused()
    until(lambda: current_line(studio_page) == "  - type: section")

    keyboard.press("Alt+ArrowDown")
    keyboard.press("Alt+ArrowDown")
    expect(rows(studio_page).nth(3).locator(".outline-go")).to_be_focused()
    until(lambda: text_of(studio_page).endswith("    title: News   # as every week\n"))
    wait_for_titles(studio_page, "Dear reader, hello.", "The wall is open", "Short, clear.", "News")
    until(lambda: current_line(studio_page) == "  - type: section")

    keyboard.press("Control+d")
    wait_for_titles(studio_page, "Dear reader, hello.", "The wall is open", "Short, clear.", "News", "News")
    expect(rows(studio_page).nth(4).locator(".outline-go")).to_be_focused()
    keyboard.press("Delete")
    wait_for_titles(studio_page, "Dear reader, hello.", "The wall is open", "Short, clear.", "News")
    until(lambda: text_of(studio_page).count("type: section") == 1)


def test_a_removed_block_comes_back(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    rows(studio_page).nth(0).hover()
    rows(studio_page).nth(0).locator(".outline-more").click()
    studio_page.get_by_role("menuitem", name="Remove").click()
    wait_for_titles(studio_page, *BEFORE[1:])
    assert "Dear reader" not in text_of(studio_page)
    studio_page.get_by_role("button", name="Undo", exact=True).click()
    wait_for_titles(studio_page, *BEFORE)
    assert text_of(studio_page) == ISSUE

    rows(studio_page).nth(3).locator(".outline-go").focus()
    studio_page.keyboard.press("Delete")
    wait_for_titles(studio_page, *BEFORE[:3])
    studio_page.evaluate("Studio.editor.focus()")
    studio_page.keyboard.press("Control+z")
    wait_for_titles(studio_page, *BEFORE)
    assert text_of(studio_page) == ISSUE


def test_a_fault_greys_the_outline_and_mending_it_brings_it_back(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    studio_page.evaluate("Studio.editor.goTo(3, 1, true)")
    studio_page.keyboard.type('"')
    expect(studio_page.get_by_text("As it was before the fault")).to_be_visible()
    wait_for_titles(studio_page, *BEFORE)
    studio_page.keyboard.press("Backspace")
    expect(studio_page.get_by_text("As it was before the fault")).to_have_count(0)


def test_a_block_is_added_below_the_current_one_by_keyboard(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    rows(studio_page).nth(0).locator(".outline-go").click()
    studio_page.keyboard.press("Control+/")
    find = studio_page.get_by_role("combobox", name="Find a kind of block")
    expect(find).to_be_focused()
    find.press_sequentially("calend")
    expect(studio_page.get_by_role("option", name="Events")).to_have_attribute("aria-selected", "true")
    find.press("Enter")
    wait_for_titles(studio_page, BEFORE[0], "Dates", *BEFORE[1:])
    until(lambda: current_line(studio_page) == "  - type: events")
    expect(rows(studio_page).nth(1).locator(".outline-go")).to_have_attribute("aria-current", "true")
    expect(studio_page.locator(".compose-count")).to_be_hidden()
    assert text_of(studio_page).startswith(ISSUE.partition("  - type: section")[0])


def test_a_kind_with_a_picture_asks_for_it(studio: RunningStudio, studio_page: Page) -> None:
    from PIL import Image

    Image.new("RGB", (300, 200), "teal").save(studio.root / "issues" / "photo.jpg")
    open_issue(studio, studio_page)
    studio_page.get_by_role("button", name="Add block").click()
    studio_page.get_by_role("option", name="Gallery").click()
    dialog = studio_page.get_by_role("dialog", name="Gallery: which picture?")
    dialog.get_by_role("button", name="photo.jpg").click()
    expect(rows(studio_page)).to_have_count(5)
    assert "- src: photo.jpg" in text_of(studio_page)

    studio_page.get_by_role("button", name="Add block").click()
    studio_page.get_by_role("option", name="Video").click()
    studio_page.get_by_role("button", name="Cancel").click()
    expect(studio_page.get_by_role("dialog")).to_have_count(0)
    assert "type: video" not in text_of(studio_page)


def test_a_long_issue_sends_only_the_row_that_changed(studio: RunningStudio, studio_page: Page) -> None:
    blocks = "".join(
        f"  - type: story\n    headline: Number {number}\n    body: Some words.\n" for number in range(300)
    )
    sent: list[str] = []
    studio_page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda frame: sent.append(str(frame)))
    )  # fmt: skip
    open_issue(studio, studio_page, f"subject: x\nblocks:\n{blocks}")
    expect(rows(studio_page)).to_have_count(300)
    studio_page.wait_for_timeout(1500)
    sent.clear()
    studio_page.evaluate("Studio.editor.goTo(455, 999, true)")
    line = current_line(studio_page)
    assert line.endswith("Some words.")
    studio_page.evaluate("Studio.editor.goTo(454, 999, true)")
    studio_page.keyboard.type("!")
    expect(rows(studio_page).nth(150).locator(".outline-title")).to_have_text("Number 150!")
    about_rows = [frame for frame in sent if '\\"patch\\"' in frame or "setRows" in frame or '"patch"' in frame]
    assert about_rows
    assert all(len(frame) < 500 for frame in about_rows), about_rows
