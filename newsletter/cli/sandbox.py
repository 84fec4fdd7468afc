"""`newsletter sandbox`: a SendGrid on this machine, that misbehaves when it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from newsletter.sandbox import Rule, Sandbox

DEFAULT_PORT = 8025

Parsed = TypeVar("Parsed")


def _rules(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Rule, ...]:
    from newsletter.sandbox import parse_rule

    return tuple(_parsed(parse_rule, value) for value in values)


def _latency(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float]:
    from newsletter.sandbox import parse_latency

    return (0.0, 0.0) if value is None else _parsed(parse_latency, value)


def _parsed(parse: Callable[[str], Parsed], text: str) -> Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="Port on 127.0.0.1."
)
@click.option(
    "--keep-in", "folder", type=click.Path(path_type=Path, file_okay=False), help="Also keep the mails as files."
)
@click.option(
    "--keep",
    type=click.Choice(["all", "index", "counts"]),
    default="all",
    show_default=True,
    help="How much of the mails: index has no content, counts are for big rehearsals.",
)
@click.option(
    "--log", type=click.Path(path_type=Path, dir_okay=False), help="Add a JSON line for each accepted call to a file."
)
@click.option(
    "--fault", "rules", callback=_rules, multiple=True, metavar="NAME=RATE|NAME@CALLS", help="Misbehave; see above."
)
@click.option("--latency", callback=_latency, metavar="TIME", help="Wait before each answer: 100ms, 50-250ms.")
@click.option("--refuse", multiple=True, metavar="GLOB", help="Refuse these addresses with 400, by name.")
@click.option("--credits", type=click.IntRange(0), metavar="N", help="Take N recipients, then answer 401.")
@click.option(
    "--late-cancel",
    type=click.Choice(["works", "fails"]),
    default="works",
    show_default=True,
    help="What cancelling does in the last 10 minutes.",
)
@click.option("--events", "events_url", metavar="URL", help="Post signed events there, on this machine.")
@click.option("--bounce", multiple=True, metavar="GLOB", help="These addresses bounce.")
@click.option("--complain", multiple=True, metavar="GLOB", help="These addresses report spam.")
@click.option("--events-chaos", is_flag=True, help="Events come twice and out of order.")
@click.option("--seed", type=int, default=0, help="Which calls the rates strike; the same seed, the same calls.")
@click.pass_context
def sandbox_command(
    context: click.Context,
    /,
    *,
    port: int,
    folder: Path | None,
    keep: Any,
    log: Path | None,
    events_url: str | None,
    **misbehaviour: Any,
) -> None:
    """Run a SendGrid on this machine. It takes what the real one takes, refuses what it refuses, and sends nothing on.

    Its page lists what came in. A workspace that `newsletter init` made is set to use it. Ctrl-C ends it.

    To rehearse trouble, name faults with a rate or with the calls they strike, counted from 1:

    \b
      429, 429-bare        too many requests; bare is without X-RateLimit-Reset
      500, 502, 503        an error of the provider; the call was not accepted
      reset                read, not accepted, the connection reset
      reset-mid-upload     the same when half of the call was read
      silent               read, not accepted, never answered
      accepted-then-502, accepted-then-reset, accepted-then-silent,
      accepted-then-truncated, accepted-then-cut
                           accepted, and the answer is wrong, missing or torn

    \b
    Examples:
      newsletter sandbox
      newsletter sandbox --port 9000 --keep-in received
      newsletter sandbox --fault "accepted-then-reset=5%" --fault "429@3,7-9" --latency 100ms --seed 7
      newsletter sandbox --refuse "*@bad.example.org" --credits 5000
    """
    from newsletter.cli.output import out
    from newsletter.errors import NewsletterError
    from newsletter.sandbox import Faults, PortInUseError, Sandbox, serve

    def ready(sandbox: Sandbox) -> None:
        out.print(f"SENDGRID_HOST={sandbox.url}   the mails it gets: {sandbox.url}/   Ctrl-C ends it")
        for name, about in faults.in_words():
            out.print(f"{name}: {about}", markup=False)
        if sandbox.public_key:
            out.print(f"Events are verified by the key {sandbox.public_key}", soft_wrap=True, markup=False)

    try:
        faults = Faults(**misbehaviour)
        sandbox = Sandbox(port, folder, keep=keep, faults=faults, log=log, events_url=events_url)
        serve(sandbox, ready)
    except ValueError as error:
        raise click.UsageError(f"{error}.", context) from None
    except PortInUseError as error:
        raise NewsletterError(str(error), hint="choose another one with --port") from None
    except OSError as error:
        raise NewsletterError(
            f"the sandbox can't write there: {error}", hint="choose another --keep-in or --log"
        ) from None
    except KeyboardInterrupt:
        out.print("Ended.")
