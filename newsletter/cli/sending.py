"""`plan`, `send` and `resume`: an issue to a list."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.main import FAILED, FINE, UNCERTAIN
from newsletter.cli.times import DURATION, RATE

if TYPE_CHECKING:
    from newsletter.dispatch.plan import Order, Plan
    from newsletter.dispatch.ramp import Ramp
    from newsletter.dispatch.send import Progress, Speed
    from newsletter.store import Store
    from newsletter.store.dispatches import Dispatch
    from newsletter.workspace import Workspace


def _audience(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose who gets it."""
    for option in (
        click.option(
            "--limit", type=click.IntRange(min=1), help="Only the first so many; the others can follow later."
        ),
        click.option("--exclude-received", metavar="SLUG", multiple=True, help="Not those who had this issue."),
        click.option("--exclude-list", metavar="NAME", multiple=True, help="Not those who are on this list."),
        click.option(
            "--segment", metavar="EXPR", help="Only those for whom it holds: a segment's name or an expression."
        ),
        click.option("--list", "list_name", metavar="NAME", required=True, help="The list."),
        click.argument("name", metavar="[ISSUE]", required=False),
    ):
        command = option(command)
    return command


def _speed(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how fast."""
    for option in (
        click.option("--ramp-wait", type=DURATION, default="0s", help="How long a ramp waits for bounces: 10m."),
        click.option("--ramp-stop", type=click.FloatRange(0, 100), default=5.0, show_default=True,
                     help="A ramp stops when more than this percentage is refused, bounces or complains."),
        click.option("--connections", type=click.IntRange(1, 64), default=8, show_default=True, help="Calls at once."),
        click.option("--rate", type=RATE, help="At most so many recipients: 500/min, 20/s, 10000/h."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("plan")
@_audience
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan_command(as_json: bool, **chosen: Any) -> int:
    """Show who would get an issue, in which variants, and who would not. Sends and stores nothing.

    Every personal part is filled for everybody; exit code 1 when that fails for somebody, who is named.

    \b
    Examples:
      newsletter plan spring-tides --list members
      newsletter plan spring-tides --list members --segment 'subscriber.region == "north"'
    """
    from newsletter.cli.output import print_json
    from newsletter.cli.plans import ordered, plan_json, print_plan
    from newsletter.dispatch.plan import survey
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    edition, order = ordered(workspace, **chosen)
    with workspace.open_store() as store:
        plan = survey(store, order)
    if as_json:
        print_json(plan_json(order, plan))
    else:
        print_plan(edition, order, plan)
    return FAILED if plan.unrenderable_count else FINE


@click.command("send")
@_audience
@click.option(
    "--yes", "count", metavar="COUNT", type=int, help="Send without asking, when the plan has so many recipients."
)
@click.option("--at", "at", metavar="TIME", help="When the provider is to send it, in the publication's time zone.")
@click.option(
    "--undo-window", type=DURATION, help="Let the provider hold it for so long (20m), so that it can be undone."
)
@click.option("--ramp", is_flag=True, help="A hundredth first, then a tenth, then the rest.")
@_speed
@click.option(
    "--rehearse", is_flag=True, help="The whole sending, but to a sandbox on this machine. Counts as nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def send_command(
    count: int | None,
    at: str | None,
    undo_window: Any,
    ramp: bool,
    rate: float | None,
    connections: int,
    ramp_stop: float,
    ramp_wait: Any,
    rehearse: bool,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Send an issue to a list: shows the plan, asks for the number of recipients, and sends.

    Nobody gets an issue twice, in whatever sending. After a crash or Ctrl-C, run the same command again: it goes on
    where it was, and what can't be known is uncertain and listed by `newsletter resolve`.

    Exit codes: 0 everybody it was for has been accepted, 1 some were refused or it had to stop, 3 some are uncertain.

    \b
    Examples:
      newsletter send spring-tides --list members
      newsletter send spring-tides --list members --yes 4812
      newsletter send spring-tides --list members --at "2026-03-31 09:00"
      newsletter send spring-tides --list members --ramp --ramp-wait 10m --rate 500/min
      newsletter send spring-tides --list members --rehearse
    """
    from dataclasses import replace

    from newsletter.cli.plans import ordered
    from newsletter.cli.times import send_time
    from newsletter.dispatch.ramp import Ramp
    from newsletter.dispatch.send import Speed
    from newsletter.store.dispatches import unfinished_dispatch
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    edition, order = ordered(workspace, **chosen)
    send_at = send_time(at, undo_window, workspace.settings.publication.time_zone)
    order = replace(order, ramp=ramp, send_at=send_at, rehearsal=rehearse)
    speed = Speed(connections, rate)
    stages = Ramp(ramp_stop / 100, ramp_wait.total_seconds())
    with workspace.open_store() as store:
        with store.read() as connection:
            unfinished = None if rehearse else unfinished_dispatch(connection, order.issue_slug, order.list_name)
        if unfinished is None:
            dispatch = _confirmed_plan(store, workspace, edition, order, count, quiet=as_json)
        else:
            _say_going_on(store, unfinished, order)
            dispatch = unfinished
        if dispatch is None:
            return FAILED
        return _send(store, workspace, dispatch, speed, stages, as_json=as_json)


@click.command("resume")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option("--list", "list_name", metavar="NAME", help="The list, where the issue went to several.")
@_speed
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def resume_command(
    name: str | None,
    list_name: str | None,
    rate: float | None,
    connections: int,
    ramp_stop: float,
    ramp_wait: Any,
    as_json: bool,
) -> int:
    """Go on with a sending that was paused, stopped or interrupted. `send` with the same words does the same.

    \b
    Example:
      newsletter resume spring-tides
    """
    from newsletter.cli.dispatches import one_dispatch
    from newsletter.delivery import UNFINISHED
    from newsletter.dispatch.ramp import Ramp
    from newsletter.dispatch.send import Speed
    from newsletter.errors import DispatchError
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store:
        dispatch = one_dispatch(store, workspace, name, list_name)
        if dispatch.state not in UNFINISHED:
            raise DispatchError(f"there is nothing to resume: it is {dispatch.state}")
        stages = Ramp(ramp_stop / 100, ramp_wait.total_seconds())
        return _send(store, workspace, dispatch, Speed(connections, rate), stages, as_json=as_json)


def _confirmed_plan(
    store: Store, workspace: Workspace, edition: Any, order: Order, count: int | None, *, quiet: bool
) -> Dispatch | None:
    """Freeze the plan, show it, and have it confirmed; None, and nothing kept, when it isn't."""
    from datetime import UTC, datetime

    from newsletter.cli.output import err
    from newsletter.cli.plans import planning_progress, print_plan, print_unrenderable
    from newsletter.dispatch.plan import UnrenderableError, freeze
    from newsletter.store.dispatches import discard_plan

    if count is None and not order.rehearsal and not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask here: add --yes COUNT, with the number that `plan` shows.")
    try:
        with planning_progress() as watch:
            plan = freeze(store, order, now=datetime.now(UTC), secret=workspace.secret, watch=watch)
    except UnrenderableError as error:
        print_unrenderable(error.plan)
        raise
    if not quiet:
        print_plan(edition, order, plan)
    assert plan.dispatch is not None
    if order.rehearsal or _confirmed(plan, count):
        return plan.dispatch
    with store.write() as connection:
        discard_plan(connection, plan.dispatch.id)
    err.print(f"Nothing was sent: the plan has {plan.recipients:,} recipients.")
    return None


def _confirmed(plan: Plan, count: int | None) -> bool:
    if count is None:
        words = click.prompt("Type the number of recipients to send it", default="", show_default=False)
        digits = "".join(filter(str.isdigit, words))
        count = int(digits) if digits else -1
    return count == plan.recipients


def _say_going_on(store: Store, dispatch: Dispatch, order: Order) -> None:
    """Tell that an unfinished sending is continued. Raises DispatchError when another audience was asked for."""
    from newsletter.cli.output import err
    from newsletter.errors import DispatchError
    from newsletter.store.audience import Selection
    from newsletter.store.dispatches import digests

    if Selection.from_json(dispatch.audience) != order.selection:
        raise DispatchError(
            "an unfinished sending of this issue to this list was planned for another audience",
            hint="`newsletter resume` goes on with it, `newsletter cancel` calls off the rest",
        )
    err.print(f"Going on with the sending of {dispatch.planned_at:%Y-%m-%d %H:%M} UTC, as it was planned.")
    with store.read() as connection:
        frozen = digests(connection, dispatch.id)
    bits = len(order.conditions)
    if any(len(variant) != bits or order.render(variant).digest != digest for variant, digest in frozen.items()):
        err.print("[yellow]The issue has changed since then: what was planned is what goes out.[/]")


def _send(store: Store, workspace: Workspace, dispatch: Dispatch, speed: Speed, ramp: Ramp, *, as_json: bool) -> int:
    """Send a plan, or what is left of one, and say what became of it."""
    from contextlib import ExitStack
    from datetime import UTC, datetime

    from newsletter.cli.output import err, print_json
    from newsletter.cli.reports import print_result, result_json, sending_progress
    from newsletter.dispatch.control import prepare_undo
    from newsletter.dispatch.send import send, start
    from newsletter.outbox import rehearsal_host
    from newsletter.store.dispatches import discard_dispatch

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        if dispatch.rehearsal:
            workspace = stack.enter_context(rehearsal_host(workspace))
        provider = stack.enter_context(workspace.open_provider())
        if dispatch.send_at is not None:
            prepare_undo(store, provider, dispatch)
        dispatch = start(store, dispatch.id, now=datetime.now(UTC))
        try:
            with sending_progress(dispatch) as report:
                progress = send(
                    store,
                    provider,
                    dispatch,
                    secret=workspace.secret,
                    speed=speed,
                    ramp=ramp if dispatch.audience.get("ramp") else None,
                    report=report,
                )
        except KeyboardInterrupt:
            err.print("Left at once. What was under way is uncertain; run the same command again to go on.")
            sys.stderr.flush()
            os._exit(UNCERTAIN)
        if as_json:
            print_json(result_json(dispatch, progress))
        else:
            print_result(dispatch, progress)
        if dispatch.rehearsal:
            with store.write() as connection:
                discard_dispatch(connection, dispatch.id)
    return exit_code(progress)


def exit_code(progress: Progress) -> int:
    """3 when something is uncertain, 1 when something was refused or is still to be sent, else 0."""
    from newsletter.delivery import DispatchState

    if progress.tally.uncertain:
        return UNCERTAIN
    if progress.tally.refused or progress.state is not DispatchState.COMPLETE:
        return FAILED
    return FINE
