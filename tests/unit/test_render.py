"""The traps of mrml, premailer and mail clients, each met once, on the bytes that would be sent."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import newsletter
from newsletter.errors import ProblemsFound, RenderError
from newsletter.render.compact import MAX_LINE, compact
from newsletter.render.inline import inline
from newsletter.render.mjml import MjmlError, check, plain
from newsletter.theme import builtin_templates
from newsletter.workspace import Edition, Workspace

Make = Callable[[str], Edition]

TRICKY = 'I ❤️ "it" \\ back & <b> 👨‍👩‍👧 1️⃣ हिन्दी שָׁלוֹם ﻿é'.replace("\ufeff", "")


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_attributes_survive_mrml(edition: Make) -> None:
    """mrml prints attribute values as Rust debug strings; without references, emoji and quotes come out broken."""
    rendered = edition(
        f"blocks:\n  - type: image\n    src: https://img.example.org/a.jpg\n    alt: {quoted(TRICKY)}\n"
    ).render()
    alts = [unescape(alt) for _, alt in re.findall(r"alt=(['\"])(.*?)\1", rendered.html)]
    assert TRICKY in alts
    assert "\\u{" not in rendered.html


def test_the_title_survives_as_the_label_of_the_body(edition: Make) -> None:
    rendered = edition(f"subject: {quoted(TRICKY)}\npreheader: x\nblocks:\n  - {{type: text, body: x}}\n").render()
    assert f"<title>{TRICKY}</title>" in unescape(rendered.html)
    assert rendered.subject == TRICKY


AUDITED_RENDER = """
import os, sys
path, *allowed = sys.argv[1:]
def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        print(event, arguments)
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        file = os.path.realpath(os.fsdecode(arguments[0]))
        if not file.startswith(tuple(allowed)):
            print(event, file)
