"""The measure of the format: a real issue's text, of which nothing may be lost on the way through YAML.

The text itself isn't in the repository. It is read from NEWSLETTER_SEED_TEXT, or from `shared/seed/newsletter.txt`
beside the checkout; without it, only the text below is measured, which is of the same build.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from newsletter.issue import Issue
from newsletter.issue.blocks import Block
from newsletter.theme import theme_names
from newsletter.workspace import Edition, Workspace

REPOSITORY = Path(__file__).parent.parent.parent
EXAMPLE = "spring-tides"

OWN_TEXT = """\
Harbour Opens

Ferry Board’s “Last” Ferry Sails Again

Who Pays for the Ferry?
By Ása Lindqvist and Noé Brák

Order E.P. 72 (as amended) – of Cllrs. Čapek (N‑East), Åberg, Jr. (#2) and others – is cheap: it takes
no more than 3% * 2, “or less.”

Read On

The County

Council Votes on the Eel

The vote was close.

It will be repeated.

  • Yes: twelve votes, “one of them by
post.”
  • No: eleven.

Eel Protection Act of 2026

Read On

Keeper Remembers the Flood

“The water was on the stairs – and it stayed,” wrote Łucja in her diary.

“Nobody slept.”

Read The Diary

Photos of the fortnight

The harbour at dawn, before the
boats.

Photo from Álvaro Öst.

The lamp, lit.

Photo by Zoë Ng.
"""

FEATURES = {
    "a bare headline",
    "a linked headline",
    "a section",
    "a story of several paragraphs",
    "a list in a story",
    "a read-more link on a story",
    "a call to action on its own",
    "a quote",
    "a quote with its speaker",
    "a link line",
    "a byline",
    "a byline of two",
    "pictures with caption and credit",
}
"""What the seed is made of; `features_of` finds them in an issue."""


def seed_text() -> str:
    chosen = os.environ.get("NEWSLETTER_SEED_TEXT")
    path = Path(chosen) if chosen else REPOSITORY.parent / "shared" / "seed" / "newsletter.txt"
    if not chosen and not path.is_file():
        pytest.skip(f"the seed text isn't at {path}: name its place in NEWSLETTER_SEED_TEXT")
    return path.read_text("utf-8")


TEXTS = [pytest.param(lambda: OWN_TEXT, id="own"), pytest.param(seed_text, id="seed")]


def plain(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def units_of(text: str) -> Iterator[str]:
    """Headlines, bylines, bullets and paragraphs, with the lines joined that a layout broke in mid-sentence."""
    for group in re.split(r"\n\s*\n", text.strip("\n")):
        unit = ""
        for line in filter(None, map(plain, group.split("\n"))):
            if unit and (line.startswith(("• ", "By ")) or re.search(r"[.:?!”]$", unit)):
                yield unit
                unit = ""
            unit = f"{unit} {line}".strip()
        yield unit


class Composer:
    """An issue's blocks out of units, one by one. `parts` are the words of each unit, as they were put into a field."""

    def __init__(self, units: list[str]) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.parts: list[str] = []
        self._links = 0
        self._after_call = False
        self._units = units
        for index, unit in enumerate(units):
            self._take(unit, units[index + 1] if index + 1 < len(units) else "")
            self._after_call = bool(re.match(r"Read ", unit))

    def _take(self, unit: str, following: str) -> None:
        quote = re.fullmatch(r"“([^“”]+)”(?: ([^“”]{1,90}))?", unit)
        if self._takes_pictures() and not is_headline(unit, following):
            self._picture(unit)
        elif unit.startswith("Photos "):
            self._add({"type": "gallery", "title": unit, "images": []}, unit)
        elif unit.startswith("Read "):
            self._call(unit)
        elif unit.startswith("• "):
            self._into_body("- " + unit[2:], unit[2:])
        elif unit.startswith("By "):
            self._last()["byline"] = unit
            self.parts.append(unit)
        elif re.search(r"(Statement|Act of \d{4})$", unit):
            self._add({"type": "links", "items": [{"label": unit, "url": self._address()}]}, unit)
        elif is_headline(unit, following):
            self._headline(unit, following)
        elif quote:
            said, speaker = quote.groups()
            self._add({"type": "quote", "text": said, **({"attribution": speaker} if speaker else {})}, said)
            self.parts += [speaker] if speaker else []
        elif self._last().get("type") == "quote" and self._last()["text"].endswith(","):
            self._last()["attribution"] = unit
            self.parts.append(unit)
        else:
            self._into_body(unit, unit)

    def _last(self) -> dict[str, Any]:
        return self.blocks[-1] if self.blocks else {}

    def _add(self, block: dict[str, Any], words: str) -> None:
        self.blocks.append(block)
        self.parts.append(words)

    def _address(self) -> str:
        self._links += 1
        return f"https://www.example.org/{self._links}"

    def _takes_pictures(self) -> bool:
        return self._last().get("type") == "gallery"

    def _picture(self, unit: str) -> None:
        pictures = self._last()["images"]
        if unit.startswith("Photo "):
            pictures[-1]["credit"] = unit
        else:
            pictures.append({"src": f"{self._address()}.jpg", "alt": "A photograph", "caption": unit})
        self.parts.append(unit)

    def _call(self, unit: str) -> None:
        last = self._last()
        if last.get("type") == "story" and "label" not in last:
            last |= {"url": self._address(), "label": unit}
            self.parts.append(unit)
        else:
            self._add({"type": "button", "label": unit, "url": self._address()}, unit)

    def _into_body(self, markdown: str, words: str) -> None:
        if self._last().get("type") != "story" or "label" in self._last():
            self.blocks.append({"type": "text"})
        before = self._last().get("body", "")
        close = markdown.startswith("- ") and before.rpartition("\n")[2].startswith("- ")
        self._last()["body"] = before + ("" if not before else "\n" if close else "\n\n") + markdown
        self.parts.append(words)

    def _headline(self, unit: str, following: str) -> None:
        bare = is_headline(following, "") or following.startswith("Read ") or not following
        if self._after_call and bare and len(unit.split()) < 10 and not following.startswith("Read "):
            self._add({"type": "section", "title": unit}, unit)
        elif not bare:
            self._add({"type": "story", "headline": unit}, unit)
        else:
            if self._last().get("type") != "headlines":
                self.blocks.append({"type": "headlines", "items": []})
            items = self._last()["items"]
            items.append({"headline": unit, "url": self._address()} if len(items) % 2 else {"headline": unit})
            self.parts.append(unit)


def is_headline(unit: str, following: str) -> bool:
    """Most of its words are capitalised, and no sentence ends with it."""
    words = [word for word in re.findall(r"[^\W\d_][\w’.]*", unit) if len(word) > 1]
    capital = sum(word[0].isupper() for word in words)
    title = bool(words) and capital * 2 >= len(words) and not re.search(r"[.:,”]$", unit)
    return (title or following.startswith("By ")) and not unit.startswith(("• ", "By ", "Read ", "Photo"))


def yaml_of(blocks: list[dict[str, Any]], theme: str) -> str:
    """The issue as somebody would type it: words in block scalars, where no character has to be quoted."""
    return f"subject: A subject\npreheader: A preheader\ntheme: {theme}\nblocks:\n" + "\n".join(_items(blocks, "  "))


def _items(items: list[dict[str, Any]], indent: str) -> Iterator[str]:
    for item in items:
        for number, (key, value) in enumerate(item.items()):
            lead = indent + ("  " if number else "- ") + f"{key}:"
            if isinstance(value, list):
                yield lead
                yield from _items(value, indent + "    ")
            elif key in ("type", "url", "src"):
                yield f"{lead} {value}"
            else:
                yield f"{lead} |"
                yield from (indent + "    " + line if line else "" for line in value.split("\n"))


class Words(HTMLParser):
    """The words of an HTML document, as a reader sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._hidden = 0
        self._found: list[str] = []
        self.feed(html)
        self.text = plain("".join(self._found))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "title")
        if tag not in ("a", "b", "em", "i", "span", "strong"):
            self._found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._found.append(data)


def unwrapped(text: str) -> str:
    """A plain-text part without its marks, rules and addresses, in one line."""
    lines = [re.sub(r"^\s*[>*] ", "", line) for line in text.split("\n") if not re.fullmatch(r"[-=]*", line)]
    return plain(re.sub(r"<[^<>\s]+>", "", " ".join(lines)))


def lost(parts: list[str], text: str) -> list[str]:
    """The parts that don't stand in `text` in their order."""
    missing, position = [], 0
    for part in parts:
        found = text.find(part, position)
        if found < 0:
            missing.append(part)
        else:
            position = found + len(part)
    return missing


def features_of(issue: Issue) -> set[str]:
    """Which of FEATURES an issue has."""
    found = set()
    for block in issue.blocks:
        if block.type == "headlines":
            found |= {"a linked headline" if item.url else "a bare headline" for item in block.items}
        elif block.type == "story":
            body = block.body or ""
            found |= {"a story of several paragraphs"} if re.search(r"\n\n[^-]", body) else set()
            found |= {"a list in a story"} if re.search(r"^- ", body, re.MULTILINE) else set()
            found |= {"a read-more link on a story"} if block.label else set()
            found |= {"a byline"} if block.byline else set()
            found |= {"a byline of two"} if " and " in (block.byline or "") else set()
        elif block.type == "quote":
            found |= {"a quote", "a quote with its speaker"} if block.attribution else {"a quote"}
        elif block.type == "gallery":
            both = all(image.caption and image.credit for image in block.images)
            found |= {"pictures with caption and credit"} if both else set()
        elif block.type in ("section", "button", "links"):
            found.add(
                {"section": "a section", "button": "a call to action on its own", "links": "a link line"}[block.type]
            )
    return found


@pytest.mark.parametrize("theme", theme_names(None))
@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_lost(text: Callable[[], str], theme: str, edition: Callable[..., Edition]) -> None:
    """Every line comes out in HTML and plain text: whole, in order, with its diacritics."""
    written = text()
    composed = Composer(list(units_of(written)))
    made = edition(yaml_of(composed.blocks, theme))
    assert [problem for problem in made.check() if problem.is_error] == []
    rendered = made.render()
    assert lost(composed.parts, Words(rendered.html).text) == []
    folded = [part.casefold() for part in composed.parts]
    assert lost(folded, unwrapped(rendered.text).casefold()) == []


@pytest.mark.parametrize("text", TEXTS)
def test_the_fields_hold_every_character(text: Callable[[], str]) -> None:
    """What `test_nothing_is_lost` looks for is the text: only bullets and a quotation's own marks aren't in it."""
    written = text()
    parts = Composer(list(units_of(written))).parts
    assert re.sub(r"[\s“”•]", "", "".join(parts)) == re.sub(r"[\s“”•]", "", unicodedata.normalize("NFC", written))


@pytest.mark.parametrize("text", TEXTS)
def test_it_takes_all_that_the_seed_is_made_of(text: Callable[[], str], edition: Callable[..., Edition]) -> None:
    issue = edition(yaml_of(Composer(list(units_of(text()))).blocks, "digest")).ready()
    assert features_of(issue) == FEATURES


def test_the_example_is_of_the_same_build() -> None:
    """The long issue shows everything the seed needs, so that nobody has to see the seed to see that it works."""
    issue = Workspace.open(REPOSITORY).load(EXAMPLE).ready()
    assert features_of(issue) >= FEATURES
    assert len(issue.blocks) >= 25


def test_the_examples_show_every_kind_of_block() -> None:
    workspace = Workspace.open(REPOSITORY)
    shown = {block.type for file in workspace.issue_files() for block in workspace.load(file).ready().blocks}
    kinds = {get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(Block)[0])}
    assert kinds - shown == {"html"}
