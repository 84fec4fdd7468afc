"""The form: an issue is written without a line of YAML, and what is typed in either place shows in the other."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest
from controls import choose, enter
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from running_studio import RunningStudio, until

from newsletter.source import parse_source

pytestmark = pytest.mark.browser

ISSUE = """\
subject: Tides  # short
preheader: What the sea does, and what people do about it
blocks:
  - type: story
    headline: "The wall is open"   # the lead
    url: https://www.example.org/wall
    body: |
      A paragraph.

      Another.
  - type: headlines
    items:
      - Bare
      # the next one is linked
      - {headline: Linked, url: "https://www.example.org/linked"}
  - type: divider
"""


@pytest.fixture
def studio(shared_studio: RunningStudio) -> RunningStudio:
    return shared_studio


def open_issue(studio: RunningStudio, page: Page, text: str | None = ISSUE, mode: str = "both") -> Path:
    """An issue with the form beside its text."""
    path = studio.root / "issues" / "2026-05-01-tides.yaml"
    if text is not None:
        path.write_text(text, "utf-8")
    page.set_viewport_size({"width": 1700, "height": 900})
    page.goto(studio.url("/static/icon.svg"))
    page.evaluate("(mode) => localStorage.setItem('newsletter-compose-mode', mode)", mode)
    page.goto(studio.url(f"/issue/{path.stem}"))
    page.wait_for_function("window.Studio?.editor")
    expect(form(page).get_by_role("heading", name="Issue")).to_be_visible()
    return path


def form(page: Page) -> Locator:
    return page.get_by_label("Form", exact=True).locator(".form")


def field(page: Page, name: str) -> Locator:
    """What is typed into, by its label."""
    return form(page).get_by_role("textbox", name=name, exact=True)


def go_to_block(page: Page, number: int, kind: str) -> None:
    page.locator(".outline-row .outline-go").nth(number).click()
    expect(form(page).get_by_role("heading", name=kind)).to_be_visible()


def text_of(page: Page) -> str:
    return str(page.evaluate("Studio.editor.text()"))


def wait_for_text(page: Page, expected: str) -> None:
    page.wait_for_function("(expected) => Studio.editor.text() === expected", arg=expected)


def data_of(page: Page) -> dict[str, object]:
    source, problems = parse_source(text_of(page), "issue.yaml")
    assert source is not None, problems
    data = source.data
    assert isinstance(data, dict)
    return data


def photo(size: tuple[int, int] = (1600, 900)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "JPEG")
    return buffer.getvalue()


def test_typing_in_a_field_changes_that_value_alone(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    headline = field(studio_page, "Headline")
    expect(headline).to_have_value("The wall is open")
    headline.press("End")
    headline.press_sequentially(': it held, "so far"', delay=25)
    wait_for_text(studio_page, ISSUE.replace('"The wall is open"', r'"The wall is open: it held, \"so far\""'))
    expect(headline).to_be_focused()
    expect(headline).to_have_value('The wall is open: it held, "so far"')
    expect(studio_page.locator(".outline-title").nth(1)).to_have_text('The wall is open: it held, "so far"')


def test_a_field_that_is_typed_in_keeps_its_cursor(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    body = field(studio_page, "Text")
    body.press("Control+Home")
    for letter in "One. ":
        body.press_sequentially(letter)
        studio_page.wait_for_timeout(250)
    until(lambda: "      One. A paragraph.\n\n      Another.\n" in text_of(studio_page))
    studio_page.wait_for_timeout(600)
    assert body.evaluate("(area) => area.selectionStart") == 5
    body.press("Control+End")
    body.press("Enter")
    body.press_sequentially("- a list")
    until(lambda: "      Another.\n      - a list\n  - type: headlines" in text_of(studio_page))


def test_typing_in_the_text_changes_the_form(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    studio_page.evaluate("Studio.editor.goTo(6, 999, true)")
    studio_page.keyboard.type("s")
    expect(field(studio_page, "Link")).to_have_value("https://www.example.org/walls")
    studio_page.evaluate("Studio.editor.goTo(1, 999, true)")
    expect(form(studio_page).get_by_role("heading", name="Issue")).to_be_visible()
    expect(field(studio_page, "Subject")).to_have_value("Tides")


def test_emptying_a_field_takes_its_key_out(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    enter(field(studio_page, "Link"), "")
    wait_for_text(studio_page, ISSUE.replace("    url: https://www.example.org/wall\n", ""))
    enter(field(studio_page, "Headline"), "")
    expect(form(studio_page).locator(".form-field", has_text="Headline").locator(".form-problems")).to_contain_text(
        "There is nothing here"
    )
    enter(field(studio_page, "Headline"), "Back")
    until(lambda: '    headline: "Back"   # the lead' in text_of(studio_page))
    expect(form(studio_page).locator(".form-problems")).to_have_count(0)


def test_problems_are_shown_at_their_field(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page, ISSUE.replace("https://www.example.org/linked", "linked"))
    go_to_block(studio_page, 1, "Headlines")
    wrong = form(studio_page).locator(".form-field:has(> .form-problems)").last
    expect(wrong.get_by_role("textbox", name="Link")).to_have_attribute("aria-invalid", "true")
    expect(wrong.locator(".form-problems")).to_contain_text("This is not a full address")


def test_lists_are_added_to_moved_and_cut(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 1, "Headlines")
    form(studio_page).get_by_role("button", name="Move down: Bare").click()
    until(lambda: text_of(studio_page).index("Linked") < text_of(studio_page).index("- Bare"))
    assert "# the next one is linked" in text_of(studio_page)
    form(studio_page).get_by_role("button", name="Add headline").click()
    first = form(studio_page).locator(".form-entry").nth(2).get_by_role("textbox", name="Headline")
    expect(first).to_be_focused()
    studio_page.keyboard.type("Typed over")
    until(lambda: "Typed over" in text_of(studio_page))
    bare = form(studio_page).locator(".form-entry").nth(1)
    enter(bare.get_by_role("textbox", name="Link"), "https://www.example.org/bare")
    until(lambda: "https://www.example.org/bare" in text_of(studio_page))
    form(studio_page).get_by_role("button", name="Remove Linked").click()
    until(lambda: "Linked" not in text_of(studio_page))
    blocks = data_of(studio_page)["blocks"]
    assert isinstance(blocks, list)
    assert blocks[1]["items"] == [
        {"headline": "Bare", "url": "https://www.example.org/bare"},
        {"headline": "Typed over", "url": "https://www.example.org/another"},
    ]
    expect(form(studio_page).locator(".form-entry")).to_have_count(2)


def test_markdown_has_buttons_and_keys(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    body = field(studio_page, "Text")
    body.evaluate("(area) => { area.focus(); area.setSelectionRange(2, 11); }")
    body.press("Control+b")
    expect(body).to_have_value("A **paragraph**.\n\nAnother.")
    body.press("Control+b")
    expect(body).to_have_value("A paragraph.\n\nAnother.")
    form(studio_page).get_by_role("button", name="Link", exact=True).click()
    studio_page.keyboard.type("https://www.example.org/more")
    expect(body).to_have_value("A [paragraph](https://www.example.org/more).\n\nAnother.")
    body.press("Control+End")
    form(studio_page).get_by_role("button", name="List", exact=True).click()
    expect(body).to_have_value("A [paragraph](https://www.example.org/more).\n\n- Another.")
    form(studio_page).get_by_role("button", name="Insert a personal part into Text").click()
    studio_page.get_by_role("menuitem", name="First name").click()
    written = 'A [paragraph](https://www.example.org/more).\n\n- Another.{{ subscriber.first_name or "friend" }}\n'
    expect(body).to_be_focused()
    until(lambda: data_of(studio_page)["blocks"][0]["body"] == written)
    studio_page.keyboard.press("Control+z")
    expect(body).to_have_value("A [paragraph](https://www.example.org/more).\n\n- Another.")
    for key in ("Escape", "Tab"):
        form(studio_page).get_by_role("button", name="Insert a personal part into Text").click()
        expect(studio_page.get_by_role("menuitem", name="First name")).to_be_focused()
        studio_page.keyboard.press(key)
        expect(studio_page.get_by_role("menu")).to_have_count(0)
        expect(body).to_be_focused()


def test_a_picture_is_brought_in(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    form(studio_page).get_by_label("Picture file").set_input_files(
        {"name": "The wall.JPG", "mimeType": "image/jpeg", "buffer": photo()}
    )
    alt = field(studio_page, "Description of the picture")
    expect(alt).to_be_focused()
    studio_page.keyboard.type("A wall of clay with a gap in it")
    until(lambda: 'alt: "A wall of clay with a gap in it"' in text_of(studio_page))
    stored = path.parent / "images" / "the-wall.jpg"
    with Image.open(stored) as picture:
        assert picture.size == (1280, 720)
    expect(form(studio_page).locator(".form-thumbnail img")).to_have_js_property("naturalWidth", 320)
    expect(studio_page.locator(".compose-count")).to_be_hidden()

    form(studio_page).get_by_label("Picture file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"}
    )
    expect(form(studio_page).get_by_role("alert")).to_have_text("notes.txt isn't a JPEG, PNG, GIF or WebP picture")
    form(studio_page).get_by_role("button", name="Remove Picture").click()
    wait_for_text(studio_page, ISSUE)


def test_a_picture_is_dropped_and_chosen_from_the_workspace(studio: RunningStudio, studio_page: Page) -> None:
    Image.new("RGB", (300, 200), "teal").save(studio.root / "harbour.png")
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    studio_page.evaluate(
        """async (bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
          document.querySelector(".form .picture-drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }""",
        list(photo((40, 30))),
    )
    until(lambda: "src: images/dropped.jpg" in text_of(studio_page))
    form(studio_page).get_by_role("button", name="Another picture from the workspace").click()
    dialog = studio_page.get_by_role("dialog", name="Which picture?")
    dialog.get_by_role("button", name="harbour.png").click()
    until(lambda: "src: harbour.png" in text_of(studio_page))


def test_a_fault_in_the_text_puts_the_form_aside(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    studio_page.evaluate("Studio.editor.goTo(2, 12, true)")
    studio_page.keyboard.type('"')
    expect(form(studio_page).get_by_role("status")).to_contain_text("The text has a fault in line")
    expect(form(studio_page).locator(".form-body")).to_have_js_property("inert", True)
    studio_page.keyboard.press("Backspace")
    expect(form(studio_page).get_by_role("status")).to_have_count(0)
    expect(form(studio_page).locator(".form-body")).to_have_js_property("inert", False)


def test_what_has_no_field_is_shown_as_text(studio: RunningStudio, studio_page: Page) -> None:
    text = ISSUE.replace("    url: https://www.example.org/wall\n", "    url: [one, two]\n")
    open_issue(studio, studio_page, text)
    go_to_block(studio_page, 0, "Story")
    expect(form(studio_page).locator(".form-raw")).to_contain_text("edit the text itself")
    expect(form(studio_page).locator(".form-raw pre")).to_contain_text("one")


def test_saving_at_once_saves_what_was_typed(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    headline = field(studio_page, "Headline")
    enter(headline, "Typed and saved")
    headline.press("Control+s")
    until(lambda: '"Typed and saved"' in path.read_text("utf-8"))


def test_what_was_typed_when_the_server_was_killed_is_not_lost(studio: RunningStudio, studio_page: Page) -> None:
    open_issue(studio, studio_page)
    go_to_block(studio_page, 0, "Story")
    studio.stop(signal.SIGKILL)
    field(studio_page, "Headline").press("End")
    field(studio_page, "Headline").press_sequentially(", and stays so")
    studio_page.wait_for_timeout(400)
    studio.start()
    studio_page.goto(studio.url("/issue/2026-05-01-tides"))
    studio_page.wait_for_function("window.Studio?.editor")
    until(lambda: '"The wall is open, and stays so"   # the lead' in text_of(studio_page))
    expect(studio_page.get_by_text("What you had typed into the form is back")).to_be_visible()
    expect(studio_page.locator(".compose-state")).to_have_text("Not saved")
    studio_page.keyboard.press("Control+s")
    expect(studio_page.locator(".compose-state")).to_have_text("Saved")
    studio_page.reload()
    studio_page.wait_for_timeout(2500)
    expect(studio_page.locator(".compose-state")).to_have_text("Saved")
    expect(studio_page.get_by_text("What you had typed into the form is back")).to_have_count(0)


def test_an_issue_is_written_from_nothing_by_the_form_alone(studio: RunningStudio, studio_page: Page) -> None:
    path = open_issue(studio, studio_page, "subject: New\nblocks: []\n", mode="form")
    here = form(studio_page)
    enter(field(studio_page, "Subject"), "Spring tides")
    enter(field(studio_page, "Preheader"), "The wall is open, and the terns stayed: what spring does to the coast")
    enter(here.get_by_label("Date", exact=True), "2026-05-01")
    choose(studio_page, "Theme", "letter")
    here.get_by_role("button", name="Add tag").click()
    studio_page.keyboard.type("spring")

    for kind in ("Text", "Story", "Button"):
        studio_page.get_by_role("button", name="Add block").click()
        enter(studio_page.get_by_role("combobox", name="Find a kind of block"), kind)
        studio_page.keyboard.press("Enter")
        expect(here.get_by_role("heading", name=kind, exact=True)).to_be_visible()
        if kind == "Text":
            enter(field(studio_page, "Text"), 'Dear {{ subscriber.first_name or "friend" }},\n\nthe sea is back.')
        elif kind == "Story":
            enter(field(studio_page, "Headline"), "The wall is open")
            here.get_by_label("Picture file").set_input_files(
                {"name": "wall.jpg", "mimeType": "image/jpeg", "buffer": photo()}
            )
            enter(field(studio_page, "Description of the picture"), "A gap in a wall")
            here.get_by_role("button", name="Where the picture stands").click()
            enter(field(studio_page, "Byline"), "By Ada Example")
        else:
            enter(field(studio_page, "Words"), "Come along")
            enter(field(studio_page, "Link"), "https://www.example.org/walk")
    expect(studio_page.locator(".compose-count")).to_be_hidden()
    field(studio_page, "Words").press("Control+s")
    until(lambda: "https://www.example.org/walk" in path.read_text("utf-8"))
    source, _ = parse_source(path.read_text("utf-8"), path.name)
    assert source is not None
    assert source.data == {
        "subject": "Spring tides",
        "preheader": "The wall is open, and the terns stayed: what spring does to the coast",
        "date": "2026-05-01",
        "theme": "letter",
        "tags": ["spring"],
        "blocks": [
            {"type": "text", "body": 'Dear {{ subscriber.first_name or "friend" }},\n\nthe sea is back.\n'},
            {
                "type": "story",
                "headline": "The wall is open",
                "url": "https://www.example.org/story",
                "body": "One to three paragraphs: what happened, and why it matters to the reader.\n",
                "label": "Read the story",
                "image": {"src": "images/wall.jpg", "alt": "A gap in a wall"},
                "byline": "By Ada Example",
            },
            {"type": "button", "label": "Come along", "url": "https://www.example.org/walk"},
        ],
    }