sys.addaudithook(audit)
from pathlib import Path
from newsletter.workspace import Workspace
edition = Workspace.open(Path(path).parent).load(Path(path))
assert edition.check() == []
"""


def audited_render(path: Path, *more_allowed: Path) -> str:
    """What a first render, in a process of its own, opens besides the workspace, the themes and Python's own files."""
    package = Path(newsletter.__file__).parent
    allowed = (path.parent.parent, package, builtin_templates(), sys.prefix, sys.base_prefix, *more_allowed)
    # As installed: without the working directory, which Python would look through for modules.
    command = [sys.executable, "-P", "-c", AUDITED_RENDER, path, *(os.path.realpath(each) for each in allowed)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_nothing_outside_is_opened_or_fetched(edition: Make, workspace_folder: Path) -> None:
    """Neither an address nor a file: not the ones that an issue names, not what libraries would like to have."""
    Image.new("RGB", (400, 200), "#336699").save(workspace_folder / "issues" / "a.png")
    blocks = "  - {type: text, body: 'x [y](https://example.org/y)'}\n  - {type: image, src: a.png, alt: A}\n"
    path = edition(f"blocks:\n{blocks}").path
    assert audited_render(path) == ""


def test_the_audit_tells_what_is_opened_outside(edition: Make, workspace_folder: Path, tmp_path_factory: Any) -> None:
    """Without this, an audit that hears nothing would go unnoticed."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "head.css"
    elsewhere.write_text("p { color: #000000 }")
    folder = workspace_folder / "templates" / "digest"
    folder.mkdir(parents=True)
    (folder / "head.css").symlink_to(elsewhere)
    assert audited_render(edition("blocks:\n  - {type: text, body: x}\n").path) == f"open {elsewhere}\n"


def test_threads_render_the_same_at_once(workspace_folder: Path) -> None:
    """The web apps render in a pool of threads; parsers and caches are shared among them."""
    paths = []
    for number in range(6):
        path = workspace_folder / "issues" / f"issue-{number}.yaml"
        path.write_text(
            f"subject: {number}\nblocks:\n"
            + f"  - {{type: text, body: '**{number}** [y](https://example.org/{number})'}}\n" * 20
        )
        paths.append(path)

    def rendered(path: Path) -> str:
        return Workspace.open(workspace_folder).load(path).render().digest

    with ThreadPoolExecutor(2) as pool:
        at_once = list(pool.map(rendered, paths * 3))
    assert at_once == [rendered(path) for path in paths * 3]
    assert len(set(at_once)) == len(paths)


@pytest.mark.parametrize(
    "css", ["@import url(https://fonts.example.org/a.css);", "p { background: url(http://a.example.org/b.png) }"]
)
def test_a_theme_can_not_fetch(edition: Make, workspace_folder: Path, css: str) -> None:
    folder = workspace_folder / "templates" / "digest"
    folder.mkdir(parents=True)
    (folder / "head.css").write_text(css)
    with pytest.raises(RenderError) as failure:
        edition("blocks:\n  - {type: text, body: x}\n").render()
    assert failure.value.problem is not None
    assert (
        str(failure.value.problem.location)
        == f"templates/digest/head.css:1:{css.find('@import' if '@' in css else 'url') + 1}"
    )


def test_the_page_is_in_standards_mode_and_declares_its_language(edition: Make) -> None:
    html = edition("lang: ar\nblocks:\n  - {type: text, body: نص}\n").render().html
    assert html.startswith("<!DOCTYPE html>")
    assert re.search(r'<html[^>]* lang="ar"', html)
    assert re.search(r'<html[^>]* dir="rtl"', html)
    assert 'name="color-scheme" content="light dark"' in html


def test_important_rules_media_queries_and_conditionals_are_kept(edition: Make) -> None:
    html = edition("blocks:\n  - {type: text, body: x}\n").render().html
    assert "prefers-color-scheme:dark" in html.replace(" ", "")
    assert "!important" in html
    assert html.count("<!--[if") == html.count("<![endif]")
    assert html.count("<!--[if") >= 3
    assert "@import" not in html


def test_images_keep_their_width(edition: Make, workspace_folder: Path) -> None:
    """premailer's defaults would turn width="…" into 100 %, which Outlook takes by its word."""
    Image.new("RGB", (1600, 800), "#336699").save(workspace_folder / "issues" / "a.jpg")
    rendered = edition("blocks:\n  - {type: image, src: a.jpg, alt: A}\n").render()
    found = re.search(r'<img [^>]*width="(\d+)"[^>]*height="(\d+)"', rendered.html)
    assert found
    assert int(found[1]) == 2 * int(found[2])
    [image] = rendered.images
    assert f"cid:{image.content_id}" in rendered.html
    assert image.media_type == "image/jpeg"


def test_images_outside_the_workspace_are_refused(edition: Make, workspace_folder: Path) -> None:
    Image.new("RGB", (10, 10)).save(workspace_folder.parent / "secret.png")
    problems = edition("blocks:\n  - {type: image, src: ../../secret.png, alt: A}\n").problems
    assert [problem.code for problem in problems] == ["missing-image"]


def test_lengths_get_units_and_colours_six_digits() -> None:
    """mrml ignores a bare 0 in paddings when it computes widths, and Outlook wants six digits."""
    written = plain('<mj-section padding="0 20px" background-color="#abc" css-class="a0">')
    assert written == '<mj-section padding="0px 20px" background-color="#aabbcc" css-class="a0">'


@pytest.mark.parametrize(
    ("markup", "message"),
    [
        ("<mj-txet>x</mj-txet>", "no tag `<mj-txet>`"),
        ('<mj-text colour="red">x</mj-text>', "no attribute `colour`"),
        ("<mj-text><b>x</mj-text>", "not well-formed"),
        ("<mj-section></mj-section>", "can't stand in"),
        ("<p>x</p>", "can't stand in"),
        ("loose", "text can't stand"),
    ],
)
def test_what_mrml_lets_through_is_refused(markup: str, message: str) -> None:
    document = f"<mjml><mj-body><mj-section><mj-column>\n{markup}\n</mj-column></mj-section></mj-body></mjml>"
    with pytest.raises(MjmlError, match=re.escape(message)) as failure:
        check(document)
    assert failure.value.line == 2


def test_deep_nesting_is_refused_before_it_kills_the_process() -> None:
    with pytest.raises(MjmlError, match="deeply"):
        check("<mjml><mj-body><mj-raw>" + "<div>" * 20_000 + "</div>" * 20_000 + "</mj-raw></mj-body></mjml>")


def test_a_fault_in_a_template_names_its_file_line_and_the_block(edition: Make, workspace_folder: Path) -> None:
    folder = workspace_folder / "templates" / "digest"
    folder.mkdir(parents=True)
    (folder / "text.mjml").write_text("<tr><td>\n<txet>{{ markdown(block.body) }}</txet>\n</td></tr>\n")
    one = edition("blocks:\n  - {type: section, title: S}\n  - {type: text, body: x}\n")
    [problem] = [problem for problem in one.check() if problem.is_error]
    assert str(problem.location) == "templates/digest/text.mjml:2:1"
    assert "blocks[1] of issues/one.yaml" in problem.message
    (folder / "text.mjml").write_text("<tr><td>\n\n{{ block.bodi }}</td></tr>\n")
    [problem] = [problem for problem in one.check() if problem.is_error]
    assert str(problem.location) == "templates/digest/text.mjml:3:1"


def test_one_file_overrides_one_template(edition: Make, workspace_folder: Path) -> None:
    folder = workspace_folder / "templates" / "digest"
    folder.mkdir(parents=True)
    (folder / "divider.mjml").write_text('<tr><td colspan="2">* * *</td></tr>')
    html = edition("blocks:\n  - {type: divider}\n  - {type: text, body: y}\n").render().html
    assert "* * *" in html
    assert ">y</p>" in html


def test_lines_are_short(edition: Make) -> None:
    words = "word " * 2000
    html = edition(f"blocks:\n  - type: text\n    body: {words}\n").render().html
    assert max(len(line.encode()) for line in html.split("\n")) <= MAX_LINE
    assert re.sub(r"\s+", " ", html).count("word ") >= 1999


def test_compacting_merges_conditionals_and_drops_unused_classes() -> None:
    html = '<style>.kept{color:red}</style><p class="kept gone" style="color: red; ">x</p><!--[if mso | IE]>a<![endif]--><!--[if mso | IE]>b<![endif]-->'
    compacted = compact(html)
    assert '<p class="kept" style="color:red">x</p>' in compacted
    assert compacted.endswith("<!--[if mso | IE]>ab<![endif]-->")


def test_style_text_equal_to_a_selector_does_not_crash_the_inliner() -> None:
    html = '<!doctype html><html><head></head><body><p class="a">x</p></body></html>'
    assert 'style="color:red"' in inline(html, ".a { color: red }").replace(": ", ":")


def test_both_parts_have_the_same_links(edition: Make) -> None:
    one = edition(
        "blocks:\n  - type: story\n    headline: H\n    url: https://www.example.org/a?x=1#frag\n    label: Read it\n"
        "    body: 'See [one](https://other.example.com/b) and [two](mailto:a@example.org).'\n"
        "  - type: button\n    label: Go\n    url: https://www.example.org/{{ subscriber.name }}?k={{ subscriber.email }}\n"
    ).render()
    in_html = {unescape(url) for url in re.findall(r'<a [^>]*href="([^"]*)"', one.html)}
    in_text = set(re.findall(r"<((?:https?|mailto|tel):[^>\s]*|<%[^>]*%>)>", one.text))
    assert in_html == in_text
    assert "https://www.example.org/a?x=1&utm_source=letter#frag" in in_html
    assert "https://other.example.com/b" in in_html


def test_plain_text_wraps_at_72_and_never_breaks_an_address(edition: Make) -> None:
    url = "https://www.example.org/" + "long-path/" * 12
    text = (
        edition(f"blocks:\n  - type: text\n    body: {'word ' * 60} [here it is]({url}) {'word ' * 30}\n").render().text
    )
    for line in text.split("\n"):
        assert len(line) <= 72 or line.lstrip("<").startswith("https://")
    assert f"<{url}?utm_source=letter>" in text


def test_postal_address_and_unsubscribe_link_are_never_forgotten(edition: Make) -> None:
    for blocks in ("  - {type: text, body: x}\n", "  - {type: text, body: x}\n  - {type: footer, body: Bye}\n"):
        rendered = edition(f"blocks:\n{blocks}").render()
        for part in (rendered.html, rendered.text):
            assert "1 Test Street" in part
            assert "<%asm_group_unsubscribe_raw_url%>" in part


def test_our_own_unsubscribe_link_is_a_slot(edition: Make, workspace_folder: Path) -> None:
    settings = workspace_folder / "newsletter.yaml"
    settings.write_text(
        settings.read_text().replace("unsubscribe:\n  group_id: 7\n", "public_url: https://news.example.org\n")
    )
    rendered = edition("blocks:\n  - {type: text, body: x}\n").render()
    assert {slot.expression for slot in rendered.slots} == {"unsubscribe_url"}
    assert len(rendered.slots) == 2


def test_variants_differ_by_their_blocks(edition: Make) -> None:
    one = edition(
        "blocks:\n  - {type: text, body: for all}\n"
        "  - type: text\n    body: for the north\n    when: subscriber.region == 'north'\n"
        "  - type: columns\n    columns:\n      - blocks: [{type: text, body: left}]\n"
        "      - blocks: [{type: text, body: right}, {type: text, body: for donors, when: '\"donor\" in subscriber.tags'}]\n"
    )
    assert len(one.conditions) == 2
    texts = {variant: one.render(variant).html for variant in ("00", "01", "10", "11")}
    assert ["for the north" in html for html in texts.values()] == [False, False, True, True]
    assert ["for donors" in html for html in texts.values()] == [False, True, False, True]
    assert len({one.render(variant).digest for variant in texts}) == 4


def test_headings_never_skip_a_level(edition: Make) -> None:
    html = (
        edition(
            "blocks:\n  - {type: story, headline: A}\n  - {type: hero, headline: B}\n  - {type: section, title: C}\n  - {type: story, headline: D}\n"
        )
        .render()
        .html
    )
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_layout_tables_say_that_they_are_no_data(edition: Make) -> None:
    html = (
        edition("blocks:\n  - {type: callout, body: x}\n  - {type: button, label: Go on, url: 'https://example.org'}\n")
        .render()
        .html
    )
    outside = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    assert len(re.findall("<table", outside)) == len(re.findall(r'<table[^>]*role="presentation"', outside))


def test_raw_html_is_made_safe_and_well_formed(edition: Make) -> None:
    source = "<p onclick='x()'>a<br>b<script>alert(1)</script><a href='javascript:x'>c</a><table><tr><td>d"
    html = edition(f"blocks:\n  - type: html\n    html: {quoted(source)}\n").render().html
    assert "alert(1)" not in html
    assert "onclick" not in html
    assert "javascript:" not in html
    assert ">d</td>" in html


def test_raw_html_can_be_personal(edition: Make) -> None:
    source = '<p>Dear {{ subscriber.name or "friend" }}, <a href="https://www.example.org/?me={{ subscriber.email }}&x=1">go</a></p>'
    rendered = edition(f"blocks:\n  - type: html\n    html: {quoted(source)}\n").render()
    assert "{{" not in rendered.html + rendered.text
    assert sorted((slot.expression, slot.place.value) for slot in rendered.slots) == [
        ("subscriber.email", "u"),
        ('subscriber.name or "friend"', "h"),
        ('subscriber.name or "friend"', "t"),
    ]
    [token] = [slot.token for slot in rendered.slots if slot.place.value == "u"]
    assert f'href="https://www.example.org/?me={token}&amp;x=1&amp;utm_source=letter"' in rendered.html
    assert f"<https://www.example.org/?me={token}&x=1&utm_source=letter>" in rendered.text


def test_an_issue_with_errors_is_not_rendered(edition: Make) -> None:
    with pytest.raises(ProblemsFound):
        edition("blocks:\n  - {type: text, body: '{{ nobody }}'}\n").render()


def test_sixty_stories_stay_below_the_size_at_which_gmail_clips(edition: Make) -> None:
    """Structure decides size: stories are rows of one table, not a section each."""
    path = Path(__file__).parent.parent / "benchmark" / "stories.py"
    spec = importlib.util.spec_from_file_location("stories", path)
    assert spec
    assert spec.loader
    stories = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stories)
    html = edition(stories.make_issue(60)).render().html
    assert html.count("<img") == 60
    assert len(html.encode()) <= 102_400
    words = re.sub(r"<[^>]*>", " ", re.sub(r"<(style|title).*?</\1>|<!--.*?-->", "", html, flags=re.DOTALL))
    content = words.split() + re.findall(r'(?:href|src|alt)="([^"]*)"', html)
    assert len(html.encode()) <= 3.4 * sum(len(each.encode()) + 1 for each in content)
