"""Plans: what is asked for, how one is shown, and where a rehearsal goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.text import Text

from newsletter.cli.output import err, out, summary
from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order, Plan
from newsletter.store.audience import Selection

if TYPE_CHECKING:
    from newsletter.workspace import Edition, Workspace

_LOUD = ("subject", "recipients")

GMAIL_CLIPS_AT = 102_400
"""Bytes of HTML; Gmail cuts off the rest, with the unsubscribe link."""


def order_of(
    workspace: Workspace,
    *,
    name: str | None,
    list_name: str,
    segment: str | None,
    exclude_list: tuple[str, ...],
    exclude_received: tuple[str, ...],
    limit: int | None,
) -> tuple[Edition, Order]:
    """The issue, checked, and the order that the options of a command make. Raises ProblemsFound."""
    from newsletter.cli.opened import sendable
    from newsletter.errors import ProblemsFound
    from newsletter.expression import ExpressionError, problem_of
    from newsletter.segment import choose_segment

    edition = sendable(workspace, name)
    settings = workspace.settings
    try:
        expression = choose_segment(segment, settings.segments) if segment is not None else None
    except ExpressionError as error:
        raise ProblemsFound([problem_of(error, "--segment")]) from None
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
    order = Order(
        issue_slug=edition.slug,
        conditions=edition.conditions,
        render=edition.render,
        envelope=envelope,
        list_name=list_name,
        selection=Selection(expression, exclude_list, exclude_received, limit),
        batch_size=settings.batch_size,
    )
    return edition, order


def print_plan(edition: Edition, order: Order, plan: Plan) -> None:
    """The plan, a line each thing, and those who can't be rendered."""
    for label, value in _lines(edition, order, plan):
        out.print(
            Text(f"{label:<20}", style="dim").append(value, style="bold not dim" if label in _LOUD else "not dim")
        )
    print_unrenderable(plan)


def _lines(edition: Edition, order: Order, plan: Plan) -> Iterator[tuple[str, str]]:
    yield "subject", edition.ready().subject
    yield "issue", edition.file
    yield "list", order.list_name
    yield from _chosen(order.selection)
    yield "recipients", f"{plan.recipients:,}" + ("  (a rehearsal: nobody is mailed)" if order.rehearsal else "")
    if plan.suppressed:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(plan.suppressed.items()))
        yield "suppressed", f"{sum(plan.suppressed.values()):,}  ({reasons})"
    if plan.had_it:
        yield "left out", f"{plan.had_it:,} have had this issue, or may have"
    for number, (variant, count) in enumerate(sorted(plan.variants.items(), reverse=True)):
        yield "" if number else "variants", f"{count:,} × {variant_words(order.conditions, variant)}"
    yield "calls", f"{plan.batches:,}, of at most {order.batch_size:,} recipients"
    if plan.renderings:
        size = max(len(rendered.html.encode()) for rendered in plan.renderings.values())
        yield "size", f"{size / 1024:,.0f} KB of HTML" + (": Gmail clips it" if size > GMAIL_CLIPS_AT else "")
    yield "from", f"{order.envelope.from_name} <{order.envelope.from_email}>"
    leave = order.envelope.public_url or f"SendGrid's unsubscribe group {order.envelope.unsubscribe_group}"
    yield "people leave by", leave
    yield "provider", urlsplit(edition.workspace.environment.sendgrid_host).netloc
    if warnings := summary(edition.problems):
        yield "check", f"{warnings}: `newsletter check {edition.slug}` shows them"
    if order.send_at:
        zone = edition.workspace.settings.publication.time_zone
        yield "goes out at", _local(order.send_at, zone)
        if plan.dispatch and plan.dispatch.undo_until:
            yield "can be undone until", _local(plan.dispatch.undo_until, zone)


def _chosen(selection: Selection) -> Iterator[tuple[str, str]]:
    if selection.segment:
        yield "segment", selection.segment
    if selection.exclude_lists:
        yield "not on", ", ".join(selection.exclude_lists)
    if selection.exclude_received:
        yield "without those who had", ", ".join(selection.exclude_received)
    if selection.limit:
        yield "at most", f"{selection.limit:,}"


def _local(moment: Any, zone: str) -> str:
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} ({zone})"


def variant_words(conditions: tuple[str, ...], variant: str) -> str:
    """A variant in words: the conditions that hold in it."""
    if not conditions:
        return "the same for all"
    held = [condition for condition, bit in zip(conditions, variant, strict=True) if bit == "1"]
    return " and ".join(f"({condition})" if " or " in condition else condition for condition in held) or "no condition"


def print_unrenderable(plan: Plan) -> None:
    """Those whose personal parts can't be filled, with the reason."""
    if not plan.unrenderable_count:
        return
    for email, reason in plan.unrenderable:
        err.print(f"[red]{email}[/]: {reason}")
    if plan.unrenderable_count > len(plan.unrenderable):
        err.print(f"… and {plan.unrenderable_count - len(plan.unrenderable):,} more")


def plan_json(order: Order, plan: Plan) -> dict[str, Any]:
    """A plan for scripts."""
    return {
        "issue": order.issue_slug,
        "list": order.list_name,
        "audience": order.selection.as_json(),
        "recipients": plan.recipients,
        "batches": plan.batches,
        "variants": {variant_words(order.conditions, variant): n for variant, n in plan.variants.items()},
        "suppressed": dict(plan.suppressed),
        "had_it": plan.had_it,
        "unrenderable": plan.unrenderable_count,
        "unrenderable_first": [{"email": email, "reason": reason} for email, reason in plan.unrenderable],
        "html_bytes": max((len(rendered.html.encode()) for rendered in plan.renderings.values()), default=0),
    }


@contextmanager
def planning_progress() -> Iterator[Callable[[int], None]]:
    """A line that counts those who have been looked at, while a plan is made; nothing when nobody looks."""
    with err.status("Planning …") as status:
        yield lambda count: status.update(f"Planning … {count:,} people looked at")


@contextmanager
def rehearsal_host(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace with a provider on this machine: the sandbox that SENDGRID_HOST names, else one for this once."""
    from ipaddress import ip_address

    from pydantic import SecretStr

    from newsletter.sandbox import Sandbox

    host = urlsplit(workspace.environment.sendgrid_host).hostname or ""
    if host == "localhost" or (host.replace(".", "").isdigit() and ip_address(host).is_loopback):
        yield workspace
        return
    with Sandbox(keep="counts") as sandbox:
        yield workspace.with_environment(sendgrid_host=sandbox.url, sendgrid_api_key=SecretStr("SG.rehearsal"))
