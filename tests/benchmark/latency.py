"""From a key typed in the Studio to the preview repainted, in Chromium: `make latency`.

A letter at a time is typed into the middle of an issue of 10, 60 and 300 stories. The clock starts when the browser
hears the key, and stops in the frame after the one in which the preview's document changed. Then the same letters at
twelve a second without waiting, as somebody types: the clock measures how long after the last key the preview shows it.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))

from conftest import ARGUMENTS, NAMES
from running_studio import RunningStudio
from stories import make_issue

from newsletter.scaffold import write_workspace

STORIES = (10, 60, 300)
KEYS = 60

# Resolves with the milliseconds from the next key to the frame after the preview's document has changed.
WATCH = """() => {
  const frame = [...document.querySelectorAll(".compose-preview iframe")].find((each) => each.offsetParent);
  window.latency = new Promise((done) => {
    let begin = 0;
    Studio.editor.view.contentDOM.addEventListener("keydown", (event) => { begin = event.timeStamp; },
      {once: true, capture: true});
    const observer = new MutationObserver(() => {
      if (!begin) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
    });
    observer.observe(frame.contentDocument, {subtree: true, childList: true, characterData: true, attributes: true});
  });
}"""

CURSOR = """(words) => {
  const view = Studio.editor.view, at = view.state.doc.toString().indexOf(words);
  view.dispatch({selection: {anchor: at + words.length}, scrollIntoView: true});
  view.focus();
}"""

SHOWN = """(words) => [...document.querySelectorAll(".compose-preview iframe")]
  .some((frame) => frame.offsetParent && frame.contentDocument.body?.textContent.includes(words))"""


def measure(page: Page, studio: RunningStudio, stories: int) -> tuple[list[float], float]:
    """Milliseconds from key to repaint for each of KEYS keys, and from the last key of a burst to its repaint."""
    page.goto(studio.url(f"/issue/2026-01-01-stories-{stories}"))
    page.wait_for_function("window.Studio?.editor")
    text = str(page.evaluate("Studio.editor.text()"))
    middle = text.index("label:", len(text) // 2)
    words = text[text.rindex("headline: ", 0, middle) : middle].splitlines()[0]
    page.wait_for_function(SHOWN, arg=words.removeprefix("headline: "), timeout=60_000)
    page.wait_for_timeout(2000)
    page.evaluate(CURSOR, words)
    page.wait_for_timeout(1000)
    times = []
    for number in range(KEYS + 5):
        page.evaluate(WATCH)
        page.keyboard.press("abcdefghijklmnopqrstuvwxyz"[number % 26])
        times.append(float(page.evaluate("window.latency")))
        page.wait_for_timeout(120)
    page.wait_for_timeout(1500)
    for _ in range(24):
        page.keyboard.press("x")
        page.wait_for_timeout(80)
    page.evaluate("window.lastKey = performance.now()")
    page.keyboard.press("q")
    page.wait_for_function(SHOWN, arg="x" * 24 + "q", polling="raf", timeout=60_000)
    burst = float(page.evaluate("performance.now() - window.lastKey"))
    return times[5:], burst


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, nargs="*", default=STORIES)
    arguments = parser.parse_args()
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("Chromium isn't installed: `make browser` installs it where it may")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder) / "workspace"
        for _ in write_workspace(root):
            pass
        for stories in arguments.stories:
            (root / "issues" / f"2026-01-01-stories-{stories}.yaml").write_text(make_issue(stories), "utf-8")
        studio = RunningStudio(root)
        studio.start()
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(studio.address)
            print("stories   p50 ms   p95 ms   max ms   after a burst ms")
            for stories in arguments.stories:
                times, burst = measure(page, studio, stories)
                p95 = statistics.quantiles(times, n=20)[-1]
                print(f"{stories:7}  {statistics.median(times):7.0f}  {p95:7.0f}  {max(times):7.0f}  {burst:17.0f}")
        finally:
            browser.close()
            studio.stop()


if __name__ == "__main__":
    main()
