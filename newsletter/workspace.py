"""A workspace: the folder that `newsletter.yaml` marks, with its settings, issues and themes."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.check import check_issue, check_rendered
from newsletter.errors import Location, Problem, ProblemsFound, RenderError, WorkspaceError, errors_in, in_reading_order
from newsletter.issue import Issue, RenderedIssue
from newsletter.issue.model import Sender, slug_of
from newsletter.render import ImageFolder, Inputs, conditions_of, render
from newsletter.settings import FILE_NAME, Settings
from newsletter.source import Source, parse_source, read_source, validate
from newsletter.theme import Theme, load_theme

if TYPE_CHECKING:
    from newsletter.environment import Environment
    from newsletter.esp.sendgrid import SendGrid
    from newsletter.store import Store
    from newsletter.subscriber import Subscriber

ISSUES = "issues"
STATE = ".newsletter"
"""The folder for what a workspace keeps for itself and git doesn't."""
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}-")


@dataclass(frozen=True)
class Workspace:
    """An opened workspace. `root` is its folder; `settings` are valid."""

    root: Path
    settings: Settings
    source: Source = field(repr=False)

    @classmethod
    def open(cls, folder: Path | str = ".") -> Workspace:
        """The workspace that `folder` is in, at any depth.

        Raises WorkspaceError when there is none, and ProblemsFound when its `newsletter.yaml` has faults.
        """
        start = Path(folder).resolve()
        root = next((place for place in (start, *start.parents) if (place / FILE_NAME).is_file()), None)
        if root is None:
            hint = "run `newsletter init DIR` to make one, or go to the folder that has one"
            raise WorkspaceError(f"there is no {FILE_NAME} here or in any folder above", hint=hint)
        source, problems = read_source(root / FILE_NAME, FILE_NAME)
        settings = None
        if source is not None:
            settings, more = validate(source, Settings)
            problems = problems + more
        if settings is None or source is None or errors_in(problems):
            raise ProblemsFound(in_reading_order(problems))
        return cls(root, settings, source)

    @functools.cached_property
    def environment(self) -> Environment:
        """Secrets and hosts, from the environment and the workspace's `.env`."""
        from newsletter.environment import read_environment

        return read_environment(self.root)

    def with_environment(self, **changes: Any) -> Workspace:
        """The same workspace with other secrets or hosts."""
        other = replace(self)
        other.__dict__["environment"] = self.environment.model_copy(update=changes)
        return other

    @property
    def database_url(self) -> str:
        """Where subscribers and deliveries are kept, as an SQLAlchemy URL."""
        chosen = self.environment.newsletter_database_url or self.settings.database
        if chosen is None:
            return f"sqlite:///{self.root / STATE / 'newsletter.db'}"
        local = "sqlite:///"
        if chosen.startswith(local) and not chosen.startswith(local + "/"):
            return local + str(self.root / chosen.removeprefix(local))
        return chosen

    def open_store(self) -> Store:
        """The database of subscribers and deliveries; to be closed. Raises StoreError."""
        from newsletter.store import open_store

        return open_store(self.database_url)

    def open_provider(self) -> SendGrid:
        """SendGrid, or whoever stands in for it at SENDGRID_HOST; to be closed. Raises ProviderError."""
        from newsletter.esp.sendgrid import SendGrid

        key = self.environment.sendgrid_api_key
        return SendGrid(key.get_secret_value() if key else None, self.environment.sendgrid_host)

    @property
    def secret(self) -> str | None:
        """What signs unsubscribe links."""
        secret = self.environment.newsletter_secret
        return secret.get_secret_value() if secret else None

    def reader(self, email: str | None) -> Subscriber:
        """The subscriber with this address, or a sample one who has every attribute. Raises WorkspaceError."""
        from newsletter.subscriber import sample_subscriber

        if email is None:
            return sample_subscriber()
        from newsletter.store.subscribers import subscriber_by_address

        with self.open_store() as store, store.read() as connection:
            person = subscriber_by_address(connection, email)
        if person is None:
            raise WorkspaceError(f"there is no subscriber {email}", hint="see `newsletter subscribers list`")
        return person

    def issue_files(self) -> list[Path]:
        """The issues' files, newest name first."""
        return sorted((self.root / ISSUES).glob("*.yaml"), reverse=True)

    def find(self, name: str | None) -> Path:
        """The file of the issue called `name`: a path, a file name with or without its date, or a slug; the only one
        there is when None.

        Raises WorkspaceError, which names what there is.
        """
        files = self.issue_files()
        if name is None:
            if len(files) == 1:
                return files[0]
            listed = ", ".join(file.stem for file in files[:8]) or "none yet"
            raise WorkspaceError("which issue?", hint=f"name one: {listed}")
        for path in (Path(name), self.root / name, self.root / ISSUES / name, self.root / ISSUES / f"{name}.yaml"):
            if path.is_file():
                return path.resolve()
        undated = [file for file in files if _DATE.sub("", file.stem) == name]
        if len(undated) == 1:
            return undated[0]
        by_slug = [file for file in files if self.load(file).slug == name]
        if len(by_slug) == 1:
            return by_slug[0]
        listed = ", ".join(file.stem for file in files[:8]) or "none yet"
        raise WorkspaceError(f"there is no issue `{name}`", hint=f"there are {listed}")

    def load(self, name: Path | str | None = None) -> Edition:
        """The issue called `name` with all its Problems; it may not be fit to be rendered."""
        path = name if isinstance(name, Path) else self.find(name)
        return Edition.read(self, path)

    def shown(self, path: Path) -> str:
        """`path` as people know it: from the workspace's root on, where it is in there."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


@dataclass(frozen=True)
class Edition:
    """An issue's file in its workspace: the source, what could be read of it, and the Problems met on the way."""

    workspace: Workspace
    path: Path
    source: Source | None
    issue: Issue | None
    theme: Theme | None
    problems: Sequence[Problem]

    @classmethod
    def read(cls, workspace: Workspace, path: Path) -> Edition:
        """Read the file at `path`. Faults in it are the Edition's Problems."""
        return cls._of(workspace, path, *read_source(path, workspace.shown(path)))

    @classmethod
    def of_text(cls, workspace: Workspace, path: Path, text: str) -> Edition:
        """As `read`, of `text` that is to become the content of the file at `path`."""
        return cls._of(workspace, path, *parse_source(text, workspace.shown(path)))

    @classmethod
    def _of(cls, workspace: Workspace, path: Path, source: Source | None, problems: list[Problem]) -> Edition:
        if source is None:
            return cls(workspace, path, None, None, None, problems)
        issue, more = validate(source, Issue)
        if issue is None:
            return cls(workspace, path, source, None, None, in_reading_order(problems + more))
        theme, faults = load_theme(issue.theme or workspace.settings.theme, workspace.root)
        if theme is None:
            faults = [_at_theme(fault, source, workspace) for fault in faults]
        edition = cls(workspace, path, source, issue, theme, ())
        found = problems + faults + check_issue(source, issue, workspace.settings, edition.images().find)
        return cls(workspace, path, source, issue, theme, in_reading_order(found))

    @property
    def file(self) -> str:
        return self.workspace.shown(self.path)

    @property
    def slug(self) -> str:
        """The issue's lasting name."""
        return (self.issue.slug if self.issue else None) or slug_of(self.path.stem)

    @property
    def sender(self) -> Sender:
        """Whom the issue comes from."""
        settings, issue = self.workspace.settings, self.ready()
        chosen = issue.sender or Sender(email=settings.sender.email, name=settings.sender.name)
        return chosen if chosen.name else Sender(email=chosen.email, name=settings.publication.name)

    @property
    def reply_to(self) -> str | None:
        return self.ready().reply_to or self.workspace.settings.sender.reply_to

    @property
    def conditions(self) -> tuple[str, ...]:
        """The issue's distinct `when:`s."""
        return conditions_of(self.ready())

    def images(self) -> ImageFolder:
        """Where the issue's local images are found."""
        return ImageFolder((self.path.parent, self.workspace.root), self.workspace.root)

    def sendable(self) -> Edition:
        """Itself, when neither the issue nor its rendering has errors. Raises ProblemsFound."""
        problems = self.check()
        if errors_in(problems):
            raise ProblemsFound(problems)
        return self

    def ready(self) -> Issue:
        """The issue, when it has no errors. Raises ProblemsFound."""
        if self.issue is None or self.theme is None or errors_in(self.problems):
            raise ProblemsFound(self.problems)
        return self.issue

    @property
    def inputs(self) -> Inputs:
        """What its renderings are made from. Raises ProblemsFound when the issue has errors."""
        issue = self.ready()
        assert self.theme is not None
        folders = (self.path.parent, self.workspace.root)
        return Inputs(issue, self.slug, self.workspace.settings, self.theme, folders, self.workspace.root, self.file)

    def render(self, variant: str | None = None) -> RenderedIssue:
        """Render a variant: a `1` or `0` for each of `conditions`; with every block when None.

        Raises ProblemsFound when the issue has errors, RenderError when rendering fails.
        """
        return render(self.inputs, variant)

    def check(self) -> list[Problem]:
        """Every Problem of the issue and of its rendering, in reading order."""
        if self.issue is None or self.source is None or self.theme is None or errors_in(self.problems):
            return list(self.problems)
        try:
            rendered = self.render()
        except RenderError as error:
            return [*self.problems, error.problem or Problem("render", error.message, Location(self.file), error.hint)]
        return in_reading_order([*self.problems, *check_rendered(rendered, self.source, self.workspace.settings)])


def _at_theme(fault: Problem, source: Source, workspace: Workspace) -> Problem:
    """A theme that isn't there is a fault of the file that names it."""
    if fault.location is not None:
        return fault
    file = source if isinstance(source.data, dict) and "theme" in source.data else workspace.source
    return Problem(fault.code, fault.message, file.locate(("theme",)), fault.hint)
