"""Faults, in two kinds.

A fault in a file that a person wrote is a *value*: a `Problem`, collected with its place and a hint. An operation
that fails is an *exception*, one of the few below:

    NewsletterError
    ├── ProblemsFound        the operation needs a file without errors, and was given one with some
    ├── WorkspaceError       the folder, a setting or a file that was named isn't there or can't be used
    ├── RenderError          a template, MJML or the inliner failed on content that was checked
    ├── StoreError           the database can't be opened, is locked, full, or of another version
    ├── ProviderError        the provider can't be talked to at all (no key, unusable host)
    └── DispatchError        a sending is refused before anything was sent, or has to stop
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a Problem is."""

    ERROR = "error"
    """The issue can't be sent like this."""
    WARNING = "warning"
    """It can be sent, but a reader will probably be worse off."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file: `line` and `column` count from 1, in characters; `length` is what to underline."""

    file: str
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a user's file.

    `code` is a stable, hyphenated word for scripts; `message` one sentence without a full stop; `hint` says what to do.
    """

    code: str
    message: str
    location: Location | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """Those of `problems` that stop an issue from being sent."""
    return [problem for problem in problems if problem.is_error]


def in_reading_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by file and position, those without a place last; each told once."""
    nowhere = Location("\U0010ffff")
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.location or nowhere)


class NewsletterError(Exception):
    """An operation failed. `message` says what, `hint` what to do next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ProblemsFound(NewsletterError):
    """Raised by an operation that needs a file without errors; `problems` are all that were found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = len(errors_in(problems))
        super().__init__(f"{errors} {'error' if errors == 1 else 'errors'} to mend first")
        self.problems = list(problems)

    def __reduce__(self) -> tuple[type[ProblemsFound], tuple[list[Problem]]]:
        """By its problems, so that it comes whole out of another process."""
        return ProblemsFound, (self.problems,)


class WorkspaceError(NewsletterError):
    """The folder, a setting or a file that was named isn't there or can't be used."""


class RenderError(NewsletterError):
    """A template, MJML or the inliner failed; `problem` says where, when that is known."""

    def __init__(self, message: str, *, hint: str | None = None, problem: Problem | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem


class StoreError(NewsletterError):
    """The database can't be opened, is locked, full, read-only, or of another version."""


class ProviderError(NewsletterError):
    """The provider can't be talked to at all: no key, or an unusable host."""


class DispatchError(NewsletterError):
    """A sending is refused before anything was sent, or has to stop."""
