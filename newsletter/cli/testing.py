"""`newsletter test`: an issue to a few addresses of one's own, by the same way that a real send takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.main import FAILED, FINE, UNCERTAIN

if TYPE_CHECKING:
    from newsletter.esp import Message, Outcome, Recipient
    from newsletter.issue import RenderedIssue
    from newsletter.subscriber import Subscriber
    from newsletter.workspace import Edition


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
    from newsletter.cli.people import reader
    from newsletter.errors import WorkspaceError
    from newsletter.personalise import variant_of
    from newsletter.subscriber import normalise_address
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    try:
        to = list(dict.fromkeys(map(normalise_address, addresses)))
    except ValueError as error:
        raise WorkspaceError(f"this is not an address: {error}") from None
    edition = workspace.load(name)
    person = reader(workspace, email)
    rendered = edition.render(variant_of(edition.conditions, person))
    message = test_message(edition, rendered)
    return send_tests(edition, message, [test_recipient(edition, rendered, person, each) for each in to])


def test_message(edition: Edition, rendered: RenderedIssue) -> Message:
    """What all test mails of a rendering share."""
    from newsletter.errors import DispatchError
    from newsletter.esp import Message

    settings = edition.workspace.settings
    if settings.unsubscribe is None and settings.public_url is None:
        hint = "add `unsubscribe: {group_id: NUMBER}` to newsletter.yaml, or set `public_url:`"
        raise DispatchError("nobody could unsubscribe from this newsletter", hint=hint)
    return Message(
        from_email=edition.sender.email,
        from_name=edition.sender.name or "",
        reply_to=edition.reply_to,
        subject=f"[Test] {rendered.subject}",
        html=rendered.html,
        text=rendered.text,
        categories=("test",),
        images=rendered.images,
        unsubscribe_group=settings.unsubscribe.group_id if settings.unsubscribe else None,
    )


def test_recipient(edition: Edition, rendered: RenderedIssue, person: Subscriber, address: str) -> Recipient:
    """One recipient of a test, who sees what `person` would see. The unsubscribe link of a test unsubscribes nobody."""
    from newsletter.cli.issues import sample_values
    from newsletter.esp import Recipient

    headers = {}
    if edition.workspace.settings.public_url:
        headers = {
            "List-Unsubscribe": f"<{edition.workspace.settings.public_url}/unsubscribe/test>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return Recipient(email=address, substitutions=sample_values(rendered, person), headers=headers)


def send_tests(edition: Edition, message: Message, recipients: list[Recipient]) -> int:
    """One call for each recipient, so that none sees what went wrong for another. Gives the exit code."""
    from newsletter.cli.opened import opened_provider
    from newsletter.cli.output import out
    from newsletter.esp import Accepted, Uncertain

    code = FINE
    with opened_provider(edition.workspace) as provider:
        for recipient in recipients:
            outcome = provider.send(message, [recipient])
            out.print(f"{recipient.email}: {describe(outcome)}")
            if isinstance(outcome, Uncertain):
                code = UNCERTAIN
            elif not isinstance(outcome, Accepted):
                code = max(code, FAILED)
    return code


def describe(outcome: Outcome) -> str:
    """An outcome in words."""
    from newsletter.esp import Accepted, NotSent, RecipientsRefused, Throttled, Uncertain

    match outcome:
        case Accepted(message_id):
            return f"accepted by the provider ({message_id})" if message_id else "accepted by the provider"
        case RecipientsRefused(reasons):
            return "refused: " + "; ".join(reasons.values())
        case NotSent(reason):
            return f"not sent: {reason}"
        case Throttled(reason):
            return f"not sent, the provider asks to wait: {reason}"
        case Uncertain(reason):
            return f"uncertain, it may have been sent: {reason}"
        case _:
            return f"refused: {outcome.reason}"
