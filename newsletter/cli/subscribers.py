"""Commands on the people of a list. Those on files of people are in `imports`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.imports import export_command, import_command

if TYPE_CHECKING:
    from newsletter.store.subscribers import Member

_LIST = click.option("--list", "list_name", metavar="NAME", required=True, help="The list.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_STATUSES = ("pending", "active", "unsubscribed")
_REASONS = ("bounce", "complaint", "unsubscribe", "manual", "invalid")


@click.group("subscribers")
def subscribers_command() -> None:
    """Import, export and look after the people on your lists.

    \b
    Examples:
      newsletter subscribers import people.csv --list members
      newsletter subscribers add ada@example.org --list members --name "Ada Example"
      newsletter subscribers list --list members
    """


subscribers_command.add_command(import_command)
subscribers_command.add_command(export_command)


@subscribers_command.command("add", short_help="Add somebody, or bring somebody back who asked for it.")
@click.argument("address")
@_LIST
@click.option("--name", default="", help="Their name.")
@click.option("--attribute", "attributes", metavar="NAME=VALUE", multiple=True, help="An attribute; can be repeated.")
@click.option("--tag", "tags", multiple=True, help="A tag; can be repeated.")
@click.option("--again", is_flag=True, help="They asked to be forgotten, and now to come back.")
def add_command(
    *, address: str, list_name: str, name: str, attributes: tuple[str, ...], tags: tuple[str, ...], again: bool
) -> None:
    """Add somebody to a list, or bring somebody back who asked for it.

    \b
    Examples:
      newsletter subscribers add ada@example.org --list members --name "Ada Example" --attribute region=north
      newsletter subscribers add ada@example.org --list members --again
    """
    from newsletter.cli.output import err, out
    from newsletter.errors import WorkspaceError
    from newsletter.store.forgotten import forgotten_since, welcome_back
    from newsletter.store.subscribers import MembershipStatus, change_membership, join_list, make_list, merge_person
    from newsletter.store.suppressions import suppressions_of
    from newsletter.subscriber import Subscriber
    from newsletter.workspace import Workspace

    pairs = dict(each.partition("=")[::2] for each in attributes)
    person = Subscriber(0, _normalised(address), name, pairs, tags)
    now = datetime.now(UTC)
    with Workspace.open().open_store() as store, store.write() as connection:
        if again:
            welcome_back(connection, person.email)
        elif (since := forgotten_since(connection, person.email)) is not None:
            hint = "add --again if they asked to come back themselves"
            raise WorkspaceError(f"{person.email} asked to be forgotten, on {since:%Y-%m-%d}", hint=hint)
        make_list(connection, list_name, now=now)
        stored = merge_person(connection, person, now=now)
        if not change_membership(connection, list_name, stored.id, MembershipStatus.ACTIVE, source="cli", now=now):
            join_list(connection, list_name, [stored.id], source="cli", now=now)
        evidence = suppressions_of(connection, stored.email)
    out.print(f"{stored.email} is on {list_name}", markup=False)
    if evidence:
        err.print(f"and is not mailed, because of: {', '.join(dict.fromkeys(each.reason for each in evidence))}")


@subscribers_command.command("remove", short_help="Unsubscribe somebody from a list.")
@click.argument("address")
@_LIST
def remove_command(address: str, list_name: str) -> None:
    """Unsubscribe somebody from a list. They stay known, so that no import brings them back.

    \b
    Example:
      newsletter subscribers remove ada@example.org --list members
    """
    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.store.subscribers import MembershipStatus, change_membership, subscriber_by_address
    from newsletter.workspace import Workspace

    with Workspace.open().open_store() as store, store.write() as connection:
        person = subscriber_by_address(connection, _normalised(address))
        left = MembershipStatus.UNSUBSCRIBED
        if person is None or not change_membership(
            connection, list_name, person.id, left, source="cli", now=datetime.now(UTC)
        ):
            raise WorkspaceError(f"{address} isn't on {list_name}", hint="see `newsletter subscribers list`")
    out.print(f"{person.email} is unsubscribed from {list_name}", markup=False)


@subscribers_command.command("suppress", short_help="Never mail an address again.")
@click.argument("address")
@click.option("--reason", type=click.Choice(_REASONS), default="manual", show_default=True, help="Why.")
@click.option("--note", help="What there is to say about it.")
def suppress_command(address: str, reason: str, note: str | None) -> None:
    """Never mail an address again, from whatever list. This can't be taken back.

    \b
    Examples:
      newsletter subscribers suppress ada@example.org
      newsletter subscribers suppress ada@example.org --reason complaint --note "by phone, to the office"
    """
    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.store.forgotten import forgotten_since
    from newsletter.store.suppressions import SuppressionReason, suppress
    from newsletter.workspace import Workspace

    email = _normalised(address)
    with Workspace.open().open_store() as store, store.write() as connection:
        if forgotten_since(connection, email) is not None:
            raise WorkspaceError(
                f"{email} asked to be forgotten", hint="they are not mailed, and not to be noted again"
            )
        why = SuppressionReason(reason)
        suppress(connection, email, why, source="cli", since_at=datetime.now(UTC), detail=note)
    out.print(f"{email} will not be mailed ({reason})", markup=False)


@subscribers_command.command("forget", short_help="Erase somebody who asks for it.")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget_command(address: str, yes: bool) -> None:
    """Erase somebody who asks for it: their data, and their address in what was sent.

    A salted hash of the address stays, so that no import brings them back. What was exported before, and files that
    were imported, are yours to delete. This can't be taken back.

    \b
    Examples:
      newsletter subscribers forget ada@example.org
      newsletter subscribers forget ada@example.org --yes
    """
    from newsletter.cli.output import out
    from newsletter.store.forgotten import forget
    from newsletter.workspace import Workspace

    email = _normalised(address)
    if not yes:
        click.confirm(f"Erase everything about {email}?", abort=True, err=True)
    with Workspace.open().open_store() as store, store.write() as connection:
        erased = forget(connection, email, now=datetime.now(UTC))
    was = "forgotten" if erased.subscriber else "forgotten (and was no subscriber)"
    out.print(f"{email} is {was}; erased from {erased.deliveries:,} deliveries", markup=False)


@subscribers_command.command("list")
@click.option("--list", "list_name", metavar="NAME", help="A list; all lists with their sizes when left out.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those who stand so on the list.")
@_JSON
def list_command(list_name: str | None, status: str | None, as_json: bool) -> None:
    """Show the lists, or who is on one.

    \b
    Examples:
      newsletter subscribers list
      newsletter subscribers list --list members --status unsubscribed
      newsletter subscribers list --list members --json
    """
    from newsletter.cli.output import out, print_json
    from newsletter.store.subscribers import MembershipStatus, list_sizes, members, need_list
    from newsletter.workspace import Workspace

    if status and not list_name:
        raise click.UsageError("--status needs --list.")
    with Workspace.open().open_store() as store, store.read() as connection:
        if list_name is None:
            sizes = {name: {status.value: n for status, n in by.items()} for name, by in list_sizes(connection).items()}
            if as_json:
                print_json(sizes)
            for name, by in () if as_json else sizes.items():
                out.print(f"{name}  " + ", ".join(f"{count:,} {status}" for status, count in by.items() if count))
            return
        need_list(connection, list_name)
        found = members(connection, list_name, MembershipStatus(status) if status else None)
        if not as_json:
            for each in found:
                click.echo(f"{each.subscriber.email}\t{each.status}\t{each.subscriber.name}")
            return
        # An array, a person a line: written as it is read.
        click.echo("[", nl=False)
        for number, each in enumerate(found):
            click.echo(("," if number else "") + "\n" + json.dumps(_as_json(each), ensure_ascii=False), nl=False)
        click.echo("\n]")


def _as_json(member: Member) -> dict[str, Any]:
    person = member.subscriber
    return {
        "email": person.email,
        "name": person.name,
        "status": member.status.value,
        "attributes": dict(person.attributes),
        "tags": list(person.tags),
    }


@subscribers_command.command("show", short_help="Show what is known of somebody.")
@click.argument("address")
@_JSON
def show_command(address: str, as_json: bool) -> None:
    """Show what is known of somebody: their data, their lists, and whether they must not be mailed.

    \b
    Examples:
      newsletter subscribers show ada@example.org
      newsletter subscribers show ada@example.org --json
    """
    from newsletter.cli.output import out, print_json
    from newsletter.errors import WorkspaceError
    from newsletter.store.forgotten import forgotten_since
    from newsletter.store.subscribers import lists_of, subscriber_by_address
    from newsletter.store.suppressions import suppressions_of
    from newsletter.workspace import Workspace

    email = _normalised(address)
    with Workspace.open().open_store() as store, store.read() as connection:
        if (since := forgotten_since(connection, email)) is not None:
            raise WorkspaceError(f"{email} asked to be forgotten, on {since:%Y-%m-%d}; nothing is known of them")
        person = subscriber_by_address(connection, email)
        evidence = suppressions_of(connection, email)
        if person is None and not evidence:
            raise WorkspaceError(f"there is no subscriber {email}", hint="see `newsletter subscribers list`")
        lists = {name: status.value for name, status in lists_of(connection, person.id).items()} if person else {}
    known: dict[str, Any] = {
        "email": person.email if person else email,
        "name": person.name if person else "",
        "attributes": dict(person.attributes) if person else {},
        "tags": list(person.tags) if person else [],
        "lists": lists,
        "suppressions": [
            {"reason": each.reason.value, "source": each.source, "since_at": each.since_at, "detail": each.detail}
            for each in evidence
        ],
    }
    if as_json:
        print_json(known)
        return
    lines = [("email", known["email"]), ("name", known["name"]), *known["attributes"].items()]
    lines += [("tags", ", ".join(known["tags"]))]
    lines += [("on", f"{name} ({status})") for name, status in lists.items()]
    lines += [
        (
            "not mailed",
            f"{each.reason}, by {each.source}, {each.since_at:%Y-%m-%d}" + f": {each.detail}" * bool(each.detail),
        )
        for each in evidence
    ]
    for key, value in lines:
        if value:
            out.print(f"{key}: {value}", markup=False)


def _normalised(address: str) -> str:
    from newsletter.errors import WorkspaceError
    from newsletter.subscriber import normalise_address

    try:
        return normalise_address(address)
    except ValueError as error:
        raise WorkspaceError(f"{address} is not an address: {error}") from None
