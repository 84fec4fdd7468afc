"""`make screenshots`: emails in Chromium at 320, 375 and 600 px, light and dark, images on and off.

    python screenshots.py [WORKSPACE [FOLDER [THEME…]]]        from the current workspace into .build/screenshots

Every issue of the workspace is shown in its theme, and the issue that has every kind of block in each theme, or every
one of them in the themes that are named. Nothing is fetched: pictures from elsewhere are replaced by one grey one.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from conftest import ARGUMENTS, NAMES
from PIL import Image
from playwright.sync_api import Browser, Route, sync_playwright

from newsletter.issue.rendered import RenderedIssue, fill
from newsletter.personalise import sample_values
from newsletter.subscriber import Subscriber
from newsletter.theme import load_theme, theme_names
from newsletter.workspace import Edition, Workspace

EVERY_BLOCK = Path(__file__).parent.parent / "golden" / "issues" / "every-block.yaml"
WIDTHS = (320, 375, 600)
SCHEMES = ("light", "dark")
IMAGES = (True, False)
README_PICTURE = ".github/screenshots/spring-tides.png"
README_SHOTS = (
    "spring-tides-digest-600-light-images",
    "spring-tides-digest-375-light-images",
    "spring-tides-digest-600-dark-images",
    "spring-tides-digest-375-dark-images",
)


def as_received(rendered: RenderedIssue, person: Subscriber) -> str:
    """The HTML as `person` gets it, with its inline images as data, as a mail client would show them."""
    html = fill(rendered.html, sample_values(rendered, person))
    for image in rendered.images:
        data = base64.b64encode(image.data).decode()
        html = html.replace(f"cid:{image.content_id}", f"data:{image.media_type};base64,{data}")
    return html


def editions(workspace: Workspace, themes: list[str]) -> Iterator[tuple[str, Edition]]:
    """What is to be shown, each with a name for its files: all of it in `themes`, where any are named."""
    for file in workspace.issue_files():
        edition = workspace.load(file)
        for theme in themes or [edition.theme.name if edition.theme else ""]:
            yield f"{edition.slug}-{theme}", in_theme(edition, theme)
    every_block = workspace.load(EVERY_BLOCK)
    for theme in themes or theme_names(workspace.root):
        yield f"{every_block.slug}-{theme}", in_theme(every_block, theme)


def in_theme(edition: Edition, name: str) -> Edition:
    """The same issue in another theme."""
    theme, problems = load_theme(name, edition.workspace.root)
    return dataclasses.replace(edition, theme=theme, problems=[*edition.problems, *problems])


def shoot(browser: Browser, html: str, folder: Path, name: str) -> None:
    """Write a screenshot for each width, colour scheme and images on or off."""
    grey = io.BytesIO()
    Image.new("RGB", (3, 2), "#8a9ba8").save(grey, "PNG")

    def answer(route: Route) -> None:
        if route.request.resource_type == "image":
            route.fulfill(body=grey.getvalue(), content_type="image/png")
        else:
            route.abort()

    for width, scheme, images in itertools.product(WIDTHS, SCHEMES, IMAGES):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        if images:
            page.route(lambda address: not address.startswith("data:"), answer)
        else:
            page.route("**/*", lambda route: route.abort())
        page.set_content(html if images else html.replace('src="', 'src="blocked:'), wait_until="load")
        file = folder / f"{name}-{width}-{scheme}-{'images' if images else 'no-images'}.png"
        page.screenshot(path=file, full_page=True)
        page.close()


def main(root: str = ".", into: str = ".build/screenshots", *themes: str) -> int:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print("Chromium isn't installed", file=sys.stderr)
        return 1
    folder = Path(into)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.open(root)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        for name, edition in editions(workspace, list(themes)):
            shoot(browser, as_received(edition.render(), workspace.reader(None)), folder, name)
            print(f"{name}: {folder}/{name}-*.png")
        browser.close()
    if (workspace.root / README_PICTURE).parent.is_dir():
        readme_picture(folder, workspace.root / README_PICTURE)
    return 0


def readme_picture(folder: Path, into: Path) -> None:
    """The tops of README's screenshots side by side."""
    shots = [Image.open(folder / f"{name}.png").convert("RGB") for name in README_SHOTS]
    gap, height = 24, 1180
    sheet = Image.new("RGB", (sum(shot.width + gap for shot in shots) + gap, height + gap), "#dfe4e8")
    left = gap
    for shot in shots:
        sheet.paste(shot.crop((0, 0, shot.width, height)), (left, gap))
        left += shot.width + gap
    sheet.quantize(192, dither=Image.Dither.NONE).save(into, optimize=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
