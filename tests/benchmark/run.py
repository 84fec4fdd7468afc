"""`make bench`: our pipeline, YAML to inlined HTML and plain text, against npm mjml + juice on the same issue.

Everything is measured in one run on one machine, the two sides in turns, so that the ratios mean something where the
milliseconds don't. Nothing is asserted: the last column says whether what is expected was met.

The rival compiles the issue as its authors would write it: a section with a picture and a text for each story, and
the theme's style sheets for juice to inline. In a second row it is given the MJML that we make on the way, rows of one
table: that is our work, and spares it most of its own.
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
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any

from stories import make_issue, make_mjml

# newsletter itself isn't imported here: a child's peak memory is never less than its parent's was.

HERE = Path(__file__).parent
NODE_FOLDER = HERE.parent / "node"
COMMANDS = NODE_FOLDER / "node_modules" / ".bin"
SIZES = (10, 60, 500, 2000)
RIVALLED = (60, 500)
ROUNDS = 3
COLD_ROUNDS = 5
WARM_UPS = 2

NO_FETCHING = [f"--web-resources-{what}=false" for what in ("images", "links", "scripts")]
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
        wanted = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
        packages = ", ".join(f"{name} {version}" for name, version in wanted.items())
        versions += f", Node {_run('node', '--version').output.strip()}, {packages}"
    else:
        print("No Node.js with the packages of tests/node here: only our side is measured.")
    print(f"{versions}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians\n")
    _row("", "ours", "theirs", "ratio", "expected")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "newsletter.yaml").write_text(SETTINGS)
        (root / "issues").mkdir()
        for stories in RIVALLED:
            print(f"{stories} stories")
            _compare(root, stories, rival=rival)
        print("\ngrowth")
        _growth(root)


def _compare(root: Path, stories: int, *, rival: bool) -> None:
    source = _issue(root, stories)
    render = (sys.executable, "-m", "newsletter", "render", source, "--out", root / "out")
    _run(*render, folder=root)
    rendered = root / "out" / f"stories-{stories}.html"
    mjml, theirs = root / "authored.mjml", root / "theirs.html"
    mjml.write_text(make_mjml(stories, _run(sys.executable, HERE / "pipeline.py", "css", source).output))

    runs = 5 if stories <= 60 else 2
    warm = Turns()
    for number in range(ROUNDS):
        warm.ours += _warm(root, stories, runs, first=number * runs, changing="edition")
        if rival:
            warm.authored += _rival(mjml, runs)
            warm.compact += _rival(rendered.with_suffix(".mjml"), runs)
    edited = _warm(root, stories, ROUNDS * runs, changing="revision")
    _ratio("  warm, in one process", warm.ours, warm.authored, at_least=6)
    _ratio("    theirs from our compact MJML", warm.ours, warm.compact)
    if stories == 60:
        _most("    milliseconds", median(warm.ours), 20, _ms)
        _most("    with one story changed", median(edited), 8, _ms)

    cold = Turns()
    peaks, their_peaks = [], []
    for _ in range(COLD_ROUNDS):
        ran = _run(*render, folder=root)
        cold.ours.append(ran.milliseconds)
        peaks.append(ran.peak)
        if rival:
            ran = _run("node", NODE_FOLDER / "pipeline.mjs", mjml, theirs)
            cold.compact.append(ran.milliseconds)
            their_peaks.append(ran.peak)
            compiled = _run(COMMANDS / "mjml", mjml, "-o", root / "compiled.html")
            inlined = _run(COMMANDS / "juice", *NO_FETCHING, root / "compiled.html", root / "inlined.html")
            cold.authored.append(compiled.milliseconds + inlined.milliseconds)
    _ratio("  cold, commands: mjml, then juice", cold.ours, cold.authored, at_least=3)
    _ratio("    theirs as one script", cold.ours, cold.compact)
    _against("  peak memory of a cold run", median(peaks), median(their_peaks) if rival else None, _mb)
    size = len(rendered.read_bytes())
    _against("  bytes of HTML", size, theirs.stat().st_size if rival else None, _bytes)
    if stories == 60:
        _most("    Gmail clips at", size, 102_400, _bytes)
        content = content_bytes(rendered.read_text())
        _row(
            "    times text, URLs and alt text", f"{size / content:.2f}x", "", "", "<= 3.4x", met=size <= 3.4 * content
        )


def _growth(root: Path) -> None:
    warm: dict[int, float] = {}
    for stories in SIZES:
        runs = 15 if stories <= 60 else 5
        warm[stories] = median(_warm(root, stories, runs, changing="edition"))
        peak = _run(sys.executable, HERE / "pipeline.py", 0, _issue(root, stories)).peak
        _row(f"  {stories} stories", _ms(warm[stories]), "", f"{warm[stories] / stories:.3f} ms each", _mb(peak))
    times = warm[2000] / warm[500]
    _row("  2,000 stories to 500", f"{times:.1f}x", "", "", "<= 5x, linear is 4x", met=times <= 5)


@dataclass
class Turns:
    """Milliseconds of both sides, measured in turns."""

    ours: list[float] = field(default_factory=list)
    authored: list[float] = field(default_factory=list)
    compact: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """What a command printed, how long it took, and its peak memory in bytes."""

    output: str
    milliseconds: float
    peak: int


def _warm(root: Path, stories: int, runs: int, *, changing: str, first: int = 0) -> list[float]:
    """Milliseconds of renderings in one warm process: each of another `edition` (no text is met twice) or of another
    `revision` (one story is new)."""
    numbers = range(first + 1, first + WARM_UPS + runs + 1)
    files = [_issue(root, stories, **{changing: number}) for number in numbers]
    return _milliseconds(_run(sys.executable, HERE / "pipeline.py", WARM_UPS, *files))


def _rival(mjml: Path, runs: int) -> list[float]:
    return _milliseconds(_run("node", NODE_FOLDER / "pipeline.mjs", mjml, "--runs", runs))


def _milliseconds(ran: Ran) -> list[float]:
    measured: dict[str, Any] = json.loads(ran.output)
    return list(measured["milliseconds"])


def _issue(root: Path, stories: int, edition: int = 0, revision: int = 0) -> Path:
    path = root / "issues" / f"stories-{stories}-{edition}-{revision}.yaml"
    path.write_text(make_issue(stories, edition=edition, revision=revision))
    return path


def _run(*command: object, folder: Path | None = None) -> Ran:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    words = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        milliseconds = (time.perf_counter() - start) * 1000
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, words)
        output.seek(0)
        return Ran(output.read(), milliseconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def _ratio(what: str, ours: list[float], theirs: list[float], *, at_least: float | None = None) -> None:
    """A row of times; the ratio is how many times longer the rival takes."""
    ratio = median(theirs) / median(ours) if theirs else None
    expected = f">= {at_least:g}x" if at_least else ""
    met = None if at_least is None or ratio is None else ratio >= at_least
    shown = f"{ratio:.1f}x" if ratio else ""
    _row(what, _ms(median(ours)), _ms(median(theirs)) if theirs else "-", shown, expected, met=met)


def _against(what: str, ours: float, theirs: float | None, shown: Any) -> None:
    """A row in which less than the rival is expected."""
    if theirs is None:
        _row(what, shown(ours), "-", "", "")
    else:
        _row(what, shown(ours), shown(theirs), f"{theirs / ours:.1f}x", ">= 1x", met=theirs >= ours)


def _most(what: str, ours: float, most: float, shown: Any) -> None:
    _row(what, shown(ours), "", "", f"<= {shown(most)}", met=ours <= most)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.1f} ms"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _bytes(size: float) -> str:
    return f"{size:,.0f}"


def _row(what: str, ours: str, theirs: str, ratio: str, expected: str, *, met: bool | None = None) -> None:
    verdict = "" if met is None else "met" if met else "short"
    print(f"{what:<36}{ours:>12}{theirs:>12}{ratio:>15}   {expected:<20} {verdict}".rstrip(), flush=True)


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
