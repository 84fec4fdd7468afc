"""Commands that make files: a workspace, and an issue."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from newsletter.cli import scaffold


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init_command(folder: Path) -> None:
    """Make a workspace in DIR: settings, a theme to edit, a sample issue, sample subscribers.

    Nothing that is there already is overwritten. The workspace is set to send to the sandbox.

    \b
    Example:
      newsletter init my-newsletter
    """
    import json

    from newsletter.cli.output import out
    from newsletter.issue.schema import json_schema
    from newsletter.theme import builtin_templates

    today = datetime.date.today()  # noqa: DTZ011 - the author's own day
    files = {
        "newsletter.yaml": scaffold.SETTINGS,
        ".gitignore": scaffold.GITIGNORE,
        ".env": scaffold.ENVIRONMENT,
        "subscribers.csv": scaffold.SUBSCRIBERS,
        "issues/issue.schema.json": json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n",
        f"issues/{today}-hello.yaml": scaffold.SAMPLE.replace("DATE", str(today)),
        "templates/digest/theme.yaml": (builtin_templates() / "digest" / "theme.yaml").read_text("utf-8"),
    }
    for name, content in files.items():
        path = folder / name
        if path.exists():
            out.print(f"kept     {path}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        out.print(f"written  {path}")
    out.print(f"\nNext:\n  cd {folder}\n  newsletter check\n  newsletter preview hello\n  newsletter sandbox")


@click.command("new")
@click.argument("title")
def new_command(title: str) -> None:
    """Start a new issue: issues/DATE-SLUG.yaml, with every field explained in comments.

    \b
    Example:
      newsletter new "Spring tides"
    """
    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.issue.model import slug_of
    from newsletter.workspace import ISSUES, Workspace

    workspace = Workspace.open()
    today = datetime.date.today()  # noqa: DTZ011 - the author's own day
    slug = slug_of(title)
    path = workspace.root / ISSUES / f"{today}-{slug}.yaml"
    if path.exists():
        raise WorkspaceError(f"{workspace.shown(path)} is there already", hint="choose another title, or edit it")
    path.parent.mkdir(exist_ok=True)
    path.write_text(scaffold.new_issue(title, slug, today), "utf-8")
    out.print(workspace.shown(path))
