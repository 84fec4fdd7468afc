"""README's pictures of the Studio, on the example workspace with people who don't exist: `make screenshots` makes them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from conftest import ARGUMENTS, NAMES
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from running_studio import RunningStudio

from newsletter.scaffold import ENVIRONMENT
from newsletter.store.import_csv import import_csv
from newsletter.workspace import Workspace

ISSUE = "2026-04-28-spring-tides"
PEOPLE = 4812
INTO = Path(".github/screenshots")


def prepare(root: Path) -> None:
    """A copy of the example workspace that sends to a sandbox, with a list."""
    for name in ("issues", "newsletter.yaml"):
        copy = shutil.copytree if Path(name).is_dir() else shutil.copy
        copy(name, root / name)
    (root / ".env").write_text(ENVIRONMENT, "utf-8")
    rows = (f"reader{number}@example.org,Reader{number} Example" for number in range(PEOPLE))
    (root / "people.csv").write_text("email,name\n" + "\n".join(rows) + "\n", "utf-8")
    with Workspace.open(root).open_store() as store:
        import_csv(store, root / "people.csv", "members", now=datetime.now(UTC))


def shoot(page: Page, name: str) -> None:
    """Write what is seen, in few colours."""
    page.wait_for_timeout(2500)
    file = INTO / f"{name}.png"
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(224, dither=Image.Dither.NONE).save(file, optimize=True)
    print(file)


def main() -> int:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print("Chromium isn't installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder) / "workspace"
        root.mkdir()
        prepare(root)
        studio = RunningStudio(root)
        studio.start()
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        page = browser.new_page(viewport={"width": 1400, "height": 880})
        page.goto(studio.address)
        page.goto(studio.url("/sandbox"))
        page.get_by_role("button", name="Start").first.click()
        page.wait_for_timeout(2000)
        page.goto(studio.url(f"/issue/{ISSUE}?line=16"))
        page.wait_for_function("window.Studio?.editor")
        shoot(page, "studio-compose")
        page.emulate_media(color_scheme="dark")
        page.goto(studio.url(f"/issue/{ISSUE}/send"))
        page.get_by_text("of members").wait_for()
        shoot(page, "studio-send")
        browser.close()
        studio.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
