"""Plans: what is asked for, how one is shown, and where a rehearsal goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.text import Text

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.cli.output import err, out, summary
from newsletter.dispatch.plan import Order, Plan
from newsletter.dispatch.times import local_words
from newsletter.outbox import order_of, variant_words
from newsletter.store.audience import Selection

if TYPE_CHECKING:
    from newsletter.workspace import Edition, Workspace

_LOUD = ("subject", "recipients")


def ordered(workspace: Workspace, *, name: str | None, **chosen: Any) -> tuple[Edition, Order]:
    """The issue, checked, and the order that the options of a command make. Raises ProblemsFound."""
    edition = workspace.load(name).sendable()
    return edition, order_of(edition, segment_named="--segment", **chosen)


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
        yield "goes out at", local_words(order.send_at, zone)
        if plan.dispatch and plan.dispatch.undo_until:
            yield "can be undone until", local_words(plan.dispatch.undo_until, zone)


def _chosen(selection: Selection) -> Iterator[tuple[str, str]]:
    if selection.segment:
        yield "segment", selection.segment
    if selection.exclude_lists:
        yield "not on", ", ".join(selection.exclude_lists)
    if selection.exclude_received:
        yield "without those who had", ", ".join(selection.exclude_received)
    if selection.limit:
        yield "at most", f"{selection.limit:,}"


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
