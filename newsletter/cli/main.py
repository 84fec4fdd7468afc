"""`newsletter`: the group of all commands, loaded one by one when they are called for, and the exit codes."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from newsletter import __version__

FINE, FAILED, USAGE, UNCERTAIN = 0, 1, 2, 3
"""Exit codes: all well; problems or a failure; called wrongly; some deliveries are uncertain."""

# Command: its module in this package, and the line that `--help` shows.
_COMMANDS = {
    "init": ("workspace", "Make a workspace: settings, a theme, a sample issue, sample subscribers."),
    "new": ("workspace", "Start a new issue."),
    "check": ("issues", "Check issues; every problem with its line and column."),
    "render": ("issues", "Write an issue as .mjml, .html, .txt and .eml."),
    "studio": ("studio", "Compose, preview, test and send in the browser."),
    "preview": ("studio", "Open an issue in the Studio."),
    "test": ("testing", "Send an issue to yourself."),
    "plan": ("sending", "Show who would get an issue, and who would not."),
    "send": ("sending", "Send an issue to a list."),
    "status": ("status", "Show what became of an issue."),
    "who": ("status", "List everybody an issue was for, and what became of it."),
    "why": ("status", "Tell everything about one address."),
    "pause": ("controlling", "Hold a sending."),
    "resume": ("sending", "Go on with a sending that was held or interrupted."),
    "cancel": ("controlling", "Call off what has not been sent."),
    "undo": ("controlling", "Call off what the provider still holds."),
    "resolve": ("controlling", "Settle what is uncertain."),
    "subscribers": ("subscribers", "Import, export and look after the people on your lists."),
    "sandbox": ("sandbox", "Run a SendGrid on this machine, to try things out."),
    "schema": ("issues", "Print the JSON Schema of issues, for editors."),
}


class _Commands(click.Group):
    """Imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"newsletter.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], _COMMANDS, 1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="newsletter")
def newsletter() -> None:
    """Compose, preview, test and send an email newsletter from files in a git repository."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line. Failures become a message on standard error and exit code 1."""
    from newsletter.errors import NewsletterError

    # Importing makes many objects that stay; looking through them again and again takes a tenth of a short command.
    gc.set_threshold(50_000)
    try:
        result = newsletter.main(args=arguments, prog_name="newsletter", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(FAILED)
    except NewsletterError as error:
        from newsletter.cli.output import print_error

        print_error(error)
        sys.exit(FAILED)
    except BrokenPipeError:
        sys.exit(FAILED)
    sys.exit(result if isinstance(result, int) else FINE)
