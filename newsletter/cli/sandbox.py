"""`newsletter sandbox`: a SendGrid on this machine."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_PORT = 8025


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="Port on 127.0.0.1."
)
@click.option(
    "--keep-in", "folder", type=click.Path(path_type=Path, file_okay=False), help="Also keep the mails as files."
)
def sandbox_command(port: int, folder: Path | None) -> None:
    """Run a SendGrid on this machine. It takes what the real one takes, refuses what it refuses, and sends nothing on.

    Its page lists what came in. A workspace that `newsletter init` made is set to use it. Ctrl-C ends it.

    \b
    Examples:
      newsletter sandbox
      newsletter sandbox --port 9000 --keep-in received
    """
    from newsletter.cli.output import out
    from newsletter.errors import NewsletterError
    from newsletter.sandbox import PortInUseError, serve

    out.print(f"SENDGRID_HOST=http://127.0.0.1:{port}   the mails it gets: http://127.0.0.1:{port}/   Ctrl-C ends it")
    try:
        serve(port, folder)
    except PortInUseError as error:
        raise NewsletterError(str(error), hint="choose another one with --port") from None
    except KeyboardInterrupt:
        out.print("Ended.")
