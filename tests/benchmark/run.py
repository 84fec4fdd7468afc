"""`make bench`: our pipeline, YAML to inlined HTML, against npm mjml + juice on the MJML it makes of the same issue.

Everything is measured in one run on one machine, so that the ratios mean something where the milliseconds don't.
Nothing is asserted; the last column says what is expected. The rival is given our MJML: it is spared YAML, checks,
Markdown and templates, and the plain-text part.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any

from stories import make_issue

from newsletter.workspace import Workspace

HERE = Path(__file__).parent
NODE_FOLDER = HERE.parent / "node"
SIZES = (10, 60, 500, 2000)
RIVALLED = (60, 500)
COLD_RUNS = 5
WARM_UPS = 2

SETTINGS = """\
publication:
  name: The Tidewater Letter
  url: https://tidewater.example.org
  address: Tidewater Trust, 3 Harbour Lane, Saltmarsh
sender:
  email: news@tidewater.example.org
unsubscribe:
  group_id: 1
"""


def main() -> None:
    versions = f"Python {platform.python_version()}"
    rival = shutil.which("node") is not None and (NODE_FOLDER / "node_modules").is_dir()
    if rival:
        versions += f", Node {_output('node', '--version').strip()}, {', '.join(_rival_versions())}"
    else:
        print("No Node.js with the packages of tests/node here: only our side is measured.")
    print(f"{versions}; {os.cpu_count()} cores; medians\n")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "newsletter.yaml").write_text(SETTINGS)
        (root / "issues").mkdir()
        _measure(root, rival)


def _measure(root: Path, rival: bool) -> None:
    growth: dict[int, tuple[float, int]] = {}
    _row("", "ours", "mjml + juice", "ratio", "expected")
    for stories in SIZES:
        runs = 15 if stories <= 60 else 5
        warm = _warm(root, stories, runs, changing="edition")
        source = _issue(root, stories)
        once = _ours(0, source)
        growth[stories] = (warm, once["peakRss"])
        if stories not in RIVALLED:
            continue
        rendered = Workspace.open(root).load(source).render()
        mjml, html = root / f"{stories}.mjml", root / "rival.html"
        mjml.write_text(rendered.mjml)
        theirs = _theirs(mjml, "--runs", runs) if rival else None
        theirs_once = _theirs(mjml, html) if rival else None
        render = (sys.executable, "-m", "newsletter", "render", source, "--out", root / "out")
        cold = _cold(root, *render)
        cold_rival = _cold(root, "node", NODE_FOLDER / "pipeline.mjs", mjml, html) if rival else None
        sixty = stories == 60

        print(f"{stories} stories")
        _compare(
            "  warm", _ms, warm, median(theirs["milliseconds"]) if theirs else None, ">= 6x" + ", <= 20 ms" * sixty
        )
        edited = _warm(root, stories, runs, changing="revision")
        _row("  warm, one story changed", _ms(edited), expected="<= 8 ms" if sixty else "")
        _compare("  cold, from the command line", _ms, cold, cold_rival, ">= 3x")
        rss = theirs_once["peakRss"] if theirs_once else None
        _compare("  peak memory, one run", _mb, once["peakRss"], rss, "<= 60 MB" if sixty else "")
        size = theirs_once["bytes"] if theirs_once else None
        _compare("  bytes of HTML", "{:,.0f}".format, once["bytes"], size, "<= 102,400" if sixty else "")
        content = content_bytes(rendered.html)
        ratio = f"{once['bytes'] / content:.2f}x"
        _row("  bytes of text, URLs and alt text", f"{content:,}", "", ratio, "HTML <= 3.4x" if sixty else "")

    print()
    _row("growth", "warm", "a story", "peak memory", "expected")
    for stories, (warm, peak) in growth.items():
        expected = (
            f"<= 1,000 ms, <= 200 MB; {warm / growth[500][0]:.1f}x the time of 500, <= 5x" if stories == 2000 else ""
        )
        _row(f"{stories} stories", _ms(warm), f"{warm / stories:.3f} ms", _mb(peak), expected)


def _warm(root: Path, stories: int, runs: int, *, changing: str) -> float:
    """Median milliseconds of renderings in one warm process: each of another `edition` (no text is met twice) or
    of another `revision` (one story is new)."""
    files = [_issue(root, stories, **{changing: number}) for number in range(1, WARM_UPS + runs + 1)]
    return median(_ours(WARM_UPS, *files)["milliseconds"])


def _ours(warm_ups: int, *files: Path) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(_output(sys.executable, HERE / "pipeline.py", warm_ups, *files))
    return measured


def _theirs(*arguments: object) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(_output("node", NODE_FOLDER / "pipeline.mjs", *arguments))
    return measured


def _issue(root: Path, stories: int, edition: int = 0, revision: int = 0) -> Path:
    path = root / "issues" / f"stories-{stories}-{edition}-{revision}.yaml"
    path.write_text(make_issue(stories, edition=edition, revision=revision))
    return path


def _cold(root: Path, *command: object) -> float | None:
    """Median milliseconds from starting a command to its end; None, and what it said, when it fails."""
    taken = []
    for _ in range(COLD_RUNS):
        start = time.perf_counter()
        ended = subprocess.run([str(part) for part in command], cwd=root, capture_output=True, text=True)
        taken.append((time.perf_counter() - start) * 1000)
        if ended.returncode:
            print(f"failed: {' '.join(map(str, command))}\n{ended.stderr}", file=sys.stderr)
            return None
    return median(taken)


def _output(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def _rival_versions() -> list[str]:
    wanted = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
    return [f"{name} {version}" for name, version in wanted.items()]


def _compare(what: str, shown: Callable[[float], str], ours: float | None, theirs: float | None, expected: str) -> None:
    """One row; the ratio is how many times more the rival needs."""
    ratio = f"{theirs / ours:.1f}x" if ours and theirs else ""
    _row(what, shown(ours) if ours else "failed", shown(theirs) if theirs else "-", ratio, expected)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.1f} ms"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _row(what: str, ours: str, theirs: str = "", ratio: str = "", expected: str = "") -> None:
    print(f"{what:<36}{ours:>14}{theirs:>14}{ratio:>13}   {expected}".rstrip(), flush=True)


class _Content(HTMLParser):
    """Adds up what an author wrote: visible text, addresses, alt text."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in ("style", "title")
        self.bytes += sum(len((value or "").encode()) for name, value in attrs if name in ("href", "src", "alt"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.bytes += len(" ".join(data.split()).encode())


def content_bytes(html: str) -> int:
    """Bytes of the text, addresses and alt text in `html`: what no layout can save."""
    content = _Content()
    content.feed(html)
    return content.bytes


if __name__ == "__main__":
    main()
