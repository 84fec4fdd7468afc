"""How one person stands on a list, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from newsletter.store.subscribers import MembershipStatus
from newsletter.store.tables import memberships


@dataclass(frozen=True, slots=True)
class Standing:
    """On a list: since when they have had this status."""

    status: MembershipStatus
    changed_at: datetime


def standing_on(connection: Connection, list_name: str, subscriber_id: int) -> Standing | None:
    """How somebody stands on a list; None when the list doesn't know them."""
    query = select(memberships.c.status, memberships.c.changed_at).where(
        memberships.c.list_name == list_name, memberships.c.subscriber_id == subscriber_id
    )
    row = connection.execute(query).one_or_none()
    return Standing(MembershipStatus(row.status), row.changed_at) if row else None
