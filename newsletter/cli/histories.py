"""How the history of one address is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from newsletter.cli.output import out
from newsletter.dispatch.history import Chapter, history_of
from newsletter.store.suppressions import suppressions_of


def history(connection: Any, email: str) -> dict[str, Any]:
    """Everything about a normalised address, for scripts; times in UTC, as text."""
    return {
        "email": email,
        "suppressions": [
            {"reason": each.reason.value, "source": each.source, "since": each.since_at.isoformat()}
            for each in suppressions_of(connection, email)
        ],
        "sendings": [_chapter(each) for each in history_of(connection, email)],
    }


def _chapter(chapter: Chapter) -> dict[str, Any]:
    dispatch, delivery = chapter.dispatch, chapter.delivery
    told: dict[str, Any] = {
        "issue": dispatch.issue_slug,
        "list": dispatch.list_name,
        "planned_at": dispatch.planned_at.isoformat(),
        "in_audience": delivery is not None,
        "why_not": chapter.why_not,
    }
    if delivery is not None:
        told |= {
            "status": delivery.status.value,
            "reason": delivery.reason,
            "conditions": chapter.conditions,
            "slots": chapter.slots,
            "attempts": [_plain(asdict(each)) for each in chapter.attempts],
            "events": [_plain(asdict(each)) for each in chapter.events],
        }
    return told


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def print_history(told: dict[str, Any]) -> None:
    """`history` for people."""
    out.print(f"[bold]{told['email']}[/]")
    for each in told["suppressions"]:
        out.print(f"  [red]suppressed[/] since {each['since'][:10]}: {each['reason']}, from {each['source']}")
    for each in told["sendings"]:
        out.print(
            f"\n[bold]{each['issue']}[/] to {each['list']}, planned {each['planned_at'][:16].replace('T', ' ')} UTC"
        )
        if not each["in_audience"]:
            out.print(f"  not for them: {each['why_not']}")
            continue
        reason = f", {each['reason']}" if each["reason"] else ""
        out.print(f"  {each['status']}{reason}")
        for condition, held in (each["conditions"] or {}).items():
            out.print("  when", condition, "→", "yes" if held else "no", markup=False)
        for expression, value in (each["slots"] or {}).items():
            if expression != "unsubscribe_url":
                out.print("  {{ " + expression + " }} →", value or "(empty)", markup=False)
        for attempt in each["attempts"]:
            detail = f": {attempt['detail']}" if attempt["detail"] else ""
            message = f" as {attempt['message_id']}" if attempt["message_id"] else ""
            when = attempt["started_at"][:19].replace("T", " ")
            out.print(f"  {when}  {attempt['outcome'] or 'no answer'}{message}{detail}")
        for event in each["events"]:
            detail = f": {event['detail']}" if event["detail"] else ""
            out.print(f"  {event['occurred_at'][:19].replace('T', ' ')}  {event['kind']}{detail}")
    if not told["sendings"]:
        out.print("  nothing has been sent yet")
