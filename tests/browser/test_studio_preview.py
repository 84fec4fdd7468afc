"""The preview beside the text, in a real browser: what it shows, how it follows, and what it keeps out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from controls import enter
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect
from running_studio import RunningStudio

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.check.rendering import TRACKED_LINK
from newsletter.issue import fill
from newsletter.personalise import sample_values
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.studio.preview.block_places import reached
from newsletter.studio.preview.patched import changed_middle
from newsletter.subscriber import Subscriber, sample_subscriber
from newsletter.workspace import Edition, Workspace

pytestmark = pytest.mark.browser

ISSUE = """\
subject: Spring tides for {{ subscriber.first_name or "you" }}
preheader: Forty-one nests
slug: tides
theme: digest
blocks:
  - type: hero
    headline: The wall is open
    url: https://www.example.org/wall
    image: {src: sea.png, alt: The sea at dusk}
  - type: story
    headline: Terns on the shingle
    url: https://www.example.org/terns
    body: Hello {{ subscriber.first_name or "you" }}, they are back.
  - type: text
    when: subscriber.region == "north"
    body: Only the north reads this.
  - type: text
    body: The last words.
"""

Shown = Callable[..., Page]


@pytest.fixture
def shown(studio: RunningStudio, studio_page: Page) -> Shown:
    """Opens the Compose page of an issue with this text."""

    def open_issue(text: str = ISSUE) -> Page:
        Image.new("RGB", (1200, 600), "#336699").save(studio.root / "issues" / "sea.png")
        (studio.root / "issues" / "tides.yaml").write_text(text, "utf-8")
        studio_page.goto(studio.url("/issue/tides"))
        studio_page.wait_for_function("window.Studio && Studio.editor")
        return studio_page

    return open_issue


def email(page: Page) -> FrameLocator:
    return page.frame_locator(".preview-sheet iframe")


def heading(page: Page, words: str) -> Locator:
    return email(page).get_by_role("heading", name=words)


def write(page: Page, old: str, new: str) -> None:
    """Change the text in the editor as a key does."""
    page.evaluate("(edit) => Studio.editor.replace(Studio.editor.text().replace(...edit), true)", [old, new])


def in_frame(page: Page, script: str) -> object:
    frame = page.locator(".preview-sheet iframe").first
    return frame.evaluate(f"(frame) => {{ const page = frame.contentDocument, view = frame.contentWindow; {script} }}")


def cursor_line(page: Page) -> object:
    return page.evaluate("Studio.editor.view.state.doc.lineAt(Studio.editor.view.state.selection.main.head).number")


def line_of(words: str) -> int:
    return next(number for number, line in enumerate(ISSUE.split("\n"), 1) if words in line)


def wait_for_places(page: Page) -> None:
    """Until it is known where the blocks came out: the block under the cursor is outlined then."""
    page.evaluate("Studio.editor.goTo(8, 1, false)")
    email(page).locator("studio-outline").wait_for(state="attached")


def test_what_is_typed_appears_and_nothing_else_is_touched(shown: Shown) -> None:
    page = shown(ISSUE + "".join(f"  - {{type: text, body: Filler {number}}}\n" for number in range(60)))
    heading(page, "The wall is open").wait_for()
    in_frame(page, "page.images[0].kept = true; view.scrollTo(0, 300);")
    revision = page.evaluate("Studio.painted.revision")
    write(page, "they are back", "they are back, 41 of them")
    expect(email(page).get_by_text("41 of them")).to_be_visible()
    assert in_frame(page, "return [page.images[0].kept === true, view.scrollY];") == [True, 300]
    page.wait_for_function("(before) => Studio.painted.revision > before", arg=revision)
    write(page, "  - type: story", "  - {type: text, body: Put between}\n  - type: story")
    expect(email(page).get_by_text("Put between")).to_be_visible()
    write(page, "  - {type: text, body: Put between}\n", "")
    expect(email(page).get_by_text("Put between")).to_have_count(0)
    assert in_frame(page, "return page.images[0].kept === true;")
    # Updated in place or read anew, it is the same page.
    shapes = []
    for again in (False, True):
        if again:
            page.reload()
        heading(page, "Terns on the shingle").wait_for()
        expect(email(page).get_by_text("Filler 59")).to_be_attached()
        shapes.append(in_frame(page, "return page.head.innerHTML + page.body.outerHTML;"))
        page.evaluate("Studio.editor.$emit('save')")
        page.get_by_text("Saved", exact=True).wait_for()
    assert shapes[0] == shapes[1]


CHANGES = [
    ("they are back", "they are **back**"),
    ("they are **back**", "they are <b>back</b> & *here* 🌊"),
    ("Terns on the shingle", "Terns"),
    ("The sea at dusk", 'The "sea" <at> dusk'),
    ("src: sea.png", "src: https://img.example.org/sea.png"),
    ("url: https://www.example.org/wall", "url: https://www.example.org/wall?a=1&b=2"),
    ("The last words.", "|\n      - The last\n      - words\n\n      and more"),
    ("- type: hero", "- {type: header}\n  - type: hero"),
    ("  - type: story\n", "  - {type: quote, text: Between}\n  - type: story\n"),
    ("theme: digest", "theme: letter"),
    ("  - {type: quote, text: Between}\n", ""),
    ("The wall is open", "The wall is shut"),
    ("Spring tides", "Neap tides"),
]


def test_what_is_patched_is_what_is_parsed(studio: RunningStudio, shown: Shown) -> None:
    """Each of these changes, made to what is shown, gives the elements that the new HTML gives when it is read whole."""
    page = shown()
    text, versions = ISSUE, []
    path, workspace = studio.root / "issues" / "tides.yaml", Workspace.open(studio.root)
    for old, new in (("", ""), *CHANGES):
        assert old in text
        text = text.replace(old, new, 1)
        rendered = Edition.of_text(workspace, path, text).render("1")
        versions.append(fill(rendered.html, sample_values(rendered, sample_subscriber())))
    patches = [changed_middle(old, new) for old, new in pairwise(versions)]
    done = page.evaluate(
        """async ({versions, patches}) => {
          const {morph, morphRow, parsed} = await import("/static/preview_document.js");
          const answers = [];
          for (const view of [{scheme: "light", images: true}, {scheme: "dark", images: false}]) {
            const shown = parsed(versions[0], view).page;
            for (const [number, [start, end]] of patches.entries()) {
              const [old, fresh] = [versions[number], versions[number + 1]];
              const whole = parsed(fresh, view);
              const more = morphRow(shown.body, old, fresh, start, end, view, () => {});
              if (more === null) { morph(shown.head, whole.page.head, () => {}); morph(shown.body, parsed(fresh, view).page.body, () => {}); }
              const remote = whole.remote - parsed(old, view).remote;
              answers.push([more !== null, shown.body.isEqualNode(whole.page.body), more === null || more === remote]);
            }
          }
          return answers;
        }""",
        {"versions": versions, "patches": patches},
    )
    assert [answer[1:] for answer in done] == [[True, True]] * (2 * len(CHANGES))
    assert [answer[0] for answer in done[:7]] == [True] * 7  # what is typed in a block takes the short way


def test_widths_by_button_pointer_and_keyboard(shown: Shown) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    assert in_frame(page, "return view.innerWidth;") == 600  # the pane is narrower: it is scaled, not squeezed
    page.get_by_role("button", name="Phone").click()
    page.wait_for_function("document.querySelector('.preview-sheet iframe').contentWindow.innerWidth === 375")
    grip = page.get_by_role("slider", name="Width of the email")
    assert grip.get_attribute("aria-valuenow") == "375"
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] - 12, box["y"] + 200, steps=3)
    page.mouse.up()
    assert in_frame(page, "return view.innerWidth;") == 335  # both edges move
    expect(page.get_by_role("button", name="Phone")).to_have_attribute("aria-pressed", "false")
    grip.press("ArrowRight")
    grip.press("PageUp")
    assert in_frame(page, "return view.innerWidth;") == 395
    expect(page.locator(".preview-width")).to_have_text("395 px")
    page.get_by_role("button", name="Desktop").click()
    page.wait_for_function("document.querySelector('.preview-sheet iframe').contentWindow.innerWidth === 600")


@pytest.mark.parametrize("machine", ["light", "dark"])
def test_schemes_are_those_of_mail_clients_whatever_the_machines_is(shown: Shown, machine: str) -> None:
    page = shown()
    page.emulate_media(color_scheme="dark" if machine == "dark" else "light")
    heading(page, "The wall is open").wait_for()
    ground = "return view.getComputedStyle(page.body).backgroundColor;"

    def luminance() -> float:
        numbers = [int(number) for number in re.findall(r"\d+", str(in_frame(page, ground)))[:3]]
        return sum(numbers) / 765

    assert luminance() > 0.8
    light = in_frame(page, ground)
    page.get_by_role("button", name="Dark", exact=True).click()
    page.wait_for_function(
        "(light) => { const page = document.querySelector('.preview-sheet iframe').contentDocument;"
        " return getComputedStyle(page.body).backgroundColor !== light; }",
        arg=light,
    )
    assert luminance() < 0.2
    page.get_by_role("button", name="Inverted").click()
    page.wait_for_function(
        "document.querySelector('.preview-sheet iframe').contentDocument.documentElement.matches('[data-studio-inverted]')"
    )
    assert luminance() > 0.8  # the email's own colours are the light ones, turned round on the screen
    assert "invert" in str(in_frame(page, "return view.getComputedStyle(page.documentElement).filter;"))
    assert "invert" in str(in_frame(page, "return view.getComputedStyle(page.images[0]).filter;"))  # and back


def test_without_pictures_their_words_are_shown(shown: Shown) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    assert in_frame(page, "return page.images.length;") == 1
    page.get_by_role("button", name="Show pictures").click()
    alternative = email(page).get_by_role("img", name="The sea at dusk")
    expect(alternative).to_have_text("The sea at dusk")
    box = alternative.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["height"] > 100  # it takes the picture's room
    assert in_frame(page, "return page.images.length;") == 0
    page.get_by_role("button", name="Show pictures").click()
    expect(email(page).locator("img")).to_have_count(1)


def test_a_click_leads_to_the_block_and_the_cursor_to_its_output(shown: Shown) -> None:
    page = shown(ISSUE + "".join(f"  - {{type: text, body: Filler {number}}}\n" for number in range(40)))
    wait_for_places(page)
    for words, line in (("Hello Sam, they are back.", "type: story"), ("The last words.", "body: The last")):
        email(page).get_by_text(words).click()
        expected = line_of(line) - (1 if line.startswith("body") else 0)
        page.wait_for_function(
            "(line) => Studio.editor.view.state.doc.lineAt(Studio.editor.view.state.selection.main.head).number === line",
            arg=expected,
        )
    page.evaluate("Studio.editor.goTo(Studio.editor.view.state.doc.lines - 1, 1, true)")
    last = email(page).get_by_text("Filler 39")
    expect(last).to_be_in_viewport()
    page.wait_for_function(
        """() => {
          const page = document.querySelector('.preview-sheet iframe').contentDocument;
          const words = [...page.querySelectorAll('p')].find((each) => each.textContent === 'Filler 39');
          const [around, inside] = [page.querySelector('studio-outline'), words].map((each) => each?.getBoundingClientRect());
          return around && around.top <= inside.top && around.bottom >= inside.bottom && around.height < 120;
        }"""
    )


def test_a_block_that_this_reader_does_not_get_is_told_of(shown: Shown) -> None:
    page = shown()
    wait_for_places(page)
    page.evaluate("(line) => Studio.editor.goTo(line, 1, false)", line_of("Only the north"))
    expect(page.locator(".preview-status")).to_have_text("The block you are at isn’t shown to this reader")
    expect(email(page).locator("studio-outline")).to_have_count(0)


def test_links_lead_nowhere_and_say_where_they_would(shown: Shown) -> None:
    page = shown()
    wait_for_places(page)
    link = email(page).get_by_role("link", name="Terns on the shingle")
    link.hover()
    expect(page.locator(".preview-status")).to_have_text("https://www.example.org/terns")
    link.click()
    expect(page.locator(".preview-status")).to_contain_text("https://www.example.org/terns (links")
    link.focus()
    page.keyboard.press("Enter")
    link.click(button="middle")
    link.click(modifiers=["Control"])
    expect(heading(page, "The wall is open")).to_be_visible()
    assert in_frame(page, "return view.location.href;") == "about:srcdoc"
    assert len(page.context.pages) == 1
    email(page).get_by_text("The Example Letter").first.click()
    expect(page.locator(".preview-status")).not_to_have_text(re.compile("^Click a part"))


def test_a_fault_leaves_the_last_good_preview_and_leads_to_its_line(shown: Shown) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    write(page, "headline: Terns on the shingle", "haedline: Terns on the shingle")
    banner = page.locator(".preview-fault")
    expect(banner).to_contain_text("This is how it was before the fault: line ")
    expect(heading(page, "Terns on the shingle")).to_be_visible()
    assert page.locator(".preview-old").count() == 1
    banner.get_by_role("button", name="Go there").click()
    page.wait_for_function(
        "Math.abs(Studio.editor.view.state.doc.lineAt(Studio.editor.view.state.selection.main.head).number - 11) <= 1"
    )
    write(page, "haedline", "headline")
    expect(banner).to_be_empty()
    assert page.locator(".preview-old").count() == 0


def test_an_issue_that_cannot_be_shown_at_first_says_so(shown: Shown) -> None:
    page = shown(ISSUE.replace("blocks:", "blokcs:"))
    expect(page.locator(".preview-fault")).to_contain_text("It can't be shown yet: line ")
    write(page, "blokcs:", "blocks:")
    heading(page, "The wall is open").wait_for()
    expect(page.locator(".preview-fault")).to_be_empty()


def test_no_script_of_an_email_runs(studio: RunningStudio, shown: Shown) -> None:
    """An author can't write one; a theme's template could."""
    folder = studio.root / "templates" / "digest"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.mjml").write_text(
        '<tr><td onclick="parent.ran = 1; window.ran = 1" class="row">{{ markdown(block.body) }}'
        '<img src="/images/none.png" onerror="parent.ran = 2" alt="" />'
        '<a href="javascript:parent.ran = 3">run</a></td></tr>'
    )
    page = shown()
    heading(page, "The wall is open").wait_for()
    email(page).get_by_text("The last words.").click()
    email(page).get_by_text("run", exact=True).last.click()
    in_frame(page, "page.querySelector('[onclick]').click();")
    # Neither by what the email holds nor when something gets into the frame's document.
    in_frame(
        page,
        "const script = page.createElement('script'); script.textContent = 'parent.ran = 4'; page.body.append(script);",
    )
    page.wait_for_timeout(300)
    assert page.evaluate("[window.ran, document.querySelector('.preview-sheet iframe').contentWindow.ran]") == [
        None,
        None,
    ]
    assert in_frame(page, "return view.location.href;") == "about:srcdoc"


def test_pictures_from_the_web_are_not_fetched(shown: Shown) -> None:
    """That nothing is asked for outside is checked after each of these tests."""
    page = shown(ISSUE.replace("src: sea.png", "src: https://img.example.org/sea.png"))
    expect(email(page).get_by_role("img", name="The sea at dusk")).to_have_text("The sea at dusk")
    note = page.get_by_text("Pictures from the web aren’t loaded here.")
    expect(note).to_be_visible()
    page.get_by_role("button", name="Close this note").click()
    write(page, "The last words.", "The very last words.")
    expect(email(page).get_by_text("The very last words.")).to_be_visible()
    expect(note).to_have_count(0)  # said once


def people(root: Path, more: int = 0) -> None:
    """Three people on a list, and `more` besides."""
    now = datetime.now(UTC)
    with Workspace.open(root).open_store() as store, store.write() as connection:
        make_list(connection, "main", now=now)
        added = add_subscribers(
            connection,
            [
                Subscriber(0, "ana@example.org", "Ana Brandt", {"region": "north"}),
                Subscriber(0, "ben@example.org", "Ben Calder", {"region": "south"}),
                Subscriber(0, "cleo@example.org", "Cleo Vance", {"region": "south"}),
                *(Subscriber(0, f"p{number}@example.org", "", {"region": "west"}) for number in range(more)),
            ],
            now=now,
        )
        join_list(connection, "main", [person.id for person in added], source="test", now=now)


def test_as_a_subscriber_and_as_a_variant(studio: RunningStudio, shown: Shown) -> None:
    people(studio.root)
    page = shown()
    expect(email(page).get_by_text("Hello Sam, they are back.")).to_be_visible()
    expect(email(page).get_by_text("Only the north")).to_have_count(0)
    page.get_by_role("button", name="Shown as").click()
    panel = page.get_by_role("dialog", name="Shown as")
    expect(panel).to_contain_text("Sam")
    panel.get_by_label("Show it as").click()
    enter(panel.get_by_label("Show it as"), "ana")
    page.get_by_role("option", name="Ana Brandt").click()
    expect(email(page).get_by_text("Hello Ana, they are back.")).to_be_visible()
    expect(email(page).get_by_text("Only the north")).to_be_visible()
    expect(panel).to_contain_text('subscriber.first_name or "you"')
    expect(panel).to_contain_text('Variant: subscriber.region == "north"')
    panel.get_by_label("Variant").click()
    page.get_by_role("option", name="no condition").click()
    expect(email(page).get_by_text("Only the north")).to_have_count(0)
    expect(email(page).get_by_text("Hello Ana, they are back.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Shown as Ana Brandt")).to_be_visible()


def test_variants_side_by_side_with_how_many_get_them(studio: RunningStudio, shown: Shown) -> None:
    people(studio.root)
    page = shown()
    page.get_by_role("tab", name="Side by side").click()
    variants = page.locator(".preview-variant")
    expect(variants).to_have_count(2)
    expect(variants.nth(0)).to_contain_text("no condition")
    expect(variants.nth(0)).to_contain_text("2")
    expect(variants.nth(1)).to_contain_text('subscriber.region == "north"')
    north = variants.nth(1).frame_locator("iframe")
    expect(north.get_by_text("Only the north reads this.")).to_be_attached()
    expect(variants.nth(0).frame_locator("iframe").get_by_text("The last words.")).to_be_attached()
    expect(variants.nth(0).frame_locator("iframe").get_by_text("Only the north")).to_have_count(0)
    write(page, "Only the north", "Nobody but the north")
    expect(north.get_by_text("Nobody but the north")).to_be_attached()


def test_a_key_typed_while_the_readers_are_counted_loses_nothing(studio: RunningStudio, shown: Shown) -> None:
    people(studio.root, more=8000)
    page = shown()
    expect(email(page).get_by_text("The last words.")).to_be_attached()
    page.get_by_role("tab", name="Side by side").click()
    write(page, "The last words", "The very last words")
    variants = page.locator(".preview-variant")
    expect(variants).to_have_count(2)
    expect(variants.nth(0).frame_locator("iframe").get_by_text("The very last words.")).to_be_attached()


def test_an_issue_without_conditions_says_that_all_get_the_same(shown: Shown) -> None:
    page = shown(ISSUE.replace('    when: subscriber.region == "north"\n', ""))
    page.get_by_role("tab", name="Side by side").click()
    expect(page.get_by_role("heading", name="Everybody gets the same")).to_be_visible()


def test_inbox_text_and_source(shown: Shown) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    page.get_by_role("tab", name="Inbox").click()
    phone = page.get_by_role("region", name="Gmail, on a phone")
    expect(phone).to_contain_text("Spring tides for Sam")
    expect(phone).to_contain_text("Forty-one nests")
    write(page, "Spring tides", "Spring tides, terns, eels and a wall that had stood too long")
    expect(page.get_by_text("On phones the subject is cut off")).to_be_visible()
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("region", name="Plain text")).to_contain_text("Hello Sam, they are back.")
    page.get_by_role("tab", name="HTML").click()
    source = page.get_by_role("region", name="HTML as it is sent")
    expect(source).to_contain_text("<!DOCTYPE html>")
    expect(source.locator("mark").first).to_have_text(re.compile("^zq"))
    before = (source.text_content() or "").split("\n")
    write(page, "they are back", "they came back")
    expect(source).to_contain_text("they came back")
    after = (source.text_content() or "").split("\n")
    assert len(after) == len(before)
    assert sum(line not in before for line in after if "zq" not in line) == 0  # tokens are other ones in another text


def test_tabs_are_walked_with_the_arrow_keys(shown: Shown) -> None:
    page = shown()
    page.get_by_role("tab", name="Preview").focus()
    for name in ("Inbox", "Text", "HTML", "Side by side", "Preview"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()


def test_nothing_is_sent_for_a_tab_that_is_not_shown(shown: Shown) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    page.get_by_role("tab", name="Inbox").click()
    write(page, "Spring tides for", "Neap tides for")
    expect(page.get_by_role("region", name="Gmail, on a phone")).to_contain_text("Neap tides for Sam")
    assert in_frame(page, "return page.title;") == "Spring tides for Sam"
    page.get_by_role("tab", name="Preview").click()
    page.wait_for_function(
        "document.querySelector('.preview-sheet iframe').contentDocument.title === 'Neap tides for Sam'"
    )


def test_where_gmail_cuts_is_shown(studio: RunningStudio, shown: Shown) -> None:
    page = shown()
    meter = page.locator(".preview-meter")
    expect(meter).to_contain_text("KB of 100 KB")
    expect(email(page).locator("studio-cut")).to_have_count(0)
    words = " ".join(f"word{number}" for number in range(120))
    write(
        page,
        "The last words.",
        "The last words.\n" + "".join(f"  - {{type: text, body: Part {n} {words}}}\n" for n in range(130)),
    )
    expect(meter).to_have_class(re.compile("bad"))
    cut = email(page).locator("studio-cut")
    cut.wait_for(state="attached")
    part = in_frame(
        page,
        """const line = page.querySelector('studio-cut').getBoundingClientRect().top;
        return [...page.querySelectorAll('p')].findLast((each) => each.getBoundingClientRect().top <= line).textContent;""",
    )
    workspace = Workspace.open(studio.root)
    html = (
        Edition.of_text(workspace, studio.root / "issues" / "tides.yaml", page.evaluate("Studio.editor.text()"))
        .render()
        .html
    )
    kept = html.encode()[: reached(html, GMAIL_CLIPS_AT, TRACKED_LINK if workspace.settings.tracking.clicks else 0)]
    assert str(part).split()[1] == re.findall(rb">Part (\d+) ", kept)[-1].decode()
    assert "Gmail cuts off here" in str(in_frame(page, "return page.querySelector('studio-cut').dataset.words;"))


def test_two_pages_of_one_issue_have_previews_of_their_own(
    studio: RunningStudio, shown: Shown, chromium: Browser
) -> None:
    page = shown()
    heading(page, "The wall is open").wait_for()
    other = page.context.new_page()
    other.goto(studio.url("/issue/tides"))
    heading(other, "The wall is open").wait_for()
    write(other, "The wall is open", "The wall is shut")
    heading(other, "The wall is shut").wait_for()
    expect(heading(page, "The wall is open")).to_be_visible()
    other.close()
