"""A theme is checked before it is used, says where it is wrong, and shows every kind of block in its own way."""

from __future__ import annotations

import dataclasses
import itertools
import re
from html import unescape
from pathlib import Path

import pytest

from newsletter.issue.rendered import RenderedIssue
from newsletter.theme import builtin_templates, contrast, load_theme, theme_names
from newsletter.workspace import Edition, Workspace

THEMES = theme_names(None)
EVERY_BLOCK = Path(__file__).parent.parent / "golden" / "issues" / "every-block.yaml"


def in_theme(edition: Edition, name: str) -> Edition:
    theme, problems = load_theme(name, edition.workspace.root)
    return dataclasses.replace(edition, theme=theme, problems=problems)


def every_block(theme: str, folder: Path, head: str = "") -> RenderedIssue:
    """The issue that has every kind of block, in a theme, with more lines at its top."""
    (folder / "issues" / "every-block.yaml").write_text(head + EVERY_BLOCK.read_text("utf-8"), "utf-8")
    edition = in_theme(Workspace.open(folder).load("every-block"), theme)
    assert [problem for problem in edition.check() if problem.is_error] == []
    return edition.render()


def tags(html: str) -> list[str]:
    return re.findall(r"<(h[1-6]|p|div|table|td|img|a|ul|li|span)\b", html)


def test_three_themes_come_along() -> None:
    assert THEMES == ["digest", "letter", "magazine"]


