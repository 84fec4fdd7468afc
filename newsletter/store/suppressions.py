"""Suppressions: evidence that an address must not be mailed. It is added to, and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from newsletter.store.ids import new_ids
from newsletter.store.tables import suppressions
from newsletter.subscriber import address_key


class SuppressionReason(StrEnum):
    """Why an address must not be mailed."""

    BOUNCE = "bounce"
    """The receiving server said that there is no such mailbox."""
    COMPLAINT = "complaint"
    """Its reader reported a mail as spam."""
    UNSUBSCRIBE = "unsubscribe"
    """Its reader left everything, not only one list."""
    MANUAL = "manual"
    """Somebody of the organisation entered it."""
    INVALID = "invalid"
    """The provider says that it can't be an address."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One piece of evidence: `source` says who or what brought it, `detail` what was said."""

    address_key: str
    reason: SuppressionReason
    source: str
    since_at: datetime
    detail: str | None = None


def suppress(
    connection: Connection,
    email: str,
    reason: SuppressionReason,
    *,
    source: str,
    since_at: datetime,
    detail: str | None = None,
) -> None:
    """Add evidence against `email` (normalised). It counts for every list, and from the next claim on."""
    connection.execute(
        insert(suppressions).values(
            id=new_ids(1)[0],
            address_key=address_key(email),
            reason=reason.value,
            source=source,
            since_at=since_at,
            detail=detail,
        )
    )


def suppressions_of(connection: Connection, email: str) -> list[Suppression]:
    """All evidence against `email` (normalised), oldest first; none when it may be mailed."""
    query = select(suppressions).where(suppressions.c.address_key == address_key(email))
    rows = connection.execute(query.order_by(suppressions.c.since_at, suppressions.c.id))
    return [_suppression(row) for row in rows]


def all_suppressions(connection: Connection) -> Iterator[Suppression]:
    """All evidence, oldest first."""
    for row in connection.execute(select(suppressions).order_by(suppressions.c.since_at, suppressions.c.id)):
        yield _suppression(row)


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(
        row.address_key,
        SuppressionReason(row.reason),
        row.source,
        row.since_at,
        row.detail,
    )
