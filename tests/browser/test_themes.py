"""Each theme on a narrow and a wide screen, light and dark, with and without pictures: nothing sticks out, all can be read."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from newsletter.theme import MIN_CONTRAST, contrast, load_theme, theme_names
from newsletter.workspace import Workspace

EVERY_BLOCK = Path(__file__).parent.parent / "golden" / "issues" / "every-block.yaml"

pytestmark = pytest.mark.browser

COLOURS = """() => {
  const hex = colour => '#' + colour.match(/\\d+/g).slice(0, 3).map(part => (+part).toString(16).padStart(2, '0')).join('');
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.replace(/[\\s\\u00a0]/g, '');
    const element = walker.currentNode.parentElement;
    if (!words || getComputedStyle(element).display === 'none' || !element.getClientRects().length) continue;
    let ground = element;
    while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
    seen.push([words, hex(getComputedStyle(element).color), ground ? hex(getComputedStyle(ground).backgroundColor) : '#ffffff']);
  }
  for (const image of document.images) {
    const style = getComputedStyle(image);
    if (style.backgroundColor !== 'rgba(0, 0, 0, 0)') seen.push([image.alt, hex(style.color), hex(style.backgroundColor)]);
  }
  return seen;
}"""
"""The words that a reader sees, the colour they have, and the colour they stand on."""


def opened(browser: Browser, html: str, width: int, scheme: Any, images: bool) -> Page:
    """`html` in a window `width` pixels wide; without images, or with one grey one in place of each."""
    grey = io.BytesIO()
    Image.new("RGB", (1200, 800), "#8a9ba8").save(grey, "PNG")

    def answer(route: Route) -> None:
        if images and route.request.resource_type == "image":
            route.fulfill(body=grey.getvalue(), content_type="image/png")
        else:
            route.abort()

    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.route("**/*", answer)
    page.set_content(html, wait_until="load")
    return page


@pytest.fixture(scope="session")
def emails() -> dict[str, str]:
    """The issue that has every kind of block, in each theme."""
    edition = Workspace.open(EVERY_BLOCK.parent).load(EVERY_BLOCK)
    themes = {name: load_theme(name, None)[0] for name in theme_names(None)}
    return {name: dataclasses.replace(edition, theme=theme).render().html for name, theme in themes.items()}


@pytest.mark.parametrize("images", [True, False], ids=["images", "no-images"])
@pytest.mark.parametrize("width", [320, 375, 600, 900])
@pytest.mark.parametrize("theme", theme_names(None))
def test_nothing_sticks_out(chromium: Browser, emails: dict[str, str], theme: str, width: int, images: bool) -> None:
    page = opened(chromium, emails[theme], width, "light", images)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", theme_names(None))
def test_every_word_can_be_read(chromium: Browser, emails: dict[str, str], theme: str, scheme: str) -> None:
    page = opened(chromium, emails[theme], 600, scheme, images=False)
    seen = page.evaluate(COLOURS)
    page.close()
    assert len(seen) > 50
    faint = {(words, ink, paper) for words, ink, paper in seen if contrast(ink, paper) < MIN_CONTRAST}
    assert faint == set()
