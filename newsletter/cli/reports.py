"""How a sending is shown while it runs and afterwards: progress, the equation, and what to type next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from newsletter.cli.output import err, out
from newsletter.delivery import DispatchState, Tally

if TYPE_CHECKING:
    from newsletter.dispatch.send import Progress as Sending
    from newsletter.store.dispatches import Dispatch

_WORDS = ("planned", "sending", "accepted", "refused", "uncertain", "suppressed", "cancelled")
_STYLES = {"refused": "red", "uncertain": "yellow", "planned": "blue", "sending": "blue", "accepted": "green"}


@contextmanager
def sending_progress(dispatch: Dispatch) -> Iterator[Callable[[Sending], None]]:
    """A progress bar on standard error, when somebody looks."""
    if not err.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(dispatch.issue_slug, total=None, words="")

        def report(sending: Sending) -> None:
            tally = sending.tally
            to_send = tally.audience - tally.suppressed - tally.cancelled
            done = tally.accepted + tally.refused + tally.uncertain
            bar.update(task, total=to_send, completed=done, words=progress_words(sending))

        yield report


def progress_words(sending: Sending) -> str:
    """What went wrong so far, how fast it goes, and how long it will take."""
    words = [
        f"{getattr(sending.tally, word):,} {word}" for word in ("refused", "uncertain") if getattr(sending.tally, word)
    ]
    if sending.per_second:
        words.append(f"{sending.per_second:,.0f}/s")
    if sending.seconds_left is not None:
        minutes, seconds = divmod(round(sending.seconds_left), 60)
        words.append(f"{minutes}:{seconds:02} left")
    return " · ".join(words)


def equation(tally: Tally) -> str:
    """The sum that always holds: where everybody of the audience stands."""
    parts = [
        f"[{_STYLES.get(word, '')}]{getattr(tally, word):,} {word}[/]"
        if word in _STYLES
        else f"{getattr(tally, word):,} {word}"
        for word in _WORDS
        if getattr(tally, word)
    ]
    return " + ".join(parts or ["0"]) + f" = {tally.audience:,} in the audience"


def print_result(dispatch: Dispatch, sending: Sending) -> None:
    """Where a sending ended, and the command that goes on."""
    tally = sending.tally
    out.print(equation(tally))
    if sending.state is DispatchState.COMPLETE:
        out.print("A rehearsal: nobody was mailed." if dispatch.rehearsal else f"[bold]{state_words(sending.state)}[/]")
    else:
        out.print(f"[bold]{state_words(sending.state)}[/]")
    for line in next_steps(dispatch.issue_slug, dispatch.list_name, sending.state, tally):
        out.print(line)


def state_words(state: DispatchState) -> str:
    """A state as a sentence."""
    return {
        DispatchState.PLANNED: "Planned, not started.",
        DispatchState.SENDING: "Not finished.",
        DispatchState.PAUSED: "Paused.",
        DispatchState.STOPPED: "Stopped.",
        DispatchState.CANCELLED: "Cancelled.",
        DispatchState.COMPLETE: "Complete.",
    }[state]


def next_steps(slug: str, list_name: str, state: DispatchState, tally: Tally) -> Iterator[str]:
    """What can be typed now."""
    if state in (DispatchState.SENDING, DispatchState.PAUSED, DispatchState.STOPPED) and tally.planned:
        yield f"To go on:     newsletter resume {slug} --list {list_name}"
        yield f"To call off:  newsletter cancel {slug} --list {list_name}"
    if tally.uncertain:
        yield f"To settle what is uncertain:  newsletter resolve {slug} --list {list_name}"
    if tally.refused:
        yield f"Who was refused, and why:  newsletter who {slug} --list {list_name} --status refused"


def tally_json(tally: Tally) -> dict[str, int]:
    return {**asdict(tally), "audience": tally.audience}


def result_json(dispatch: Dispatch, sending: Sending) -> dict[str, Any]:
    """The end of a sending for scripts."""
    return {
        "issue": dispatch.issue_slug,
        "list": dispatch.list_name,
        "dispatch": dispatch.id,
        "state": sending.state.value,
        **tally_json(sending.tally),
        "per_second": round(sending.per_second, 1),
    }
