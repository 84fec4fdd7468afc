"""The plan of the Send page: surveyed in a thread that can be called off, compared with the last sending, and what
stands in its way."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.dispatch.plan import Order, Plan, survey
from newsletter.errors import DispatchError
from newsletter.issue import RenderedIssue
from newsletter.outbox import is_local
from newsletter.store.dispatches import Dispatch, dispatches_of, unfinished_dispatch
from newsletter.store.subscribers import MembershipStatus, list_sizes
from newsletter.studio.sending.choices import Choices
from newsletter.studio.sending.differences import (
    Difference,
    Outline,
    differences,
    last_sent_to,
    outline_of,
    preheader_words,
    subject_words,
)
from newsletter.studio.sending.sendable import Look, look_at, ordered, rendered_elsewhere, shape_of

if TYPE_CHECKING:
    from newsletter.store import Store
    from newsletter.studio.desk import Desk
    from newsletter.workspace import Workspace


@dataclass(frozen=True)
class Known:
    """What the fields of the page offer: the active members of each list, and the issues that were sent, newest first;
    and the sendings of this issue."""

    sizes: dict[str, int]
    sent: tuple[str, ...]
    sendings: tuple[Dispatch, ...]


@dataclass(frozen=True)
class Comparison:
    """The last sending to the list, and what differs from it."""

    then: Outline
    found: tuple[Difference, ...]


@dataclass(frozen=True)
class Outlook:
    """A plan as it would be at `at`. With `stoppers`, sentences, it can't be sent."""

    order: Order
    plan: Plan
    at: datetime
    comparison: Comparison | None = None
    stoppers: tuple[str, ...] = ()


class SupersededError(Exception):
    """A survey was called off: something else is chosen by now."""


class Planner:
    """The plan of one issue on one page. Everybody on the list is looked at only when the audience, or what is sent,
    is another one; of several askings the newest counts."""

    def __init__(self, desk: Desk, path: Path) -> None:
        self._desk = desk
        self._path = path
        self.look = Look()
        self.looked_at: int | None = None
        """How many people have been looked at, while that is done."""
        self._turn = 0
        self._surveyed: tuple[object, ...] | None = None
        self._plan: Plan | None = None
        self._render: Callable[[str], RenderedIssue] | None = None

    async def read(self) -> None:
        """Read and check the issue. Raises NewsletterError."""
        look: Look = await self._desk.renderer.call(look_at, self._desk.root, self._path)
        if look.digest != self.look.digest or look.digest is None:
            self._render, self._surveyed = None, None
        self.look = look

    async def outlook(self, choices: Choices, now: datetime) -> Outlook:
        """The plan for what is chosen, which has no faults. Raises SupersededError when it is asked for again
        meanwhile, and NewsletterError."""
        self._turn += 1
        turn, workspace, store = self._turn, self._desk.workspace, await asyncio.to_thread(lambda: self._desk.store)
        if self._render is None:
            self._render = rendered_elsewhere(self._desk, asyncio.get_running_loop(), self._path, self.look.text)
        order = await asyncio.to_thread(ordered, workspace, self._path, self.look, choices, self._render)
        audience = (self.look.digest, order.conditions, order.list_name, order.selection, order.rehearsal)
        if audience != self._surveyed or self._plan is None:
            plan = await asyncio.to_thread(self._survey, store, order, turn)
            if turn != self._turn:
                raise SupersededError
            self._plan, self._surveyed = plan, audience
        plan = self._plan
        comparison = await compared(self._desk, self.look, order, plan)
        stoppers = await asyncio.to_thread(stoppers_of, workspace, store, order, plan)
        if turn != self._turn:
            raise SupersededError
        return Outlook(order, plan, now, comparison, tuple(stoppers))

    def take(self, plan: Plan) -> None:
        """Show this plan from now on: it was looked at more lately."""
        self._plan = plan

    def forget(self) -> None:
        """Look at everybody again, when the plan is asked for."""
        self._surveyed = None

    def stop(self) -> None:
        """Call off a survey that is under way."""
        self._turn += 1

    def _survey(self, store: Store, order: Order, turn: int) -> Plan:
        def watch(looked_at: int) -> None:
            if turn != self._turn or self._desk.sends.is_closed:
                raise SupersededError
            self.looked_at = looked_at

        if order.rehearsal:
            # A rehearsal goes to those too who have had the issue.
            order = replace(order, issue_slug=f"{order.issue_slug}#rehearsal")
        self.looked_at = 0
        try:
            return survey(store, order, watch)
        finally:
            if turn == self._turn:
                self.looked_at = None


