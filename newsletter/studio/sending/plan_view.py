"""How the plan looks: who gets what, who doesn't and why, what differs from last time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from nicegui import ui

from newsletter.check import GMAIL_CLIPS_AT
from newsletter.dispatch.plan import UNDO_MARGIN, Plan
from newsletter.dispatch.times import local_words
from newsletter.errors import Problem, errors_in
from newsletter.outbox import is_local, variant_words
from newsletter.studio.sending.differences import preheader_words, subject_words
from newsletter.studio.sending.planning import Comparison, Outlook, html_bytes, provider_host
from newsletter.studio.widgets import Tone, chip, facts, heading, words

if TYPE_CHECKING:
    from newsletter.workspace import Workspace

_SHOWN_PROBLEMS = 4


def draw_plan(outlook: Outlook, workspace: Workspace, send_at: datetime | None) -> None:
    """The plan, from its count down to what differs from last time."""
    order, plan = outlook.order, outlook.plan
    with ui.element("div").classes("sending-count"):
        words("span", f"{plan.recipients:,}", "sending-figure num").mark("plan-count")
        words("span", "recipient" if plan.recipients == 1 else "recipients", "sending-unit")
        words("span", f"of {order.list_name}", "muted")
        ui.element("div").classes("grow")
        host = provider_host(workspace)
        if order.rehearsal:
            chip("Rehearsal: nobody is mailed", "info")
        elif is_local(workspace):
            chip(f"Sandbox on this machine · {host}", "good")
        else:
            chip(f"For real, through {host}", "warn")
    if plan.variants:
        _variants(outlook)
    _left_out(plan)
    _unrenderable(plan)
    facts(_facts(outlook, workspace, send_at))


def _variants(outlook: Outlook) -> None:
    plan = outlook.plan
    if not outlook.order.conditions:
        return
    heading("Variants", 3)
    with ui.element("table").classes("table sending-variants"), ui.element("tbody"):
        for variant, count in sorted(plan.variants.items(), reverse=True):
            share = count / plan.recipients if plan.recipients else 0
            with ui.element("tr"):
                words("th", variant_words(outlook.order.conditions, variant)).props("scope=row")
                with ui.element("td").classes("sending-bar-cell"), ui.element("div").classes("sending-bar"):
                    ui.element("div").style(f"width: {share:.2%}")
                words("td", f"{count:,}", "num")


def _left_out(plan: Plan) -> None:
    if not plan.suppressed and not plan.had_it:
        return
    heading("Not mailed", 3)
    with ui.element("table").classes("table sending-variants"), ui.element("tbody"):
        for reason, count in sorted(plan.suppressed.items(), key=lambda each: -each[1]):
            with ui.element("tr"):
                words("th", f"Suppressed: {reason}").props("scope=row")
                words("td", f"{count:,}", "num")
        if plan.had_it:
            with ui.element("tr"):
                words("th", "Have had this issue, or may have").props("scope=row")
                words("td", f"{plan.had_it:,}", "num")


def _unrenderable(plan: Plan) -> None:
    if not plan.unrenderable_count:
        return
    heading("Personal parts that can't be filled", 3)
    with ui.element("ul").classes("sending-list"):
        for email, reason in plan.unrenderable:
            with ui.element("li"):
                words("span", email, "mono")
                words("span", f" {reason}", "muted")
        if plan.unrenderable_count > len(plan.unrenderable):
            words("li", f"… and {plan.unrenderable_count - len(plan.unrenderable):,} more", "muted")


def _facts(outlook: Outlook, workspace: Workspace, send_at: datetime | None) -> list[tuple[str, str]]:
    order, plan = outlook.order, outlook.plan
    zone, envelope = workspace.settings.publication.time_zone, order.envelope
    told: list[tuple[str, str]] = []
    if plan.renderings:
        one = next(iter(plan.renderings.values()))
        told += [("Subject", subject_words(one)), ("Preheader", preheader_words(one) or "none")]
    told.append(("From", f"{envelope.from_name} <{envelope.from_email}>"))
    told.append(("Replies go to", envelope.reply_to or envelope.from_email))
    told.append(
        ("People leave by", envelope.public_url or f"SendGrid's unsubscribe group {envelope.unsubscribe_group}")
    )
    if order.selection.segment:
        told.append(("Only those for whom", order.selection.segment))
    if plan.renderings:
        told.append(("Size", size_words(html_bytes(plan))))
    told.append(("Calls", f"{plan.batches:,}, of at most {order.batch_size:,} recipients"))
    if send_at is None:
        told.append(("Goes out", "at once"))
    else:
        told.append(("Goes out", local_words(send_at, zone)))
        told.append(("Can be undone until", local_words(send_at - UNDO_MARGIN, zone)))
    return told


def size_words(size: int) -> str:
    """The size of the HTML part against the size from which Gmail cuts it off."""
    kilobytes, limit = size / 1024, GMAIL_CLIPS_AT / 1024
    return f"{kilobytes:,.0f} KB of {limit:,.0f} KB" + (": Gmail clips it" if size > GMAIL_CLIPS_AT else "")


def draw_comparison(comparison: Comparison | None, zone: str) -> None:
    """What differs from the last issue that the list got."""
    if comparison is None:
        words("p", "This list has got no other issue yet: there is nothing to compare with.", "muted")
        return
    then = comparison.then
    when = f", sent {local_words(then.at, zone)}" if then.at else ""
    words("p", f"Last time: “{then.subject}” to {then.recipients:,}{when}", "muted small")
    if not comparison.found:
        words("p", "Nothing that you would want to notice.")
        return
    with ui.element("ul").classes("sending-notes"):
        for each in comparison.found:
            _note(each.text, "warn" if each.tone == "warn" else "plain")


def draw_checks(problems: tuple[Problem, ...], uncommitted: str | None, sandbox_off: bool, address: str) -> None:
    """The Problems of the issue, the first of them by name, and the way to all of them."""
    errors = errors_in(problems)
    with ui.element("ul").classes("sending-notes"):
        shown = [*errors, *(each for each in problems if not each.is_error)][:_SHOWN_PROBLEMS]
        for problem in shown:
            where = f"line {problem.location.line}: " if problem.location else ""
            _note(where + problem.message, "bad" if problem.is_error else "warn")
        if uncommitted:
            _note(f"The issue's file {uncommitted}", "warn")
        if sandbox_off:
            _note("The sandbox doesn't answer: start it on the page Sandbox, or with `newsletter sandbox`", "warn")
        if not problems and not uncommitted and not sandbox_off:
            _note("Nothing to mend", "good")
    if problems:
        more = (
            f"All {len(problems)} on the page Checks"
            if len(problems) > len(shown)
            else "Look at them on the page Checks"
        )
        words("a", more, "small").props(f'href="{address}"')


def _note(text: str, tone: Tone) -> None:
    icons = {"good": "check_circle", "warn": "error", "bad": "cancel", "plain": "change_history"}
    with ui.element("li").classes(f"sending-note {tone}"):
        ui.icon(f"sym_o_{icons[tone]}").props("aria-hidden=true")
        words("span", text)