@pytest.mark.parametrize("name", THEMES)
def test_the_themes_that_come_along_are_readable_in_both_schemes(name: str) -> None:
    theme, problems = load_theme(name, None)
    assert theme is not None
    assert problems == []


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_colours_that_are_too_close_are_named_with_their_place(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "digest"
    folder.mkdir(parents=True)
    own = (builtin_templates() / "digest" / "theme.yaml").read_text("utf-8")
    ours = re.sub(r'text: "#\w+"', 'text: "#b0b0b0"', own, count=1)
    (folder / "theme.yaml").write_text(ours, "utf-8")
    _, problems = load_theme("digest", tmp_path)
    assert {problem.code for problem in problems} == {"low-contrast"}
    line = ours[: ours.index("#b0b0b0")].count("\n") + 1
    assert str(problems[0].location) == f"templates/digest/theme.yaml:{line}:9"


def test_a_theme_that_is_not_there_lists_those_that_are() -> None:
    theme, [problem] = load_theme("nothing", None)
    assert theme is None
    assert "`digest`, `letter`, `magazine`" in str(problem.hint)


def test_every_kind_of_block_has_its_two_templates() -> None:
    from newsletter.issue.schema import json_schema

    kinds = {
        definition["properties"]["type"]["const"]
        for definition in json_schema()["$defs"].values()
        if "type" in definition.get("properties", {})
    }
    assert len(kinds) == 19
    for kind in kinds:
        assert (builtin_templates() / "base" / f"{kind}.mjml").is_file()
        assert (builtin_templates() / "base" / f"{kind}.txt").is_file()


def test_a_theme_of_colours_alone_gets_everything_else_from_base(workspace_folder: Path) -> None:
    folder = workspace_folder / "templates" / "plain"
    folder.mkdir(parents=True)
    (folder / "theme.yaml").write_text((builtin_templates() / "letter" / "theme.yaml").read_text("utf-8"), "utf-8")
    assert "Story &amp; &lt;one&gt;" in every_block("plain", workspace_folder).html


@pytest.mark.parametrize("head", ["", "lang: ar\n"], ids=["ltr", "rtl"])
@pytest.mark.parametrize("name", THEMES)
def test_every_kind_of_block_is_sound_in_every_theme(name: str, head: str, workspace_folder: Path) -> None:
    rendered = every_block(name, workspace_folder, head)
    html, shown = rendered.html, re.sub(r"<!--.*?-->", "", rendered.html, flags=re.DOTALL)
    in_html = {unescape(url) for url in re.findall(r'<a [^>]*href="([^"]*)"', html)}
    in_text = set(re.findall(r"<((?:https?|mailto|tel):[^>\s]*|<%[^>]*%>)>", rendered.text))
    assert in_html == in_text
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    # The table that an author's own HTML brings is not for layout.
    assert shown.count("<table") == len(re.findall(r'<table[^>]*role="presentation"', shown)) + 1
    assert all(" alt=" in image and " width=" in image for image in re.findall(r"<img[^>]*>", shown))
    assert set(re.findall(r'src="https://([^/"]*)', html)) == {"img.example.org"}
    assert "flex" not in html
    assert "grid;" not in html


def test_themes_differ_in_more_than_colour(workspace_folder: Path) -> None:
    """The same issue becomes other elements in another order; the plain text stays the same."""
    rendered = {name: every_block(name, workspace_folder) for name in THEMES}
    for one, other in itertools.combinations(THEMES, 2):
        assert tags(rendered[one].html) != tags(rendered[other].html)
        assert rendered[one].text == rendered[other].text


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("name", THEMES)
def test_a_picture_stands_where_the_author_puts_it(name: str, lang: str, workspace_folder: Path) -> None:
    """`left` is the reader's left, also where writing runs from right to left and the first cell is the right one."""
    story = "  - {type: story, headline: Words, image: {src: 'https://img.example.org/a.jpg', alt: A}, image_position: left}"
    path = workspace_folder / "issues" / "one.yaml"
    path.write_text(f"subject: S\npreheader: P\nlang: {lang}\nblocks:\n{story}\n", "utf-8")
    html = in_theme(Workspace.open(workspace_folder).load(path), name).render().html
    picture_first = html.index("a.jpg") < html.index(">Words<")
    assert picture_first == (lang == "en")


@pytest.mark.parametrize(
    ("lang", "date", "said"),
    [
        ("en", "3 March 2026", "“Words”"),
        ("de-AT", "3. März 2026", "„Words“"),
        ("fr", "3 mars 2026", "«\u00a0Words\u00a0»"),
        ("hy", "3 մարտի, 2026 թ.", "«Words»"),
        ("xx", "3 March 2026", "“Words”"),
    ],
)
def test_dates_and_quotation_marks_are_those_of_the_language(
    lang: str, date: str, said: str, workspace_folder: Path
) -> None:
    path = workspace_folder / "issues" / "one.yaml"
    blocks = "  - {type: quote, text: Words}\n  - {type: events, items: [{title: T, date: 2026-03-03}]}"
    path.write_text(f"subject: S\npreheader: P\nlang: {lang}\ndate: 2026-03-03\nblocks:\n{blocks}\n", "utf-8")
    rendered = Workspace.open(workspace_folder).load(path).render()
    assert date in rendered.html
    assert said in unescape(rendered.html)
    assert rendered.text.count(date) == 2
    assert said in rendered.text


def test_other_dates_of_events_stay_as_written(workspace_folder: Path) -> None:
    path = workspace_folder / "issues" / "one.yaml"
    path.write_text(
        "subject: S\npreheader: P\nblocks:\n  - {type: events, items: [{title: T, date: 2026-13-03}, {title: U, date: Any-old-day}]}\n"
    )
    rendered = Workspace.open(workspace_folder).load(path).render()
    for date in ("2026-13-03", "Any-old-day"):
        assert date in rendered.html
        assert date in rendered.text


def test_the_letter_ends_with_a_signature(workspace_folder: Path) -> None:
    path = workspace_folder / "issues" / "one.yaml"
    body = "Until then,\n\n      Ada Example\\\n      editor\n"
    path.write_text(
        f"subject: S\npreheader: P\nblocks:\n  - type: text\n    body: |\n      {body}  - {{type: text, body: 'One.\n\n\n      Two.'}}\n"
    )
    html = in_theme(Workspace.open(workspace_folder).load(path), "letter").render().html
    [name] = re.findall(r"<span class=\"name\"[^>]*>([^<]*)</span>", html)
    assert name == "Ada Example"
    assert html.count("editor</p>") == 1


@pytest.mark.parametrize("name", THEMES)
def test_a_picture_is_no_wider_than_its_column(name: str, workspace_folder: Path) -> None:
    """Outlook takes an image's width by its word, and a row of columns would burst."""
    path = workspace_folder / "issues" / "one.yaml"
    image = "{type: image, src: 'https://img.example.org/a.jpg', alt: A}"
    story = "{type: story, headline: H, image: {src: 'https://img.example.org/b.jpg', alt: B}}"
    columns = "\n".join(f"      - blocks: [{image}, {story}]" for _ in range(3))
    path.write_text(f"subject: S\npreheader: P\nblocks:\n  - type: columns\n    columns:\n{columns}\n", "utf-8")
    edition = in_theme(Workspace.open(workspace_folder).load(path), name)
    widths = [int(width) for width in re.findall(r'<img [^>]*width="(\d+)"', edition.render().html)]
    assert len(widths) == 6
    assert edition.theme is not None
    assert 120 < max(widths) < edition.theme.settings.width / 3


def test_a_short_row_of_a_gallery_keeps_its_cells(workspace_folder: Path) -> None:
    """Two pictures in rows of three take two thirds, as in the rows around them."""
    path = workspace_folder / "issues" / "one.yaml"
    images = ", ".join(f"{{src: 'https://img.example.org/{name}.jpg', alt: {name}}}" for name in "ab")
    path.write_text(
        f"subject: S\npreheader: P\nblocks:\n  - {{type: gallery, columns: 3, images: [{images}]}}\n", "utf-8"
    )
    html = Workspace.open(workspace_folder).load(path).render().html
    [row] = re.findall(r"<table[^>]*table-layout:\s*fixed[^>]*>.*?</table>", html, re.DOTALL)
    assert row.count("<td") == 3 + 2
