"""Problems on a page: each with its line of the file, underlined where it is wrong, and the way there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nicegui import ui

from newsletter.errors import NewsletterError, Problem, errors_in
from newsletter.studio.checks.effects import Effect
from newsletter.studio.checks.examining import excerpt, problem_address
from newsletter.studio.widgets import chip, use, words

Lines = Mapping[tuple[str, int], str]
"""The text of lines, by file and number."""


def use_problem_list() -> None:
    """Load what the list looks like; to be called while a page is built."""
    use("problem_list.css")


def show_group(
    effect: Effect, problems: Sequence[Problem], lines: Lines, stem: str, notes: Mapping[Problem, str]
) -> None:
    """What would have one effect on readers. `notes` are said below the Problems that have one."""
    errors = len(errors_in(problems))
    with ui.element("section").classes("card problems-group").props(f'aria-label="{effect.title}"'):
        with ui.element("div").classes("problems-head"):
            with ui.element("span").classes("problems-icon " + ("bad" if errors else "warn")).props("aria-hidden=true"):
                ui.icon(f"sym_o_{effect.icon}")
            with ui.element("div").classes("grow"):
                words("h2", effect.title)
                words("p", effect.about, "muted small")
            words("span", f"{len(problems)}", "muted num problems-count")
        show_problems(problems, lines, stem, notes)


def show_problems(
    problems: Iterable[Problem], lines: Lines, stem: str, notes: Mapping[Problem, str] | None = None
) -> None:
    """A list of Problems of the issue called `stem`."""
    with ui.element("ul").classes("problems"):
        for problem in problems:
            with ui.element("li").classes("problems-item"):
                _problem(problem, lines, stem)
                if notes and problem in notes:
                    words("p", notes[problem], "small problems-note")


def coded(tag: str, text: str, classes: str = "") -> ui.element:
    """Words in which what stands between backticks is code."""
    with ui.element(tag).classes(classes) as made:
        for number, part in enumerate(text.split("`")):
            if part:
                words("code" if number % 2 else "span", part)
    return made


def _problem(problem: Problem, lines: Lines, stem: str) -> None:
    with ui.element("div").classes("problems-title"):
        icon, tone, name = ("error", "bad", "Error") if problem.is_error else ("warning", "warn", "Warning")
        ui.icon(f"sym_o_{icon}").classes(f"problems-mark {tone}").props(f'role=img aria-label="{name}"')
        coded("p", capital(problem.message), "problems-message")
        if problem.is_error:
            chip("stops the sending", "bad")
    _place(problem, lines, stem)
    if problem.hint:
        coded("p", capital(problem.hint), "problems-hint")


def _place(problem: Problem, lines: Lines, stem: str) -> None:
    place = problem.location
    if place is None:
        return
    address = problem_address(problem, stem)
    line = lines.get((place.file, place.line))
    shown = excerpt(line, place) if line is not None else None
    box = ui.element("a" if address else "div").classes("problems-place")
    if address:
        box.props["href"] = address
        box.props["title"] = "Go there in the editor"
    with box:
        where = f"line {place.line}" if address else f"{place.file}, line {place.line}"
        with ui.element("span").classes("problems-where"):
            words("span", where)
            if address:
                ui.icon("sym_o_arrow_forward").props("aria-hidden=true")
        if shown is not None:
            with ui.element("span").classes("problems-line mono"):
                words("span", shown.before.lstrip())
                words("mark", shown.marked)
                words("span", shown.after)


def capital(sentence: str) -> str:
    """A message as the beginning of a sentence; one that begins with code stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def sentences(error: NewsletterError) -> str:
    """A failure in full sentences: what happened, and what to do."""
    return ". ".join(capital(part) for part in (error.message, error.hint) if part)
