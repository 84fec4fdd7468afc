"""Commands on the people of a list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.main import FAILED, FINE

if TYPE_CHECKING:
    from newsletter.store import Store

_LIST = click.option("--list", "list_name", metavar="NAME", required=True, help="The list.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _opened() -> Store:
    from newsletter.store import open_store
    from newsletter.workspace import Workspace

    return open_store(Workspace.open().database_url)


@click.group("subscribers")
def subscribers_command() -> None:
    """Import, export and look after the people on your lists.

    \b
    Examples:
      newsletter subscribers import people.csv --list members
      newsletter subscribers add ada@example.org --list members --name "Ada Example"
      newsletter subscribers list --list members
    """


@subscribers_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_LIST
@_JSON
def import_command(file: Path, list_name: str, as_json: bool) -> int:
    """Add the people of a CSV file to a list; running it twice changes nothing more.

    The first line names the columns: one is the address, one may be the name, one the tags; any other is an attribute.
    Nobody who unsubscribed comes back by an import. Exit code 1 when a line was refused.

    \b
    Example:
      newsletter subscribers import people.csv --list members
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from newsletter.cli.output import err, out, print_json
    from newsletter.store.csv_files import import_csv

    with _opened() as store:
        report = import_csv(store, file, list_name, now=datetime.now(UTC))
    if as_json:
        print_json(asdict(report))
    else:
        out.print(f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged")
        if report.left:
            out.print(f"{report.left:,} have unsubscribed from {list_name}, and stay so")
        for line, reason in report.refused:
            err.print(f"{file}:{line}: {reason}")
    return FAILED if report.refused else FINE


@subscribers_command.command("export")
@_LIST
def export_command(list_name: str) -> None:
    """Write a list as CSV to standard output, safe to open in a spreadsheet.

    \b
    Example:
      newsletter subscribers export --list members > members.csv
    """
    from newsletter.store.csv_files import export_csv

    with _opened() as store, store.read() as connection:
        _need_list(connection, list_name)
        export_csv(connection, list_name, sys.stdout)


@subscribers_command.command("add")
@click.argument("address")
@_LIST
@click.option("--name", default="", help="Their name.")
@click.option("--attribute", "attributes", metavar="NAME=VALUE", multiple=True, help="An attribute; can be repeated.")
@click.option("--tag", "tags", multiple=True, help="A tag; can be repeated.")
def add_command(address: str, list_name: str, name: str, attributes: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Add somebody to a list, or bring somebody back who asked for it.

    \b
    Example:
      newsletter subscribers add ada@example.org --list members --name "Ada Example" --attribute region=north
    """
    from datetime import UTC, datetime

    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.store.csv_files import merge_person
    from newsletter.store.subscribers import MembershipStatus, change_membership, join_list, make_list
    from newsletter.subscriber import Subscriber, normalise_address

    pairs = dict(each.partition("=")[::2] for each in attributes)
    try:
        person = Subscriber(0, normalise_address(address), name, pairs, tags)
    except ValueError as error:
        raise WorkspaceError(f"this is not an address: {error}") from None
    now = datetime.now(UTC)
    with _opened() as store, store.write() as connection:
        make_list(connection, list_name, now=now)
        stored = merge_person(connection, person, now=now)
        if not change_membership(connection, list_name, stored.id, MembershipStatus.ACTIVE, source="cli", now=now):
            join_list(connection, list_name, [stored.id], source="cli", now=now)
    out.print(f"{stored.email} is on {list_name}")


@subscribers_command.command("remove")
@click.argument("address")
@_LIST
def remove_command(address: str, list_name: str) -> None:
    """Unsubscribe somebody from a list. They stay known, so that no import brings them back.

    \b
    Example:
      newsletter subscribers remove ada@example.org --list members
    """
    from datetime import UTC, datetime

    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.store.subscribers import MembershipStatus, change_membership, subscriber_by_address

    with _opened() as store, store.write() as connection:
        person = subscriber_by_address(connection, address.strip())
        left = MembershipStatus.UNSUBSCRIBED
        if person is None or not change_membership(
            connection, list_name, person.id, left, source="cli", now=datetime.now(UTC)
        ):
            raise WorkspaceError(f"{address} isn't on {list_name}", hint="see `newsletter subscribers list`")
    out.print(f"{person.email} is unsubscribed from {list_name}")


@subscribers_command.command("list")
@click.option("--list", "list_name", metavar="NAME", help="A list; all lists with their sizes when left out.")
@_JSON
def list_command(list_name: str | None, as_json: bool) -> None:
    """Show the lists, or who is on one.

    \b
    Examples:
      newsletter subscribers list
      newsletter subscribers list --list members --json
    """
    from newsletter.cli.output import out, print_json
    from newsletter.store.subscribers import list_sizes, members

    with _opened() as store, store.read() as connection:
        if list_name is None:
            sizes = {name: {status.value: n for status, n in by.items()} for name, by in list_sizes(connection).items()}
            if as_json:
                print_json(sizes)
            for name, by in () if as_json else sizes.items():
                out.print(f"{name}  " + ", ".join(f"{count:,} {status}" for status, count in by.items() if count))
            return
        _need_list(connection, list_name)
        rows = ((each.subscriber, each.status.value) for each in members(connection, list_name))
        if as_json:
            print_json([{"email": person.email, "name": person.name, "status": status} for person, status in rows])
            return
        for person, status in rows:
            out.print(f"{person.email}  {person.name}  [dim]{status}[/]")


@subscribers_command.command("show")
@click.argument("address")
@_JSON
def show_command(address: str, as_json: bool) -> None:
    """Show what is known of somebody.

    \b
    Example:
      newsletter subscribers show ada@example.org
    """
    from newsletter.cli.output import out, print_json
    from newsletter.errors import WorkspaceError
    from newsletter.store.subscribers import list_sizes, membership_statuses, subscriber_by_address
    from newsletter.store.suppressions import suppressions_of

    with _opened() as store, store.read() as connection:
        person = subscriber_by_address(connection, address.strip())
        if person is None:
            raise WorkspaceError(f"there is no subscriber {address}", hint="see `newsletter subscribers list`")
        lists = {
            name: status.value
            for name in list_sizes(connection)
            for status in membership_statuses(connection, name, [person.id]).values()
        }
        evidence = [each.reason.value for each in suppressions_of(connection, person.email)]
    known = {"email": person.email, "name": person.name, **person.attributes, "tags": list(person.tags)}
    if as_json:
        print_json({**known, "lists": lists, "suppressed": evidence})
        return
    for key, value in {**known, "lists": lists, "suppressed": evidence}.items():
        shown = ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value
        out.print(f"{key}: {', '.join(shown) if isinstance(shown, list) else shown}")


def _need_list(connection: object, list_name: str) -> None:
    from newsletter.errors import WorkspaceError
    from newsletter.store.subscribers import list_exists

    if not list_exists(connection, list_name):  # type: ignore[arg-type]  # SQLAlchemy's type stays in the store
        raise WorkspaceError(f"there is no list `{list_name}`", hint="see `newsletter subscribers list`")
