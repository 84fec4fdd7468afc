"""The audience of an issue: who of a list would get it, who wouldn't and why, read a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, or_, select

from newsletter.store.subscribers import MembershipStatus, to_subscriber
from newsletter.store.tables import MAY_HAVE_BEEN_MAILED, deliveries, memberships, subscribers, suppressions
from newsletter.subscriber import Subscriber, address_key

_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Candidate:
    """An active member of the list. `suppression` is the reason not to mail them; `had_it` says that they have, or may
    have, had the issue by another dispatch, or are to get it by one."""

    subscriber: Subscriber
    suppression: str | None
    had_it: bool


def candidates(connection: Connection, list_name: str, issue_slug: str) -> Iterator[Candidate]:
    """Every active member of a list, in the order of their addresses. Constant memory, whatever the list's size."""
    # The oldest evidence is told; any would do to leave them out.
    suppression = (
        select(suppressions.c.reason)
        .where(suppressions.c.address_key == subscribers.c.address_key)
        .order_by(suppressions.c.since_at, suppressions.c.id)
        .limit(1)
        .scalar_subquery()
    )
    had_it = exists().where(
        and_(
            deliveries.c.address_key == subscribers.c.address_key,
            deliveries.c.issue_slug == issue_slug,
            or_(MAY_HAVE_BEEN_MAILED),
        )
    )
    query = (
        select(subscribers, suppression.label("suppression"), had_it.label("had_it"))
        .join(memberships, memberships.c.subscriber_id == subscribers.c.id)
        .where(memberships.c.list_name == list_name, memberships.c.status == MembershipStatus.ACTIVE.value)
        .order_by(subscribers.c.address_key)
        .limit(_PAGE)
    )
    last = ""
    while rows := connection.execute(query.where(subscribers.c.address_key > last)).all():
        for row in rows:
            yield Candidate(to_subscriber(row), row.suppression, bool(row.had_it))
        last = address_key(rows[-1].email)
