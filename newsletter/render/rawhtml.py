"""The `html` block: an author's own HTML, made safe and well-formed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from newsletter.fields import HTML_TAGS

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
_STYLE_NAMES = (
    "background-color border border-bottom border-collapse border-left border-radius border-right border-top color "
    "direction display font-family font-size font-style font-weight height letter-spacing line-height list-style-type "
    "margin margin-bottom margin-left margin-right margin-top max-width padding padding-bottom padding-left "
    "padding-right padding-top text-align text-decoration text-transform vertical-align white-space width"
)
_STYLES = set(_STYLE_NAMES.split())
_VOID = re.compile(r"<(br|hr|img)((?:\s[^<>]*)?)>")
_ADDRESS = re.compile(r'(href=")([^"]*)(")')


def to_html(html: str, link: Callable[[str], str]) -> str:
    """`html` (its expressions masked for text) as safe, well-formed XHTML; `link` gives the address for each in it."""
    return _ADDRESS.sub(lambda found: found[1] + escape(link(unescape(found[2]))) + found[3], _cleaned(html))


@functools.lru_cache(maxsize=512)
def _cleaned(html: str) -> str:
    cleaned = nh3.clean(
        html,
        tags=set(HTML_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel=None,
        filter_style_properties=_STYLES,
        strip_comments=True,
    )
    return _VOID.sub(lambda found: f"<{found[1]}{found[2].rstrip(' /')} />", cleaned).replace("&nbsp;", "&#160;")


def to_text(html: str, link: Callable[[str], str]) -> str:
    """The words of `html`, with addresses after the words they are behind; `link` gives the address for each."""
    reader = _Words(link)
    reader.feed(_cleaned(html))
    return "".join(reader.parts).strip()


class _Words(HTMLParser):
    def __init__(self, link: Callable[[str], str]) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._link = link
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
            self.parts.append(f" <{self._link(self._address)}>")
            self._address = ""
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"[ \t\n]+", " ", data))
