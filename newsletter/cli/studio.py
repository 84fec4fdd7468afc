"""`newsletter studio` and `newsletter preview`: the whole job in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

PORT = 8642
"""Where the Studio listens unless told otherwise. The same each time, so that pages that are open find it again."""


def _served(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--no-browser", is_flag=True, help="Don't open the browser."),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=PORT,
            show_default=True,
            help="On 127.0.0.1; 0 is any free one.",
        ),
    ):
        command = option(command)
    return command


@click.command("studio")
@_served
def studio_command(port: int, no_browser: bool) -> None:
    """Compose, preview, test and send in the browser, on this machine alone. Ctrl-C ends it.

    The address that is printed holds a token: who has it can do what you can. Needs the extra `newsletter[studio]`.

    \b
    Example:
      newsletter studio
    """
    from newsletter.workspace import Workspace

    _serve(Workspace.open(), "/", port, no_browser)


@click.command("preview")
@click.argument("name", metavar="[ISSUE]", required=False)
@_served
def preview_command(name: str | None, port: int, no_browser: bool) -> None:
    """Open an issue in the Studio: the YAML, and beside it what will arrive. It follows the file as you save.

    \b
    Example:
      newsletter preview spring-tides
    """
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    _serve(workspace, f"/issue/{workspace.find(name).stem}", port, no_browser)


def _serve(workspace: Any, path: str, port: int, no_browser: bool) -> None:
    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError

    try:
        from newsletter.studio.app import serve
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "fastapi", "nicegui", "starlette"):
            raise
        raise WorkspaceError("the Studio isn't installed", hint="pip install 'newsletter[studio]'") from None

    def say(address: str) -> None:
        out.print(f"The Studio is at {address}   Ctrl-C ends it", soft_wrap=True)

    serve(workspace, port=port, path=path, browser=not no_browser, say=say)
    out.print("Ended.")
