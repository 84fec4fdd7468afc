"""Where blocks come out in the HTML that is sent: found by a second compilation, which must have the same elements."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.render.document import Inputs
from newsletter.render.pipeline import compiled
from newsletter.render.places import _elements, _mark, block_places, clipped_at
from newsletter.studio.preview.block_places import Found, places_of, reached
from newsletter.studio.rendering import Request
from newsletter.subscriber import Subscriber
from newsletter.theme import theme_names
from newsletter.workspace import Edition, Workspace

REPOSITORY = Path(__file__).parent.parent.parent
ISSUES = sorted(REPOSITORY.glob("issues/*.yaml")) + sorted(REPOSITORY.glob("tests/golden/issues/*.yaml"))
THEMES = theme_names(None)

Make = Callable[[str], Edition]


def inputs_of(edition: Edition) -> Inputs:
    assert edition.issue is not None
    assert edition.theme is not None
    root = edition.workspace.root
    folders = (edition.path.parent, root)
    return Inputs(edition.issue, edition.slug, edition.workspace.settings, edition.theme, folders, root, edition.file)


def in_theme(path: Path, theme: str) -> Edition:
    text = re.sub(r"^theme: .*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    return Edition.of_text(Workspace.open(REPOSITORY), path, f"theme: {theme}\n{text}")


def words_at(html: str, path: tuple[int, ...]) -> str:
    return " ".join("".join(dict(_elements(html))[path].itertext()).split())


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", ISSUES, ids=lambda path: path.stem)
def test_marks_change_no_element_and_every_block_is_found(path: Path, theme: str) -> None:
    edition = in_theme(path, theme)
    inputs, rendered = inputs_of(edition), edition.render()
    shape = [(place, element.tag) for place, element in _elements(rendered.html)]
    assert [(place, element.tag) for place, element in _elements(compiled(inputs, None, _mark))] == shape

    places = block_places(inputs)
    assert [place for place, _ in places] == sorted({place for place, _ in places})
    assert edition.issue is not None
    assert [number for _, number in places if number is not None] == list(range(len(edition.issue.blocks)))
    assert "block-here" not in rendered.html


@pytest.mark.parametrize("theme", THEMES)
def test_a_place_is_where_the_words_of_the_block_are(edition: Make, theme: str) -> None:
    blocks = """
  - {type: text, body: First words}
  - {type: story, headline: Second words, url: https://example.org/a, body: x}
  - {type: button, label: Third words, url: https://example.org/b}
  - type: columns
    columns:
      - blocks: [{type: text, body: Fourth words}]
      - blocks: [{type: text, body: y}]
  - {type: html, html: "<table><tbody><tr><td>Fifth words</td></tr></tbody></table>"}
  - {type: hero, headline: Sixth words, url: https://example.org/c}
"""
    made = edition(f"theme: {theme}\nblocks:{blocks}")
    html = made.render().html
    places = {number: place for place, number in block_places(inputs_of(made))}
    for number, ordinal in enumerate(("First", "Second", "Third", "Fourth", "Fifth", "Sixth")):
        assert f"{ordinal} words" in words_at(html, places[number])
    assert "The Test Letter" in words_at(
        html, min(place for place, number in block_places(inputs_of(made)) if number is None)
    )


def test_what_a_variant_hides_has_no_place_and_the_rest_keep_their_numbers(edition: Make) -> None:
    made = edition(
        'blocks:\n  - {type: text, body: One}\n  - {type: text, body: Two, when: subscriber.region == "north"}\n'
        "  - {type: text, body: Three}\n"
    )
    assert [number for _, number in block_places(inputs_of(made), "0") if number is not None] == [0, 2]
    shown = places_of(Request(made.workspace.root, made.path, person=Subscriber(1, "a@example.org")))
    assert [number for _, number in shown.blocks if number is not None] == [0, 2]
    north = Subscriber(1, "a@example.org", attributes={"region": "north"})
    shown = places_of(Request(made.workspace.root, made.path, person=north))
    assert [number for _, number in shown.blocks if number is not None] == [0, 1, 2]


@pytest.mark.parametrize(
    ("fragment", "marked"),
    [
        ("<tr><td>x</td></tr>", '<tr data-block="block-here-7"><td>x</td></tr>'),
        ('<mj-section padding="0px">', '<mj-section css-class="block-here-7" padding="0px">'),
        (
            '<mj-section padding="0px" css-class="surface">',
            '<mj-section padding="0px" css-class="block-here-7 surface">',
        ),
        ("<mj-raw><div>x</div></mj-raw>", '<mj-raw><div data-block="block-here-7">x</div></mj-raw>'),
        ("<mj-raw>words</mj-raw>", "<mj-raw>words</mj-raw>"),
    ],
)
def test_the_mark_is_on_the_first_element_that_carries_it(fragment: str, marked: str) -> None:
    assert _mark(fragment, 7) == marked


@pytest.mark.parametrize("block", ["hero", "text", "divider"])
def test_a_theme_of_ones_own_may_give_any_element(edition: Make, workspace_folder: Path, block: str) -> None:
    """A wrapper, a hero or raw HTML in place of rows."""
    folder = workspace_folder / "templates" / "digest"
    folder.mkdir(parents=True)
    column = "<mj-column><mj-text>{{ block.type }}</mj-text></mj-column>"
    bodies = {
        "hero": '<mj-hero background-color="#ffffff"><mj-text>{{ block.headline }}</mj-text></mj-hero>',
        "text": f"<mj-wrapper full-width='full-width'><mj-section>{column}</mj-section></mj-wrapper>",
        "divider": "<mj-raw><div><p>divider</p></div></mj-raw>",
    }
    (folder / f"{block}.mjml").write_text(bodies[block])
    made = edition("blocks:\n  - {type: text, body: text}\n  - {type: hero, headline: hero}\n  - {type: divider}\n")
    html = made.render().html
    places = {number: place for place, number in block_places(inputs_of(made))}
    assert set(places) == {None, 0, 1, 2}
    assert "text" in words_at(html, places[0])
    assert "hero" in words_at(html, places[1])
    if block == "divider":
        assert words_at(html, places[2]) == "divider"


PAGE = """<!DOCTYPE html><html><head><title>x</title></head><body><p>one</p><!--[if mso]><table><tr><td><![endif]-->
<table><tbody><tr><td>two</td><td>zwei</td></tr></tbody></table><p class="a">thré</p></body></html>"""


@pytest.mark.parametrize(
    ("until", "place"),
    [
        ("<p>o", (0,)),
        ("<p>one</p>", (0,)),
        ("<table><tr><td><!", (0,)),  # an element in a comment is none
        ("two</td><t", (1, 0, 0)),  # cut in a tag
        ("zwei", (1, 0, 1)),  # browsers add `<tbody>`: it isn't counted
        ('<p class="a', (1, 0, 1)),
        ("thr", (2,)),
    ],
)
def test_gmail_cuts_in_the_element_that_begins_last_before_the_limit(until: str, place: tuple[int, ...]) -> None:
    limit = len(PAGE[: PAGE.index(until) + len(until)].encode())
    assert clipped_at(PAGE, limit) == place


def test_what_is_short_enough_is_not_cut() -> None:
    html = in_theme(ISSUES[0], "letter").render().html
    assert clipped_at(html, len(html.encode())) is None
    assert clipped_at(html, len(html.encode()) - 10) is not None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (0, 60),
        (5, 45),  # three of them begin before the limit is met
        (40, 20),  # the first one takes the rest of it
    ],
)
def test_links_that_grow_bring_the_cut_nearer(link: int, expected: int) -> None:
    source = "<p>" + '<a href="x">word</a>' * 20 + "</p>"
    assert reached(source, 60, link) == expected


def test_what_cannot_be_rendered_has_no_places(edition: Make) -> None:
    made = edition("blocks:\n  - {type: text, body: x}\n")
    assert places_of(Request(made.workspace.root, made.path, "blocks: [")) == Found()
