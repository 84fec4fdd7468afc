"""The `html` block: an author's own HTML, made safe and well-formed."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser

import nh3

from newsletter.issue.rendered import Place
from newsletter.personalise import Masker

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "div", "dl", "dt", "em", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_LAYOUT = {"align", "bgcolor", "class", "dir", "height", "lang", "style", "valign", "width"}
_ATTRIBUTES = {
    "*": _LAYOUT,
    "a": {"href", "title", "target"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing", "role"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-right",
    "border-top", "color", "direction", "display", "font-family", "font-size", "font-style", "font-weight", "height",
    "letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align",
    "text-decoration", "text-transform", "vertical-align", "white-space", "width",
}  # fmt: skip
_VOID = re.compile(r"<(br|hr|img)((?:\s[^<>]*)?)>")
_ADDRESS = re.compile(r'((?:href|src)=")([^"]*)(")')
MAX_DEPTH = 60
"""Beyond some depth libxml2 drops content without a word, and mrml overflows its stack."""


def to_html(html: str, masker: Masker) -> str:
    """`html` (its expressions masked for text) as safe, well-formed XHTML; tokens in addresses are moved there."""
    return _ADDRESS.sub(lambda found: found[1] + masker.replaced(found[2], Place.HREF) + found[3], _cleaned(html))


@functools.lru_cache(maxsize=512)
def _cleaned(html: str) -> str:
    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel=None,
        filter_style_properties=_STYLES,
        strip_comments=True,
    )
    return _VOID.sub(lambda found: f"<{found[1]}{found[2].rstrip(' /')} />", cleaned).replace("&nbsp;", "&#160;")


def depth(html: str) -> int:
    """How deeply elements are nested in `html`."""
    counter = _Depth()
    counter.feed(html)
    return counter.deepest


def removed_by_cleaning(html: str) -> list[str]:
    """The names of elements in `html` that an email can't hold, in order of appearance."""
    counter = _Depth()
    counter.feed(html)
    return [tag for tag in dict.fromkeys(counter.seen) if tag not in _TAGS]


def to_text(html: str) -> str:
    """The words of `html`, with addresses after the words they are behind."""
    reader = _Words()
    reader.feed(html)
    return "\n".join(line for line in ("".join(reader.parts)).split("\n")).strip()


class _Depth(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open, self.deepest = 0, 0
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its caller's signature
        self.seen.append(tag)
        if tag not in {"br", "hr", "img"}:
            self.open += 1
            self.deepest = max(self.deepest, self.open)

    def handle_endtag(self, tag: str) -> None:
        self.open -= tag not in {"br", "hr", "img"}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            self._address = values.get("href") or ""
        elif tag == "img" and values.get("alt"):
            self.parts.append(f"[{values['alt']}]")
        elif tag in {"p", "div", "tr", "table", "br", "li", "h2", "h3", "h4"}:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address:
            self.parts.append(f" <{self._address}>")
            self._address = ""
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"[ \t\n]+", " ", data))
