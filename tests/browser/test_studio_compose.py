"""Composing in the browser: the text is checked, completed and saved, and never lost."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from running_studio import RunningStudio, until

pytestmark = pytest.mark.browser


def issue_file(studio: RunningStudio) -> Path:
    return next((studio.root / "issues").glob("*-hello.yaml"))


@pytest.fixture
def studio(shared_studio: RunningStudio) -> Iterator[RunningStudio]:
    path = issue_file(shared_studio)
    text = path.read_bytes()
    yield shared_studio
    path.write_bytes(text)


def open_issue(studio: RunningStudio, page: Page) -> Path:
    """The sample issue in the editor."""
    path = issue_file(studio)
    page.goto(studio.url(f"/issue/{path.stem}"))
    expect(page.locator(".cm-content")).to_contain_text("subject")
    page.wait_for_function("window.Studio?.editor")
    return path


def put_cursor_after(page: Page, words: str) -> None:
    """The cursor behind the first occurrence of `words`."""
    page.evaluate(
        """(words) => {
          const view = Studio.editor.view, at = view.state.doc.toString().indexOf(words);
          if (at < 0) throw new Error("not in the text: " + words);
          view.dispatch({selection: {anchor: at + words.length}, scrollIntoView: true});
          view.focus();
        }""",
        words,
    )


def text_of(page: Page) -> str:
    return str(page.evaluate("Studio.editor.text()"))


def test_a_problem_is_underlined_at_its_place_and_goes_when_it_is_mended(
    studio: RunningStudio, studio_page: Page
) -> None:
    open_issue(studio, studio_page)
    put_cursor_after(studio_page, "url: https://www.example.org/story")
    studio_page.keyboard.type(" and more")

    wrong = studio_page.locator(".cm-problem.error")
    expect(wrong).to_contain_text("https://www.example.org/story and more")
    expect(studio_page.locator(".compose-count")).to_have_text("1 error")
    wrong.first.hover()
    expect(studio_page.locator(".cm-problem-tip")).to_contain_text("an address can't hold spaces")

    put_cursor_after(studio_page, "story and more")
    for _ in " and more":
        studio_page.keyboard.press("Backspace")
    expect(wrong).to_have_count(0)
    expect(studio_page.locator(".compose-count")).to_be_hidden()


def test_ctrl_s_saves_and_keeps_what_was_not_touched(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    before = path.read_text("utf-8")
    expect(studio_page.locator(".compose-state")).to_have_text("Saved")
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type(" and 🌊")
    expect(studio_page.locator(".compose-state")).to_have_text("Not saved")
    studio_page.keyboard.press("Control+s")
    expect(studio_page.locator(".compose-state")).to_have_text("Saved")
    assert path.read_text("utf-8") == before.replace("title: News", "title: News and 🌊")


def test_line_breaks_of_the_file_are_kept(studio: RunningStudio, studio_page: Page) -> None:
    path = issue_file(studio)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    open_issue(studio, studio_page)
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type("!")
    studio_page.keyboard.press("Control+s")
    until(lambda: path.read_bytes() == before.replace(b"title: News", b"title: News!"))


def test_block_types_fields_and_values_are_completed_from_the_schema(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    options = studio_page.locator(".cm-tooltip-autocomplete li")
    put_cursor_after(studio_page, "role: reader")
    studio_page.keyboard.type("\n")
    studio_page.keyboard.press("Control+Space")
    expect(options.filter(has_text=re.compile("^url"))).to_have_count(1)  # a quote has one
    expect(options.filter(has_text="headline")).to_have_count(0)  # and no headline
    studio_page.keyboard.press("Escape")
    studio_page.keyboard.press("Backspace")  # one step of indentation
    studio_page.keyboard.type("- type: st")
    expect(options.first).to_contain_text("story")
    studio_page.wait_for_timeout(120)  # a list that has only just opened doesn't take Enter
    studio_page.keyboard.press("Enter")
    studio_page.keyboard.type("\nima")
    expect(options.filter(has_text="image_position")).to_have_count(1)
    studio_page.keyboard.type("ge_position: ri")
    expect(options.first).to_have_text("right")
    studio_page.wait_for_timeout(120)
    studio_page.keyboard.press("Enter")
    assert text_of(studio_page).rstrip().endswith("- type: story\n    image_position: right")


PLACES = [
    ("su", "subject", "headline"),
    ("subject: x\ntheme: ", "digest", "ltr"),
    ("dir: ", "rtl", "digest"),
    ("blocks:\n  - ", "type: story", "subject"),
    ("blocks:\n- type: q", "quote", "type: quote"),
    ("blocks:\n  - type: quote\n    role: x\n  - type: s", "story", "role"),
    ("blocks:\n  - type: story\n    headline: x\n    ", "image_position", "headline"),
    ("blocks:\n  - type: story\n    image:\n      ", "src", "headline"),
    ("blocks:\n  - type: links\n    items:\n      - label: a\n        url: b\n      - ", "label", "title"),
    ("blocks:\n  - type: links\n    items:\n    - label: a\n    ti", "title", "url"),
    ("blocks:\n  - type: columns\n    columns:\n      - blocks:\n          - type: t", "text", "hero"),
    ("blocks:\n  - type: social\n    items:\n      - network: ", "mastodon", "url"),
    ("subject: Dear {{ sub", "subscriber.first_name", "subject"),
]


def test_completion_knows_where_it_is(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    for text, offered, not_offered in PLACES:
        options = studio_page.evaluate(
            """async (text) => {
              const {completionsAt} = await import("/static/completion.js"), lines = text.split("\\n"), editor = Studio.editor;
              const found = completionsAt(lines, lines.length - 1, lines.at(-1).length, editor.schema, editor.choices);
              return found.options.map((each) => each.label);
            }""",
            text,
        )
        assert offered in options, text
        assert not_offered not in options, text


def test_a_save_from_another_editor_shows_at_once(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    path.write_text(path.read_text("utf-8").replace("title: News", "title: From outside"), "utf-8")
    expect(studio_page.locator(".cm-content")).to_contain_text("From outside")
    expect(studio_page.locator(".compose-state")).to_have_text("Saved")


def test_saving_over_a_file_that_changed_is_refused_and_shows_the_difference(
    studio: RunningStudio, studio_page: Page
) -> None:
    path = open_issue(studio, studio_page)
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type(" of mine")
    expect(studio_page.locator(".compose-state")).to_have_text("Not saved")
    theirs = path.read_text("utf-8").replace("title: News", "title: News of theirs")
    path.write_text(theirs, "utf-8")
    expect(studio_page.get_by_role("alert")).to_contain_text("changed by something else")
    assert "title: News of mine" in text_of(studio_page)

    put_cursor_after(studio_page, "of mine")
    studio_page.keyboard.press("Control+s")
    dialog = studio_page.get_by_role("dialog")
    expect(dialog.locator(".mine")).to_contain_text("title: News of mine")
    expect(dialog.locator(".theirs")).to_contain_text("title: News of theirs")
    assert path.read_text("utf-8") == theirs

    dialog.get_by_role("button", name="Save mine over it").click()
    until(lambda: path.read_text("utf-8") == theirs.replace("of theirs", "of mine"))


def test_what_was_typed_survives_the_server_being_killed(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    before = path.read_text("utf-8")
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type(" that nobody")
    studio.stop(signal.SIGKILL)
    studio_page.keyboard.type(" may lose")
    assert path.read_text("utf-8") == before

    studio.start()
    studio_page.goto(studio.url(f"/issue/{path.stem}"))
    expect(studio_page.locator(".cm-content")).to_contain_text("News that nobody may lose")
    expect(studio_page.locator(".compose-state")).to_have_text("Not saved")
    studio_page.keyboard.press("Control+s")
    until(lambda: "News that nobody may lose" in path.read_text("utf-8"))


def test_two_tabs_on_two_issues_do_not_meet(studio: RunningStudio, studio_page: Page) -> None:
    first = open_issue(studio, studio_page)
    second = first.with_name("2026-01-02-other.yaml")
    second.write_text(first.read_text("utf-8").replace("slug: hello", "slug: other"), "utf-8")
    other = studio_page.context.new_page()
    other.goto(studio.url(f"/issue/{second.stem}"))
    other.wait_for_function("window.Studio?.editor")
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type(" in one")
    put_cursor_after(other, "title: News")
    other.keyboard.type(" in two")
    studio_page.bring_to_front()
    put_cursor_after(studio_page, "in one")
    studio_page.keyboard.press("Control+s")
    until(lambda: "News in one" in first.read_text("utf-8"))
    assert "News in" not in second.read_text("utf-8")
    other.bring_to_front()
    put_cursor_after(other, "in two")
    other.keyboard.press("Control+s")
    until(lambda: "News in two" in second.read_text("utf-8"))
    assert "in two" not in first.read_text("utf-8")


def test_leaving_for_another_page_of_the_issue_saves_first(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    put_cursor_after(studio_page, "title: News")
    studio_page.keyboard.type(" kept")
    expect(studio_page.locator(".compose-state")).to_have_text("Not saved")
    studio_page.get_by_role("link", name="Checks").click()
    until(lambda: "News kept" in path.read_text("utf-8"))


def test_a_file_that_is_not_text_says_so(studio: RunningStudio, studio_page: Page) -> None:
    (studio.root / "issues" / "2026-01-01-odd.yaml").write_bytes(b"subject: caf\xe9\n")
    studio_page.goto(studio.url("/issue/2026-01-01-odd"))
    expect(studio_page.get_by_text("this is not UTF-8 text")).to_be_visible()
    studio_page.goto(studio.url("/issue/nothing"))
    expect(studio_page.get_by_text("can't be read")).to_be_visible()
