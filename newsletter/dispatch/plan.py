"""Planning: who of a list gets which variant with which values, found out and frozen before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Protocol

from newsletter.delivery import UNFINISHED, DispatchState
from newsletter.dispatch.envelope import Envelope
from newsletter.errors import DispatchError
from newsletter.issue import RenderedIssue
from newsletter.personalise import PersonaliseError, fill_slots, variant_of
from newsletter.store import Store
from newsletter.store.audience import Selection, candidates, check_selection
from newsletter.store.dispatches import (
    Dispatch,
    add_dispatch,
    add_rendering,
    discard_dispatch,
    discard_plan,
    dispatches_of,
)
from newsletter.store.ids import new_dispatch_id
from newsletter.store.planning import PlanWriter
from newsletter.store.subscribers import list_exists
from newsletter.subscriber import Subscriber

MAX_VARIANTS = 64
MAX_SUBSTITUTIONS = 99
MAX_SUBSTITUTION_BYTES = 10_000
"""SendGrid's documented limits for one personalisation."""

RAMP = (0.01, 0.10)
"""The shares of the audience that the first two stages of a ramp end at."""
UNDO_MARGIN = timedelta(minutes=10)
"""SendGrid doesn't promise to call off what is due in less."""
MAX_SCHEDULE = timedelta(hours=72)
"""How far ahead SendGrid takes a `send_at`."""
_NAMED = 20


@dataclass(frozen=True)
class Order:
    """What is to be sent to whom. `render` gives a variant (a `1` or `0` for each of `conditions`).

    `send_at` is when the provider is to send; until shortly before, it can be called off.
    """

    issue_slug: str
    conditions: tuple[str, ...]
    render: Callable[[str], RenderedIssue] = field(repr=False)
    envelope: Envelope
    list_name: str
    selection: Selection = field(default_factory=Selection)
    batch_size: int = 500
    ramp: bool = False
    send_at: datetime | None = None
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sending would be: how many `recipients`, in how many `batches` and of which variants; who is left out.

    `renderings` are the variants in use. `unrenderable` names some of those whose personal parts can't be filled,
    with the reason, and `unrenderable_count` says how many they are; a plan with any can't be frozen.
    """

    recipients: int
    batches: int
    variants: Mapping[str, int]
    suppressed: Mapping[str, int]
    had_it: int
    renderings: Mapping[str, RenderedIssue]
    unrenderable: tuple[tuple[str, str], ...] = ()
    unrenderable_count: int = 0
    dispatch: Dispatch | None = None


class _Sink(Protocol):
    def add(self, person: Subscriber, variant: str, values: tuple[str, ...]) -> None: ...
    def suppress(self, person: Subscriber, reason: str) -> None: ...
    def next_stage(self) -> None: ...
    def flush(self) -> None: ...


class _Nowhere:
    """Takes a plan that is only looked at."""

    def add(self, person: Subscriber, variant: str, values: tuple[str, ...]) -> None: ...
    def suppress(self, person: Subscriber, reason: str) -> None: ...
    def next_stage(self) -> None: ...
    def flush(self) -> None: ...


Watcher = Callable[[int], None]
"""Is told how many people have been looked at."""


def survey(store: Store, order: Order, watch: Watcher | None = None) -> Plan:
    """The plan as it would be now. Nothing is stored. Raises DispatchError when there is no such list."""
    with store.read() as connection:
        return _walk(connection, order, _Nowhere(), order.issue_slug, watch)


def freeze(
    store: Store, order: Order, *, now: datetime, secret: str | None = None, watch: Watcher | None = None
) -> Plan:
    """Store the plan: content, audience, batches and everybody's values, in one transaction; nothing is sent yet.

    An earlier plan of the issue for the list that was never started is replaced. Raises DispatchError when nobody
    would get it, somebody can't be rendered, people could not leave, or a sending of it is unfinished.
    """
    order.envelope.check(secret)
    _check_schedule(order, now)
    dispatch = Dispatch(
        id=new_dispatch_id(),
        issue_slug=order.issue_slug,
        list_name=order.list_name,
        rehearsal=order.rehearsal,
        audience={**order.selection.as_json(), "ramp": order.ramp},
        envelope=order.envelope.as_json(),
        send_at=order.send_at,
        undo_until=order.send_at - UNDO_MARGIN if order.send_at else None,
        state=DispatchState.PLANNED,
        stop_reason=None,
        planned_at=now,
        started_at=None,
        ended_at=None,
    )
    # What an issue has been sent under; a rehearsal stands beside it, and keeps nobody from the real one.
    sent_as = f"{order.issue_slug}#rehearsal-{dispatch.id}" if order.rehearsal else order.issue_slug
    with store.write() as connection:
        _make_room(connection, order)
        add_dispatch(connection, dispatch)
        writer = PlanWriter(connection, dispatch.id, sent_as, order.batch_size)
        plan = _walk(
            connection, order, writer, sent_as, watch, lambda rendered: add_rendering(connection, dispatch.id, rendered)
        )
        if plan.unrenderable_count:
            raise UnrenderableError(plan)
        if not plan.recipients:
            raise DispatchError(_nobody(plan), hint="`newsletter plan` shows who is left out")
    return replace(plan, dispatch=dispatch, batches=writer.batches)


def _make_room(connection: Any, order: Order) -> None:
    """Remove what a new plan replaces: plans that nobody started, and earlier rehearsals."""
    for old in dispatches_of(connection, order.issue_slug, rehearsal=order.rehearsal):
        if old.list_name != order.list_name:
            continue
        if old.rehearsal:
            discard_dispatch(connection, old.id)
        elif old.state in UNFINISHED or (old.state is DispatchState.PLANNED and not discard_plan(connection, old.id)):
            raise DispatchError(
                "a sending of this issue to this list is unfinished", hint="go on with it, or cancel it"
            )


class UnrenderableError(DispatchError):
    """The personal parts of some people can't be filled; `plan` names them."""

    def __init__(self, plan: Plan) -> None:
        people = "person" if plan.unrenderable_count == 1 else "people"
        super().__init__(
            f"the personal parts can't be filled for {plan.unrenderable_count:,} {people}",
            hint='give a fallback: `{{ subscriber.NAME or "…" }}`; nothing was sent',
        )
        self.plan = plan


