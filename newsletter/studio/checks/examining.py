"""Everything that can be found out about an issue before it is sent, and the lines of the files that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from newsletter.check.links import Answer, Link, links_of
from newsletter.errors import Location, Problem, Severity, errors_in, in_reading_order
from newsletter.studio.checks.effects import UNFILLED
from newsletter.studio.rendering import workspace_at
from newsletter.theme import builtin_templates
from newsletter.workspace import ISSUES, Edition

_AROUND = 64
"""Characters of a long line that are shown on each side of what is wrong."""


@dataclass(frozen=True)
class Excerpt:
    """A line of a file around what is wrong in it: what stands before, the wrong words, and what comes after."""

    before: str
    marked: str
    after: str


@dataclass(frozen=True)
class Examined:
    """An issue looked at. `links` are its own and the publication's; `lines` are those that Problems are about."""

    file: str
    problems: tuple[Problem, ...]
    text: str = field(default="", repr=False)
    links: tuple[Link, ...] = ()
    lines: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def can_be_sent(self) -> bool:
        """Whether no error stops it."""
        return not errors_in(self.problems)

    @property
    def asked(self) -> int:
        """How many addresses there are to ask."""
        return len({link.url for link in self.links if link.is_asked})


def problem_address(problem: Problem, stem: str) -> str | None:
    """The Studio's address of the place where a Problem is, when that is in the issue called `stem`."""
    place = problem.location
    if place is None or place.file != f"{ISSUES}/{stem}.yaml":
        return None
    return f"/issue/{quote(stem)}?line={place.line}&column={place.column}"


def examine(root: Path, path: Path) -> Examined:
    """Read, check and render an issue, and gather its links; runs in the rendering process."""
    workspace = workspace_at(root)
    edition = Edition.read(workspace, path)
    problems = in_reading_order(edition.check())
    links = links_of(workspace.settings.publication, workspace.source, ("publication",))
    if edition.issue is not None and edition.source is not None:
        links = links_of(edition.issue, edition.source) + links
    text = edition.source.text if edition.source is not None else ""
    places = [problem.location for problem in problems] + [link.location for link in links]
    return Examined(edition.file, tuple(problems), text, tuple(links), lines_at(places, root))


def lines_at(places: Iterable[Location | None], root: Path) -> dict[tuple[str, int], str]:
    """The text of the lines at `places`, in files of the workspace or of the themes that newsletter brings."""
    files: dict[str, list[str]] = {}
    found: dict[tuple[str, int], str] = {}
    for place in places:
        if place is None:
            continue
        if place.file not in files:
            files[place.file] = _lines(place.file, root)
        if 0 < place.line <= len(files[place.file]):
            found[place.file, place.line] = files[place.file][place.line - 1]
    return found


def _lines(file: str, root: Path) -> list[str]:
    for folder in (root, builtin_templates().parent):
        try:
            return (folder / file).read_text("utf-8-sig", errors="replace").splitlines()
        except OSError:
            continue
    return []


def excerpt(line: str, place: Location) -> Excerpt | None:
    """What of a line is shown, cut where it is long; None when nothing stands there."""
    start = min(max(place.column - 1, 0), len(line))
    end = min(start + max(place.length, 1), len(line))
    if not line.strip():
        return None
    before, marked, after = line[:start], line[start:end], line[end:]
    if len(before) > _AROUND + 8:
        before = "…" + before[-_AROUND:]
    if len(marked) > 2 * _AROUND:
        marked, after = marked[: 2 * _AROUND] + "…", ""
    if len(after) > _AROUND + 8:
        after = after[:_AROUND] + "…"
    return Excerpt(before, marked or " ", after)


def link_problems(answers: Mapping[str, Answer], links: Iterable[Link]) -> list[Problem]:
    """What is wrong with the links that are in the issue now, by what was answered when they were asked."""
    found = []
    for link in links:
        answer = answers.get(link.url)
        if answer is not None and answer.problem is not None:
            found.append(replace(answer.problem, location=link.location))
    return found


def unfilled_problems(unrenderable: Sequence[tuple[str, str]], text: str, file: str) -> list[tuple[Problem, list[str]]]:
    """A Problem for each reason why personal parts can't be filled, and whom it concerns. `unrenderable` are addresses
    with their reasons, `text` is the issue's, where the expression is looked for.
    """
    people: dict[str, list[str]] = {}
    for address, reason in unrenderable:
        people.setdefault(reason, []).append(address)
    found = []
    for reason, addresses in people.items():
        expression = reason.split("`")[1] if reason.count("`") >= 2 else ""
        hint = 'give a fallback: `{{ subscriber.NAME or "…" }}`'
        problem = Problem(UNFILLED, reason, _place(text, file, expression), hint, Severity.ERROR)
        found.append((problem, addresses))
    return found


def _place(text: str, file: str, words: str) -> Location | None:
    at = text.find(words) if words else -1
    if at < 0:
        return Location(file)
    return Location(
        file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), len(words.split("\n", maxsplit=1)[0])
    )