def read_known(store: Store, slug: str) -> Known:
    """What the page offers to choose from. Raises StoreError."""
    with store.read() as connection:
        sizes = {name: counts[MembershipStatus.ACTIVE] for name, counts in list_sizes(connection).items()}
        sent = [each.issue_slug for each in reversed(dispatches_of(connection))]
        sendings = tuple(reversed(dispatches_of(connection, slug)))
    return Known(sizes, tuple(dict.fromkeys(each for each in sent if each != slug)), sendings)


async def compared(desk: Desk, look: Look, order: Order, plan: Plan) -> Comparison | None:
    """What of a plan differs from the last issue that its list got; None when it has got none, or nobody gets this."""
    if not plan.renderings:
        return None

    def read() -> Outline | None:
        with desk.store.read() as connection:
            last = last_sent_to(connection, order.list_name, but=order.issue_slug)
            return outline_of(connection, last) if last else None

    then = await asyncio.to_thread(read)
    if then is None:
        return None
    if shape := await desk.renderer.call(shape_of, desk.root, then.slug):
        then = replace(then, theme=shape.theme, blocks=shape.blocks)
    one = next(iter(plan.renderings.values()))
    now = Outline(
        slug=order.issue_slug,
        recipients=plan.recipients,
        subject=subject_words(one),
        preheader=preheader_words(one),
        envelope=order.envelope,
        selection=order.selection,
        size=html_bytes(plan),
        variants=len(plan.variants),
        theme=look.theme,
        blocks=look.blocks,
    )
    return Comparison(then, tuple(differences(now, then)))


def html_bytes(plan: Plan) -> int:
    """The size of the HTML part, of the largest variant."""
    return max((len(rendered.html.encode()) for rendered in plan.renderings.values()), default=0)


def stoppers_of(workspace: Workspace, store: Store, order: Order, plan: Plan) -> list[str]:
    """Why a plan can't be sent, as `freeze` and the provider would say it later."""
    found = []
    if not order.rehearsal:
        with store.read() as connection:
            if unfinished_dispatch(connection, order.issue_slug, order.list_name):
                found.append(
                    f"A sending of this issue to {order.list_name} is unfinished: go on with it, or cancel it."
                )
    try:
        order.envelope.check(workspace.secret)
    except DispatchError as error:
        found.append(_sentence(error.message, error.hint))
    if workspace.environment.sendgrid_api_key is None and not (order.rehearsal and not is_local(workspace)):
        found.append("There is no key for the provider: set SENDGRID_API_KEY in .env.")
    if plan.unrenderable_count:
        people = "person" if plan.unrenderable_count == 1 else "people"
        found.append(
            f"The personal parts can't be filled for {plan.unrenderable_count:,} {people}: "
            'give a fallback, {{ subscriber.NAME or "…" }}.'
        )
    elif not plan.recipients:
        found.append(
            "Everybody on it has had this issue, or may have."
            if plan.had_it and not plan.suppressed
            else "Nobody would get it."
        )
    return found


def provider_host(workspace: Workspace) -> str:
    """The host that mail goes to."""
    return urlsplit(workspace.environment.sendgrid_host).netloc


def sandbox_is_off(workspace: Workspace) -> bool:
    """Whether mail would go to a sandbox on this machine that doesn't run."""
    if not is_local(workspace):
        return False
    address = urlsplit(workspace.environment.sendgrid_host)
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=1):
            return False
    except OSError:
        return True


def git_words(path: Path) -> str | None:
    """That a file isn't committed as it is; None when it is, or git doesn't look after it."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-c", "core.fsmonitor=false", "status", "--porcelain", "--", path.name]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        told = subprocess.run(  # noqa: S603 - a fixed command; the file's name comes after `--`
            command, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if told.returncode or not told.stdout:
        return None
    return "isn't in git yet" if told.stdout.startswith("??") else "has changes that aren't committed"


def _sentence(message: str, hint: str | None) -> str:
    text = message + (f": {hint}" if hint else "")
    return text[0].upper() + text[1:] + "."
