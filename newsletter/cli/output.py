"""How the command line prints: Problems like a compiler's, errors, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from newsletter.errors import NewsletterError, Problem, ProblemsFound, RenderError, Severity, errors_in

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """`value` as JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_problems(problems: Iterable[Problem], root: Path, console: Console = out) -> None:
    """Each Problem with its place, the line with a caret under it, and the hint."""
    for problem in problems:
        console.print(problem_text(problem, root))


def problem_text(problem: Problem, root: Path) -> Text:
    """A Problem as a compiler would print it."""
    style = "bold red" if problem.is_error else "bold yellow"
    text = Text()
    text.append(f"{problem.severity}[{problem.code}]", style=style).append(f": {problem.message}\n", style="bold")
    place = problem.location
    if place is not None:
        text.append("  --> ", style="blue").append(f"{place}\n")
        line = _line(root / place.file, place.line)
        if line is not None:
            number = str(place.line)
            before = line[: place.column - 1]
            caret = "".join("\t" if character == "\t" else " " for character in before)
            length = max(1, min(place.length, len(line) - place.column + 1, 60))
            text.append(f"{number} | ", style="blue").append(f"{line}\n")
            text.append(" " * len(number) + " | ", style="blue").append(caret + "^" * length + "\n", style=style)
    if problem.hint:
        text.append("  = hint: ", style="blue").append(f"{problem.hint}\n")
    return text


def _line(path: Path, number: int) -> str | None:
    try:
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return None
    return lines[number - 1] if number <= len(lines) else None


def problem_json(problem: Problem) -> dict[str, Any]:
    """A Problem for scripts."""
    place = problem.location
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "message": problem.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "hint": problem.hint,
    }


def problem_github(problem: Problem) -> str:
    """A Problem as a workflow command that annotates a pull request on GitHub."""
    place = problem.location
    where = f" file={place.file},line={place.line},col={place.column},title={problem.code}" if place else ""
    words = problem.message + (f" ({problem.hint})" if problem.hint else "")
    escaped = words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{'error' if problem.is_error else 'warning'}{where}::{escaped}"


def summary(problems: Iterable[Problem]) -> str:
    """How many errors and warnings, in words."""
    found = list(problems)
    errors = len(errors_in(found))
    warnings = sum(problem.severity is Severity.WARNING for problem in found)
    return ", ".join(
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    )


def print_error(error: NewsletterError) -> None:
    """A failure on standard error: what happened, and what to do."""
    root = _root()
    if isinstance(error, ProblemsFound):
        print_problems(error.problems, root, err)
    if isinstance(error, RenderError) and error.problem is not None:
        err.print(problem_text(error.problem, root))
        return
    err.print(Text("error", style="bold red").append(f": {error.message}", style="bold not red"))
    if error.hint:
        err.print(Text("  = hint: ", style="blue").append(error.hint, style="not blue"))


def _root() -> Path:
    from newsletter.settings import FILE_NAME

    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), here)
