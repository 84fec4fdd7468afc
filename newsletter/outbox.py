"""An issue on its way out: as test mails, and as the order of a dispatch. Command line and Studio share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order
from newsletter.errors import DispatchError, ProblemsFound
from newsletter.esp import (
    Accepted,
    Message,
    NotSent,
    Outcome,
    Provider,
    Recipient,
    RecipientsRefused,
    Throttled,
    Uncertain,
)
from newsletter.expression import ExpressionError, problem_of
from newsletter.personalise import sample_values, variant_of
from newsletter.segment import choose_segment
from newsletter.store.audience import Selection

if TYPE_CHECKING:
    from newsletter.issue import RenderedIssue
    from newsletter.subscriber import Subscriber
    from newsletter.workspace import Edition, Workspace

TEST_MARK = "[Test] "
"""What stands before the subject of a test."""


def send_tests(
    provider: Provider, edition: Edition, person: Subscriber, addresses: Sequence[str]
) -> Iterator[tuple[str, Outcome]]:
    """Send the issue as `person` would see it to each of `addresses`, one call each: none sees what went wrong for
    another. Gives each address with what became of it, as soon as it is known; nothing is counted as a delivery.

    Raises ProblemsFound and RenderError, and DispatchError when nobody could unsubscribe.
    """
    rendered = edition.render(variant_of(edition.conditions, person))
    message = test_message(edition, rendered)
    recipients = [test_recipient(edition, rendered, person, address) for address in addresses]
    for recipient in recipients:
        yield recipient.email, provider.send(message, [recipient])


def test_message(edition: Edition, rendered: RenderedIssue) -> Message:
    """What all test mails of a rendering share. Raises DispatchError when nobody could unsubscribe."""
    settings = edition.workspace.settings
    if settings.unsubscribe is None and settings.public_url is None:
        hint = "add `unsubscribe: {group_id: NUMBER}` to newsletter.yaml, or set `public_url:`"
        raise DispatchError("nobody could unsubscribe from this newsletter", hint=hint)
    return Message(
        from_email=edition.sender.email,
        from_name=edition.sender.name or "",
        reply_to=edition.reply_to,
        subject=TEST_MARK + rendered.subject,
        html=rendered.html,
        text=rendered.text,
        categories=("test",),
        images=rendered.images,
        unsubscribe_group=settings.unsubscribe.group_id if settings.unsubscribe else None,
    )


def test_recipient(edition: Edition, rendered: RenderedIssue, person: Subscriber, address: str) -> Recipient:
    """One recipient of a test, who sees what `person` would see. The unsubscribe link of a test unsubscribes nobody."""
    headers = {}
    if edition.workspace.settings.public_url:
        headers = {
            "List-Unsubscribe": f"<{edition.workspace.settings.public_url}/unsubscribe/test>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return Recipient(email=address, substitutions=sample_values(rendered, person), headers=headers)


def outcome_words(outcome: Outcome) -> str:
    """What became of a test, in words."""
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


def order_of(
    edition: Edition,
    *,
    list_name: str,
    segment: str | None = None,
    exclude_list: tuple[str, ...] = (),
    exclude_received: tuple[str, ...] = (),
    limit: int | None = None,
    segment_named: str = "segment",
) -> Order:
    """The order to send a checked issue to a list, or to those of it for whom `segment` holds: the name of a segment,
    or an expression, which `segment_named` is called in messages.

    Raises ProblemsFound.
    """
    settings = edition.workspace.settings
    try:
        expression = choose_segment(segment, settings.segments) if segment is not None else None
    except ExpressionError as error:
        raise ProblemsFound([problem_of(error, segment_named)]) from None
    envelope = Envelope(
        from_email=edition.sender.email,
        from_name=edition.sender.name or "",
        reply_to=edition.reply_to,
        categories=tuple(dict.fromkeys((edition.slug, *edition.ready().tags))),
        unsubscribe_group=settings.unsubscribe.group_id if settings.unsubscribe else None,
        public_url=settings.public_url,
        track_opens=settings.tracking.opens,
        track_clicks=settings.tracking.clicks,
    )
    return Order(
        issue_slug=edition.slug,
        conditions=edition.conditions,
        render=edition.render,
        envelope=envelope,
        list_name=list_name,
        selection=Selection(expression, exclude_list, exclude_received, limit),
        batch_size=settings.batch_size,
    )


def variant_words(conditions: tuple[str, ...], variant: str) -> str:
    """A variant in words: the conditions that hold in it."""
    if not conditions:
        return "the same for all"
    held = [condition for condition, bit in zip(conditions, variant, strict=True) if bit == "1"]
    return " and ".join(f"({condition})" if " or " in condition else condition for condition in held) or "no condition"


@contextmanager
def rehearsal_host(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace with a provider on this machine: the sandbox that SENDGRID_HOST names, else one for this once."""
    from pydantic import SecretStr

    from newsletter.sandbox import Sandbox

    if is_local(workspace):
        yield workspace
        return
    with Sandbox(keep="counts") as sandbox:
        yield workspace.with_environment(sendgrid_host=sandbox.url, sendgrid_api_key=SecretStr("SG.rehearsal"))


def is_local(workspace: Workspace) -> bool:
    """Whether what the workspace sends goes to a sandbox on this machine."""
    from ipaddress import ip_address

    host = urlsplit(workspace.environment.sendgrid_host).hostname or ""
    return host == "localhost" or (host.replace(".", "").isdigit() and ip_address(host).is_loopback)
