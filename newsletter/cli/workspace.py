"""Commands that make files: a workspace, and an issue."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init_command(folder: Path) -> None:
    """Make a workspace in DIR: settings, a theme to edit, a sample issue, sample subscribers.

    Nothing that is there already is overwritten. The workspace is set to send to the sandbox.

    \b
    Example:
      newsletter init my-newsletter
    """
    from newsletter.cli.output import out
    from newsletter.scaffold import write_workspace

    for path, fresh in write_workspace(folder):
        out.print(f"{'written ' if fresh else 'kept    '} {path}")
    steps = ("newsletter studio     # all that follows, in the browser", "newsletter check", "newsletter sandbox")
    out.print("\n  ".join(("\nNext:", f"cd {folder}", *steps)))


@click.command("new")
@click.argument("title")
def new_command(title: str) -> None:
    """Start a new issue: issues/DATE-SLUG.yaml, with every field explained in comments.

    \b
    Example:
      newsletter new "Spring tides"
    """
    from newsletter.cli.output import out
    from newsletter.scaffold import start_issue
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    out.print(workspace.shown(start_issue(workspace, title)))
