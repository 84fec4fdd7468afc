"""An issue looks the same whichever compiler its MJML goes through: mrml (ours) or npm mjml."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from mjml import mjml2html
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Route

TESTS = Path(__file__).parent.parent
GOLDEN = sorted((TESTS / "golden").rglob("*.mjml"))
NODE_FOLDER = TESTS / "node"

TOLERATED = 0.005
"""The share of pixels that may differ: compilers round widths and place whitespace differently."""

NOTICEABLE = 24
"""The difference, of 255, from which on a pixel counts: below it lies the smoothing of letters."""

pytestmark = [pytest.mark.browser, pytest.mark.node]


@pytest.fixture(scope="session")
def npm_html() -> dict[str, str]:
    """Every golden MJML as npm mjml compiles it, by file."""
    if shutil.which("node") is None:
        pytest.skip("Node.js isn't installed")
    if not (NODE_FOLDER / "node_modules" / "mjml").is_dir():
        pytest.skip("npm mjml isn't installed in tests/node: `make unit` does that where Node.js is new enough")
    command = ["node", str(NODE_FOLDER / "compile.mjs"), *map(str, GOLDEN)]
    results = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {result["file"]: result["html"] for result in results}


def flat_colour() -> bytes:
    """A grey picture, 3 by 2, in place of every picture on the way."""
    file = io.BytesIO()
    Image.new("RGB", (3, 2), "#8a9ba8").save(file, "PNG")
    return file.getvalue()


def look(browser: Browser, html: str, width: int) -> Image.Image:
    """A screenshot of the whole of `html`; nothing is fetched, pictures are of one colour."""
    picture = flat_colour()

    def answer(route: Route) -> None:
        if route.request.resource_type == "image":
            route.fulfill(body=picture, content_type="image/png")
        else:
            route.abort()

    page = browser.new_page(viewport={"width": width, "height": 800})
    try:
        page.route("**/*", answer)
        page.set_content(html, wait_until="load")
        return Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    finally:
        page.close()


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that differ noticeably; where one picture is taller, all of its surplus does."""
    size = (max(one.width, other.width), max(one.height, other.height))
    first, second = (Image.new("RGB", size, colour) for colour in ("#ff00ff", "#00ff00"))
    first.paste(one)
    second.paste(other)
    red, green, blue = ImageChops.difference(first, second).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(largest.histogram()[NOTICEABLE:]) / (size[0] * size[1])


def test_there_are_golden_files_to_look_at() -> None:
    assert GOLDEN, "there is no golden .mjml to look at"


@pytest.mark.parametrize("width", [600, 375])
@pytest.mark.parametrize("file", GOLDEN, ids=[str(file.relative_to(TESTS)) for file in GOLDEN])
def test_both_compilers_give_the_same_look(chromium: Browser, npm_html: dict[str, str], file: Path, width: int) -> None:
    ours = look(chromium, mjml2html(file.read_text(), fonts={}), width)
    theirs = look(chromium, npm_html[str(file)], width)
    assert difference(ours, theirs) <= TOLERATED


def test_a_difference_is_seen(chromium: Browser) -> None:
    """Without this, a comparison that is always content would go unnoticed."""
    page = '<body style="margin:0"><p style="margin:0;height:100px;background:{}">Hello</p>'
    one, other = (look(chromium, page.format(colour), 375) for colour in ("#ffffff", "#004488"))
    assert difference(one, one) == 0
    assert difference(one, other) > TOLERATED
