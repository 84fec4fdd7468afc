"""The audience of an issue: who of a list would get it, who wouldn't and why, read a page at a time."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, not_, select

from newsletter.errors import StoreError
from newsletter.segment import parse_segment
from newsletter.store.segments import condition, may_have_had
from newsletter.store.subscribers import MembershipStatus, to_subscriber
from newsletter.store.tables import (
    dispatches,
    lists,
    memberships,
    subscribers,
    suppressions,
)
from newsletter.subscriber import Subscriber

_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Candidate:
    """An active member of the list. `suppression` is the reason not to mail them; `had_it` says that they have, or may
    have, had the issue by another dispatch, or are to get it by one."""

    subscriber: Subscriber
    suppression: str | None
    had_it: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Who of a list is meant: those for whom the expression `segment` is true, but not

    - the active members of `exclude_lists`,
    - whoever may have had one of the issues `exclude_received`: everybody it was planned for, but those for whom it
      was certainly not sent. (`received` in a segment is stricter: it asks what the provider has accepted.)

    At most `limit` of them who may be mailed, first those whose addresses come first.
    """

    segment: str | None = None
    exclude_lists: tuple[str, ...] = ()
    exclude_received: tuple[str, ...] = ()
    limit: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What is chosen, for the record."""
        chosen = {
            "segment": self.segment,
            "exclude_lists": list(self.exclude_lists),
            "exclude_received": list(self.exclude_received),
            "limit": self.limit,
        }
        return {name: value for name, value in chosen.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, chosen: Mapping[str, Any]) -> Selection:
        """The reverse of `as_json`; other keys are passed over."""
        return cls(
            chosen.get("segment"),
            tuple(chosen.get("exclude_lists", ())),
            tuple(chosen.get("exclude_received", ())),
            chosen.get("limit"),
        )


def check_selection(connection: Connection, selection: Selection) -> None:
    """Raise StoreError when a list or an issue that is named isn't known: its people would be mailed after all."""
    known = set(connection.scalars(select(lists.c.name)))
    for name in selection.exclude_lists:
        if name not in known:
            raise StoreError(f"there is no list `{name}`", hint=_close(name, known))
    asked_for = parse_segment(selection.segment).slugs if selection.segment is not None else ()
    if slugs := (*selection.exclude_received, *asked_for):
        sent = set(
            connection.scalars(select(dispatches.c.issue_slug).where(dispatches.c.rehearsal.is_(False)).distinct())
        )
        for slug in slugs:
            if slug not in sent:
                raise StoreError(f"no issue `{slug}` was ever sent", hint=_close(slug, sent))


def candidates(
    connection: Connection, list_name: str, issue_slug: str, selection: Selection = Selection()
) -> Iterator[Candidate]:
    """The active members of a list that are selected, in the order of their addresses.

    Constant memory, whatever the list's size.
    """
    # The oldest evidence is told; any would do to leave them out.
    suppression = (
        select(suppressions.c.reason)
        .where(suppressions.c.address_key == subscribers.c.address_key)
        .order_by(suppressions.c.since_at, suppressions.c.id)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(subscribers, suppression.label("suppression"), may_have_had([issue_slug]).label("had_it"))
        .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
        .where(memberships.c.list_name == list_name, memberships.c.status == MembershipStatus.ACTIVE.value)
        .where(*_conditions(selection, connection.dialect.name))
        .order_by(subscribers.c.address_key)
        # One query that is read bit by bit: in pages, each of them would sort the whole list again.
        .execution_options(yield_per=_PAGE)
    )
    to_mail = 0
    with connection.execute(query) as rows:
        for row in rows:
            if selection.limit is not None and to_mail >= selection.limit:
                return
            candidate = Candidate(to_subscriber(row), row.suppression, bool(row.had_it))
            to_mail += candidate.suppression is None and not candidate.had_it
            yield candidate


def is_selected(connection: Connection, selection: Selection, subscriber_id: int) -> bool:
    """Whether a person is among those who are meant, as things are now and whatever the limit."""
    found = select(subscribers.c.id).where(
        subscribers.c.id == subscriber_id, *_conditions(selection, connection.dialect.name)
    )
    return connection.scalar(found) is not None


def _conditions(selection: Selection, dialect: str) -> Iterator[ColumnElement[bool]]:
    if selection.segment is not None:
        yield condition(selection.segment, dialect)
    if selection.exclude_lists:
        others = memberships.alias()
        yield not_(
            exists().where(
                others.c.subscriber_id == subscribers.c.id,
                others.c.list_name.in_(selection.exclude_lists),
                others.c.status == MembershipStatus.ACTIVE.value,
            )
        )
    if selection.exclude_received:
        yield not_(may_have_had(selection.exclude_received))


def _close(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"there are {', '.join(sorted(known)[-8:])}" if known else "there are none yet"
