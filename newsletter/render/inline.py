"""A theme's style sheet, written into the elements it applies to, as mail clients need it."""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

from newsletter.errors import RenderError

_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_PLAIN_SELECTOR = re.compile(r"[a-z0-9_.\s>-]+", re.IGNORECASE)
"""Elements and classes, one in another. Whether one applies to an element depends on nothing but the way to it."""

MAX_SHEETS = 32
"""Parsed style sheets that are kept: those of a few themes."""


def inline(html: str, css: str) -> str:
    """`html` with the rules of `css` inlined; its own style elements and conditional comments stay as they are.

    Neither the network nor a file is touched, whatever the style sheet says. Raises RenderError.
    """
    from lxml import etree

    # lxml keeps the doctype in upper case only; without one, browsers go to quirks mode.
    html = _DOCTYPE.sub("<!DOCTYPE html>", html.strip(), count=1)
    try:
        page = etree.fromstring(html, etree.HTMLParser())
        inliner = _inliner()(
            css_text=css,
            allow_network=False,
            allow_loading_external_files=False,
            align_floating_images=False,
            cssutils_logging_level=logging.CRITICAL,
            disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
            disable_link_rewrites=True,
            disable_validation=True,
            include_star_selectors=False,
            keep_style_tags=False,
            remove_classes=False,
            remove_unset_properties=False,
            strip_important=False,
        )
        if inliner.knows_only_plain_selectors():
            _inline_shapes(page, inliner)
        else:
            for style in page.iter("style"):
                style.set("data-premailer", "ignore")
            inliner.transform(page)
            for style in page.iter("style"):
                style.attrib.pop("data-premailer", "")  # premailer leaves it where there is a `media`
        return str(etree.tostring(page.getroottree(), method="html", pretty_print=True, encoding="unicode"))
    except Exception as error:  # what cssutils and lxml raise has no common base
        raise RenderError(f"the style sheet can't be inlined: {error}") from error


def _inline_shapes(page: Any, inliner: Any) -> None:
    """Inline into one element of each shape (its tag, class and style, and those around it), and give all its styles.

    An issue of many stories has few shapes, and premailer's work grows with elements times rules.
    """
    from lxml import etree

    def given(element: Any) -> dict[str, str]:
        return {name: value for name in ("class", "style") if (value := element.get(name)) is not None}

    shapes = etree.Element(page.tag, given(page))
    known: dict[tuple[Any, ...], Any] = {}
    pairs = [(page, shapes)]

    def collect(element: Any, shape: Any) -> None:
        for child in element:
            tag = child.tag
            if tag == "style" or not isinstance(tag, str):
                continue
            key = (shape, tag, child.get("class"), child.get("style"))
            if (alike := known.get(key)) is None:
                alike = known[key] = etree.SubElement(shape, tag, given(child))
            pairs.append((child, alike))
            collect(child, alike)

    collect(page, shapes)
    inliner.transform(shapes)
    styles = {shape: shape.get("style") for shape in (shapes, *known.values())}
    for element, shape in pairs:
        if (style := styles[shape]) is not None:
            element.set("style", style)
    for left_over in shapes.findall("head/style"):  # `a:hover` and the like
        page.find("head").append(left_over)


@contextlib.contextmanager
def _no_requests() -> Iterator[None]:
    """Nothing in place of `requests`, which premailer imports in order to fetch, and which is slow to import."""
    if "requests" in sys.modules:
        yield
        return
    sys.modules["requests"] = types.ModuleType("requests")
    try:
        yield
    finally:
        del sys.modules["requests"]


@functools.cache
def _inliner() -> Any:
    """premailer's class, imported when it is needed (it is slow to import), cut off from the network."""
    with _no_requests():
        import cssutils
        from premailer import Premailer

    # cssutils follows `@import` itself, past premailer's own switches.
    cssutils.util._defaultFetcher = lambda _url: None
    parsed: dict[str, tuple[list[Any], list[Any]]] = {}
    parsing = threading.Lock()  # cssutils keeps state of its own while it parses

    class Inliner(Premailer):  # type: ignore[misc]  # premailer has no types
        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
            """As premailer does it, but once for a sheet: issues share those of their theme."""
            with parsing:
                if css_body not in parsed:
                    if len(parsed) >= MAX_SHEETS:
                        parsed.clear()
                    parsed[css_body] = super()._parse_style_rules(css_body, ruleset_index)
                rules, leftover = parsed[css_body]
            return list(rules), list(leftover)

        def knows_only_plain_selectors(self) -> bool:
            rules, _ = self._parse_style_rules(self.css_text[0], 0)
            return all(_PLAIN_SELECTOR.fullmatch(selector) for _, selector, _ in rules)

    return Inliner


def forbidden_in_css(css: str) -> str | None:
    """The first thing in a style sheet that would fetch something from elsewhere, if any."""
    found = re.search(r"@import|@font-face|url\(\s*['\"]?(?!data:)[^)]*|expression\(", css, re.IGNORECASE)
    return found[0] if found else None
