"""`status`, `who` and `why`: what became of an issue, of everybody who was to get it, and of one person."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.main import FINE, UNCERTAIN

if TYPE_CHECKING:
    from newsletter.delivery import Tally
    from newsletter.store import Store
    from newsletter.store.dispatches import Dispatch

_LIST = click.option("--list", "list_name", metavar="NAME", help="Only what went to this list.")
_STATUSES = (
    "planned", "suppressed", "sending", "accepted", "refused", "uncertain", "cancelled", "deferred", "delivered",
    "bounced", "dropped", "complained",
)  # fmt: skip


@click.command("status")
@click.argument("name", metavar="[ISSUE]", required=False)
@_LIST
@click.option("--watch", is_flag=True, help="Look again every second until nothing is being sent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status_command(name: str | None, list_name: str | None, watch: bool, as_json: bool) -> int:
    """Show what became of an issue: each sending, and the sum. All issues when none is named.

    Everybody of the audience is in exactly one of the numbers. Exit code 3 when some are uncertain.

    \b
    Examples:
      newsletter status
      newsletter status spring-tides
      newsletter status spring-tides --watch
    """
    from newsletter.cli.output import print_json
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store:
        if watch:
            return _watch(store, _chosen(store, workspace, name, list_name))
        found = _standing(store, _chosen(store, workspace, name, list_name))
        if as_json:
            print_json([_json(dispatch, tally) for dispatch, tally in found])
        else:
            _print(found)
    return UNCERTAIN if any(tally.uncertain for _, tally in found) else FINE


def _chosen(store: Store, workspace: Any, name: str | None, list_name: str | None) -> list[Dispatch]:
    from newsletter.cli.dispatches import dispatches_named
    from newsletter.store.dispatches import dispatches_of

    if name is not None:
        return dispatches_named(store, workspace, name, list_name)[::-1]
    with store.read() as connection:
        return [each for each in dispatches_of(connection) if list_name in (None, each.list_name)]


def _standing(store: Store, chosen: list[Dispatch]) -> list[tuple[Dispatch, Tally]]:
    """Each dispatch as it stands now. What a sender that is gone had in its hands is uncertain."""
    from datetime import UTC, datetime

    from newsletter.errors import StoreError
    from newsletter.store.batches import settle_orphans
    from newsletter.store.deliveries import dispatch_tally
    from newsletter.store.dispatches import dispatch_by_id

    def read() -> list[tuple[Dispatch, Tally]]:
        with store.read() as connection:
            return [
                (now, dispatch_tally(connection, now.id))
                for each in chosen
                if (now := dispatch_by_id(connection, each.id)) is not None
            ]

    found = read()
    if any(tally.sending for _, tally in found):
        try:
            with store.write() as connection:
                settled = settle_orphans(connection, now=datetime.now(UTC))
        except StoreError:
            return found  # it can be read and not written: then it is told as it is
        if settled:
            found = read()
    return found


def _print(found: list[tuple[Dispatch, Tally]]) -> None:
    from newsletter.cli.output import out
    from newsletter.cli.reports import equation, next_steps, state_words
    from newsletter.delivery import sum_of

    if not found:
        out.print("Nothing has been sent yet.")
    for dispatch, tally in found:
        when = dispatch.started_at or dispatch.planned_at
        reason = f" {dispatch.stop_reason}" if dispatch.stop_reason else ""
        out.print(f"[bold]{dispatch.issue_slug}[/] to {dispatch.list_name}, {when:%Y-%m-%d %H:%M} UTC")
        out.print(f"  {state_words(dispatch.state)}{reason}")
        out.print(f"  {equation(tally)}")
        for line in next_steps(dispatch.issue_slug, dispatch.list_name, dispatch.state, tally):
            out.print(f"  {line}")
    if len(found) > 1:
        out.print(f"In sum: {equation(sum_of(tally for _, tally in found))}")


def _json(dispatch: Dispatch, tally: Tally) -> dict[str, Any]:
    from newsletter.cli.reports import tally_json

    return {
        "issue": dispatch.issue_slug,
        "list": dispatch.list_name,
        "dispatch": dispatch.id,
        "state": dispatch.state.value,
        "reason": dispatch.stop_reason,
        "planned_at": dispatch.planned_at.isoformat(),
        "send_at": dispatch.send_at.isoformat() if dispatch.send_at else None,
        **tally_json(tally),
    }


def _watch(store: Store, chosen: list[Dispatch]) -> int:
    """Show the standing again and again; the rate is what was settled since the last look."""
    from rich.live import Live

    from newsletter.cli.output import out
    from newsletter.cli.reports import equation
    from newsletter.delivery import DispatchState

    before: dict[int, tuple[float, int]] = {}
    with Live(console=out, auto_refresh=False) as live:
        while True:
            found = _standing(store, chosen)
            lines = []
            for dispatch, tally in found:
                done, now = tally.accepted + tally.refused + tally.uncertain, time.monotonic()
                then, had = before.get(dispatch.id, (now, done))
                before[dispatch.id] = (now, done)
                rate = f"  {(done - had) / (now - then):,.0f}/s" if now > then else ""
                lines.append(f"[bold]{dispatch.issue_slug}[/] {dispatch.state}{rate}\n  {equation(tally)}")
            live.update("\n".join(lines) or "Nothing has been sent yet.", refresh=True)
            if not any(
                dispatch.state is DispatchState.SENDING and tally.planned + tally.sending for dispatch, tally in found
            ):
                return UNCERTAIN if any(tally.uncertain for _, tally in found) else FINE
            time.sleep(1)


@click.command("who")
@click.argument("name", metavar="[ISSUE]", required=False)
@_LIST
@click.option("--status", "statuses", type=click.Choice(_STATUSES), multiple=True, help="Only these; can be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    help="How to print them; json has one object a line.",
)
def who_command(name: str | None, list_name: str | None, statuses: tuple[str, ...], form: str) -> None:
    """List everybody an issue was for, with what became of it.

    \b
    Examples:
      newsletter who spring-tides
      newsletter who spring-tides --status refused --status uncertain
      newsletter who spring-tides --format csv > who.csv
    """
    from newsletter.cli.dispatches import dispatches_named
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    with workspace.open_store() as store:
        chosen = dispatches_named(store, workspace, name, list_name)[::-1]
        _write_people(_people(store, chosen, statuses), form)


def _people(store: Store, chosen: list[Dispatch], statuses: tuple[str, ...]) -> Iterator[dict[str, str]]:
    from newsletter.delivery import DeliveryStatus
    from newsletter.store.deliveries import deliveries_of

    wanted = [DeliveryStatus(status) for status in statuses]
    with store.read() as connection:
        for dispatch in chosen:
            for each in deliveries_of(connection, dispatch.id, wanted):
                yield {
                    "email": each.email,
                    "name": each.name,
                    "list": dispatch.list_name,
                    "status": each.status.value,
                    "reason": each.reason or "",
                }


def _write_people(people: Iterator[dict[str, str]], form: str) -> None:
    import json

    if form == "csv":
        from newsletter.store.spreadsheet import guarded

        writer = csv.writer(sys.stdout)
        writer.writerow(["email", "name", "list", "status", "reason"])
        for each in people:
            writer.writerow([guarded(value) for value in each.values()])
        return
    for each in people:
        if form == "json":
            sys.stdout.write(json.dumps(each, ensure_ascii=False) + "\n")
        else:
            reason = f"  {each['reason']}" if each["reason"] else ""
            sys.stdout.write(f"{each['email']}  {each['status']}{reason}\n")


@click.command("why")
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def why_command(address: str, as_json: bool) -> None:
    """Tell everything about one address: each sending, whether it was for them and why, each attempt, each event.

    \b
    Example:
      newsletter why ada@example.org
    """
    from newsletter.cli.histories import history, print_history
    from newsletter.cli.output import print_json
    from newsletter.errors import WorkspaceError
    from newsletter.subscriber import normalise_address
    from newsletter.workspace import Workspace

    try:
        email = normalise_address(address)
    except ValueError as error:
        raise WorkspaceError(f"this is not an address: {error}") from None
    workspace = Workspace.open()
    with workspace.open_store() as store, store.read() as connection:
        told = history(connection, email)
    if as_json:
        print_json(told)
    else:
        print_history(told)
