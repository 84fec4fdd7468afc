"""`pause`, `cancel`, `undo` and `resolve`: what can be done about a sending besides going on with it."""

from __future__ import annotations

from typing import Any

import click

from newsletter.cli.main import FAILED, FINE, UNCERTAIN

_ISSUE = click.argument("name", metavar="[ISSUE]", required=False)
_LIST = click.option("--list", "list_name", metavar="NAME", help="The list, where the issue went to several.")


@click.command("pause")
@_ISSUE
@_LIST
def pause_command(name: str | None, list_name: str | None) -> None:
    """Hold a sending: calls under way end, and no other begins, in whatever terminal it runs.

    \b
    Example:
      newsletter pause spring-tides
    """
    from newsletter.cli.dispatches import one_dispatch
    from newsletter.cli.output import out
    from newsletter.dispatch.control import pause
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store:
        dispatch = one_dispatch(store, workspace, name, list_name)
        pause(store, dispatch)
    out.print(f"Paused. To go on: newsletter resume {dispatch.issue_slug} --list {dispatch.list_name}")


@click.command("cancel")
@_ISSUE
@_LIST
def cancel_command(name: str | None, list_name: str | None) -> None:
    """Call off what has not been sent. What the provider has is not touched: see `newsletter undo`.

    Those who were not mailed can be reached by sending the issue anew.

    \b
    Example:
      newsletter cancel spring-tides
    """
    from datetime import UTC, datetime

    from newsletter.cli.dispatches import one_dispatch
    from newsletter.cli.output import out
    from newsletter.cli.reports import equation
    from newsletter.dispatch.control import cancel
    from newsletter.store.deliveries import dispatch_tally
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store:
        dispatch = one_dispatch(store, workspace, name, list_name)
        count = cancel(store, dispatch, now=datetime.now(UTC))
        with store.read() as connection:
            tally = dispatch_tally(connection, dispatch.id)
    out.print(f"Cancelled: {count:,} will not get it.\n{equation(tally)}")


@click.command("undo")
@_ISSUE
@_LIST
def undo_command(name: str | None, list_name: str | None) -> int:
    """Call off what the provider still holds, of a sending with `--undo-window` or `--at`.

    In the last ten minutes before the time the provider promises nothing: what is called off then is uncertain.

    \b
    Example:
      newsletter undo spring-tides
    """
    from datetime import UTC, datetime

    from newsletter.cli.dispatches import one_dispatch
    from newsletter.cli.output import err, out
    from newsletter.dispatch.control import undo
    from newsletter.dispatch.plan import UNDO_MARGIN
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store, workspace.open_provider() as provider:
        dispatch = one_dispatch(store, workspace, name, list_name)
        undone = undo(store, provider, dispatch, now=datetime.now(UTC), margin=UNDO_MARGIN)
    out.print(f"Undone: {undone.cancelled:,} will not get it.")
    for failure in undone.failures:
        err.print(f"the provider did not call off a part of it: {failure}")
    if undone.uncertain:
        out.print(f"{undone.uncertain:,} may get it all the same: newsletter resolve {dispatch.issue_slug}")
    return UNCERTAIN if undone.uncertain else FAILED if undone.failures else FINE


@click.command("resolve")
@_ISSUE
@_LIST
@click.option("--assume-sent", is_flag=True, help="Count them as sent: some may never have got it.")
@click.option("--resend", is_flag=True, help="Send once more: some may get it twice. `resume` then does it.")
@click.option(
    "--to", "addresses", metavar="ADDR", multiple=True, help="Only these; all who are uncertain when left out."
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def resolve_command(
    name: str | None, list_name: str | None, assume_sent: bool, resend: bool, addresses: tuple[str, ...], as_json: bool
) -> int:
    """List by name those of whom it isn't known whether they were mailed, and settle that by your decision.

    A call that went out and was never answered may have been accepted. Nothing is ever sent again by itself. Reports
    of the provider settle it for sure; the absence of a report proves nothing.

    \b
    Examples:
      newsletter resolve spring-tides
      newsletter resolve spring-tides --assume-sent
      newsletter resolve spring-tides --resend --to ada@example.org
    """
    from newsletter.cli.dispatches import one_dispatch
    from newsletter.cli.output import out
    from newsletter.workspace import Workspace

    if assume_sent and resend:
        raise click.UsageError("--assume-sent and --resend exclude each other.")
    if addresses and not (assume_sent or resend):
        raise click.UsageError("With --to, say what is to become of them: --assume-sent or --resend.")
    workspace = Workspace.open()
    with workspace.open_store() as store:
        dispatch = one_dispatch(store, workspace, name, list_name)
        if not (assume_sent or resend):
            return _list(store, dispatch, as_json)
        count = _settle(store, dispatch, resend, addresses)
    if resend:
        out.print(f"{count:,} will be sent once more.")
        out.print(f"To do it: newsletter resume {dispatch.issue_slug} --list {dispatch.list_name}")
    else:
        out.print(f"{count:,} count as sent.")
    return FINE


def _list(store: Any, dispatch: Any, as_json: bool) -> int:
    from datetime import UTC, datetime

    from newsletter.cli.output import out, print_json
    from newsletter.dispatch.resolve import uncertain
    from newsletter.store.deliveries import attempts_of

    found = uncertain(store, dispatch, now=datetime.now(UTC))
    with store.read() as connection:
        attempts = {number: attempts_of(connection, number) for number in {each.batch_id for each in found}}
    rows: list[dict[str, Any]] = [
        {
            "email": each.email,
            "name": each.name,
            "attempts": [
                {"at": one.started_at.isoformat(), "outcome": one.outcome, "detail": one.detail}
                for one in attempts[each.batch_id]
            ],
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            last: dict[str, Any] = row["attempts"][-1] if row["attempts"] else {"at": "", "detail": None}
            out.print(f"{row['email']}  {last['at'][:16].replace('T', ' ')}  [dim]{last['detail'] or 'no answer'}[/]")
        out.print(f"{len(rows):,} uncertain." if rows else "Nothing is uncertain.")
        if rows:
            where = f"{dispatch.issue_slug} --list {dispatch.list_name}"
            out.print(f"  newsletter resolve {where} --assume-sent   count them as sent: some may never have got it")
            out.print(f"  newsletter resolve {where} --resend        send once more: some may get it twice")
    return UNCERTAIN if rows else FINE


def _settle(store: Any, dispatch: Any, resend: bool, addresses: tuple[str, ...]) -> int:
    import getpass
    from datetime import UTC, datetime

    from newsletter.dispatch.resolve import Decision, resolve
    from newsletter.errors import WorkspaceError
    from newsletter.subscriber import normalise_address

    try:
        emails = [normalise_address(address) for address in addresses]
    except ValueError as error:
        raise WorkspaceError(f"this is not an address: {error}") from None
    decision = Decision.RESEND if resend else Decision.ASSUME_SENT
    return resolve(store, dispatch, decision, who=getpass.getuser(), now=datetime.now(UTC), emails=emails)
