"""`make screenshots`: every issue of the workspace in Chromium: 320, 375, 600 px, light and dark, images on and off.

    python screenshots.py [WORKSPACE [FOLDER]]        from the current workspace into .build/screenshots

Nothing is fetched: pictures from elsewhere are replaced by one grey one.
"""

from __future__ import annotations

import base64
import io
import itertools
import shutil
import sys
from pathlib import Path

from conftest import ARGUMENTS, NAMES
from PIL import Image
from playwright.sync_api import Browser, Route, sync_playwright

from newsletter.issue.rendered import RenderedIssue
from newsletter.workspace import Workspace

WIDTHS = (320, 375, 600)
SCHEMES = ("light", "dark")
IMAGES = (True, False)


def with_pictures(rendered: RenderedIssue) -> str:
    """The HTML with its inline images as data, as a mail client would show them."""
    html = rendered.html
    for image in rendered.images:
        data = base64.b64encode(image.data).decode()
        html = html.replace(f"cid:{image.content_id}", f"data:{image.media_type};base64,{data}")
    return html


def shoot(browser: Browser, html: str, folder: Path, name: str) -> None:
    """Write a screenshot for each width, colour scheme and images on or off."""
    grey = io.BytesIO()
    Image.new("RGB", (3, 2), "#8a9ba8").save(grey, "PNG")
    for width, scheme, images in itertools.product(WIDTHS, SCHEMES, IMAGES):
        shown = html if images else html.replace('src="', 'src="blocked:')

        def answer(route: Route, with_images: bool = images) -> None:
            if with_images and route.request.resource_type == "image":
                route.fulfill(body=grey.getvalue(), content_type="image/png")
            else:
                route.abort()

        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.route(lambda address: not address.startswith("data:"), answer)
        page.set_content(shown, wait_until="load")
        file = folder / f"{name}-{width}-{scheme}-{'images' if images else 'no-images'}.png"
        page.screenshot(path=file, full_page=True)
        page.close()


def main(root: str = ".", into: str = ".build/screenshots") -> int:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print("Chromium isn't installed", file=sys.stderr)
        return 1
    folder = Path(into)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.open(root)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        for file in workspace.issue_files():
            edition = workspace.load(file)
            shoot(browser, with_pictures(edition.render()), folder, edition.slug)
            print(f"{edition.slug}: {folder}/{edition.slug}-*.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