def _walk(
    connection: Any,
    order: Order,
    sink: _Sink,
    sent_as: str,
    watch: Watcher | None,
    on_rendering: Callable[[RenderedIssue], None] = lambda _: None,
) -> Plan:
    """Look at every member of the list once, in the order of their addresses, and tell `sink` what becomes of them."""
    if not list_exists(connection, order.list_name):
        raise DispatchError(f"there is no list `{order.list_name}`", hint="see `newsletter subscribers list`")
    check_selection(connection, order.selection)
    stages = _stages(connection, order, sent_as)
    renderings: dict[str, RenderedIssue] = {}
    variants: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    unrenderable: list[tuple[str, str]] = []
    recipients = had_it = failed = 0
    for looked_at, candidate in enumerate(candidates(connection, order.list_name, sent_as, order.selection), 1):
        person = candidate.subscriber
        if watch is not None and looked_at % 1000 == 0:
            watch(looked_at)
        if candidate.had_it:
            had_it += 1
            continue
        if candidate.suppression is not None:
            suppressed[candidate.suppression] += 1
            sink.suppress(person, candidate.suppression)
            continue
        variant = variant_of(order.conditions, person)
        if variant not in renderings:
            if len(renderings) == MAX_VARIANTS:
                raise DispatchError(
                    f"the issue's conditions give more than {MAX_VARIANTS} variants", hint="use fewer `when:`s"
                )
            renderings[variant] = order.render(variant)
            on_rendering(renderings[variant])
        try:
            values = _values(renderings[variant], person)
        except PersonaliseError as error:
            failed += 1
            if len(unrenderable) < _NAMED:
                unrenderable.append((person.email, str(error)))
            continue
        if stages and recipients == stages[0]:
            stages.pop(0)
            sink.next_stage()
        sink.add(person, variant, values)
        variants[variant] += 1
        recipients += 1
    sink.flush()
    batches = sum(ceil(count / order.batch_size) for count in variants.values())
    return Plan(recipients, batches, variants, suppressed, had_it, renderings, tuple(unrenderable), failed)


def _stages(connection: Any, order: Order, sent_as: str) -> list[int]:
    """After how many people each stage of a ramp ends; the last one has no end."""
    if not order.ramp:
        return []
    everybody = candidates(connection, order.list_name, sent_as, order.selection)
    total = sum(not each.had_it and each.suppression is None for each in everybody)
    return sorted({max(1, ceil(total * share)) for share in RAMP})


def _values(rendered: RenderedIssue, person: Subscriber) -> tuple[str, ...]:
    values = fill_slots(rendered.slots, person)
    if len(values) > MAX_SUBSTITUTIONS:
        raise PersonaliseError(
            f"the issue has {len(values)} personal places, and the provider takes {MAX_SUBSTITUTIONS}"
        )
    if sum(map(len, values)) > MAX_SUBSTITUTION_BYTES // 4 and (
        sum(len(value.encode()) for value in values) + sum(len(slot.token) for slot in rendered.slots)
        > MAX_SUBSTITUTION_BYTES
    ):
        raise PersonaliseError(f"their personal parts have more than {MAX_SUBSTITUTION_BYTES:,} bytes together")
    return values


def _check_schedule(order: Order, now: datetime) -> None:
    if order.send_at is None:
        return
    if order.send_at <= now:
        raise DispatchError("the time to send at has passed", hint="name one that is still to come")
    if order.send_at > now + MAX_SCHEDULE:
        raise DispatchError(
            "SendGrid takes an issue at most 72 hours ahead", hint="run this again when it is less than three days away"
        )


def _nobody(plan: Plan) -> str:
    if plan.had_it and not plan.suppressed:
        return f"everybody has had this issue ({plan.had_it:,})"
    if plan.suppressed or plan.had_it:
        return (
            f"nobody is left to get it: {plan.had_it:,} have had it, {sum(plan.suppressed.values()):,} are suppressed"
        )
    return "nobody on this list would get it"
