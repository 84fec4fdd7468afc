"""`newsletter test`: an issue to a few addresses of one's own, by the same way that a real send takes."""

from __future__ import annotations

import click

from newsletter.cli.main import FAILED, FINE, UNCERTAIN


@click.command("test")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option(
    "--to", "addresses", metavar="ADDR", multiple=True, required=True, help="Where to send it; can be repeated."
)
@click.option("--as", "email", metavar="EMAIL", help="Fill the personal parts as for this subscriber.")
def test_command(name: str | None, addresses: tuple[str, ...], email: str | None) -> int:
    """Send an issue to yourself: one mail to each address, "[Test]" before its subject, never counted as a delivery.

    \b
    Examples:
      newsletter test spring-tides --to me@example.org
      newsletter test spring-tides --to me@example.org --to colleague@example.org --as ada@example.org
    """
    from newsletter.cli.output import out
    from newsletter.errors import WorkspaceError
    from newsletter.esp import Accepted, Uncertain
    from newsletter.outbox import outcome_words, send_tests
    from newsletter.subscriber import normalise_address
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    try:
        to = list(dict.fromkeys(map(normalise_address, addresses)))
    except ValueError as error:
        raise WorkspaceError(f"this is not an address: {error}") from None
    edition, person = workspace.load(name), workspace.reader(email)
    code = FINE
    with workspace.open_provider() as provider:
        for address, outcome in send_tests(provider, edition, person, to):
            out.print(f"{address}: {outcome_words(outcome)}")
            if isinstance(outcome, Uncertain):
                code = UNCERTAIN
            elif not isinstance(outcome, Accepted):
                code = max(code, FAILED)
    return code
