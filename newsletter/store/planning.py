"""Writing a plan: the batches of a dispatch and its deliveries, in a stream, however long the list is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, insert

from newsletter.delivery import BatchState, DeliveryStatus
from newsletter.store.bulk import insert_rows
from newsletter.store.ids import part_ids
from newsletter.store.tables import batches, deliveries
from newsletter.subscriber import Subscriber, address_key

_COLUMNS = (
    "id", "dispatch_id", "batch_id", "subscriber_id", "issue_slug", "address_key", "email", "name", "values", "status",
    "reason",
)  # fmt: skip
_SUPPRESSED_AT_ONCE = 1000


class PlanWriter:
    """Takes the people of an audience one by one and writes them in batches of one variant and one stage each.

    `issue_slug` is what a person has at most one delivery of. Nothing but the batches being filled is held.
    """

    def __init__(self, connection: Connection, dispatch_id: int, issue_slug: str, batch_size: int) -> None:
        self._connection = connection
        self._dispatch_id = dispatch_id
        self._issue_slug = issue_slug
        self._batch_size = batch_size
        self._next_batch = iter(part_ids(dispatch_id))
        self._next_delivery = iter(part_ids(dispatch_id))
        self._open: dict[str, list[tuple[Subscriber, Sequence[str]]]] = {}
        self._suppressed: list[tuple[Any, ...]] = []
        self._stage = 0
        self.batches = 0

    def add(self, person: Subscriber, variant: str, values: Sequence[str]) -> None:
        """Plan a delivery; `values` fill the variant's slots, in their order."""
        people = self._open.setdefault(variant, [])
        people.append((person, values))
        if len(people) == self._batch_size:
            self._write(variant)

    def suppress(self, person: Subscriber, reason: str) -> None:
        """Note that somebody of the audience is not mailed, and why."""
        self._suppressed.append(self._row(person, (), None, DeliveryStatus.SUPPRESSED.value, reason))
        if len(self._suppressed) == _SUPPRESSED_AT_ONCE:
            self._write_suppressed()

    def next_stage(self) -> None:
        """What comes now is not claimed before what came until now is settled."""
        self.flush()
        self._stage += 1

    def flush(self) -> None:
        """Write what is held."""
        for variant in list(self._open):
            self._write(variant)
        self._write_suppressed()

    def _write(self, variant: str) -> None:
        people = self._open.pop(variant)
        number = next(self._next_batch)
        connection = self._connection
        connection.execute(
            insert(batches).values(
                id=number,
                dispatch_id=self._dispatch_id,
                variant=variant,
                size=len(people),
                stage=self._stage,
                state=BatchState.PLANNED.value,
            )
        )
        rows = [self._row(person, values, number, None, None) for person, values in people]
        insert_rows(connection, deliveries, _COLUMNS, rows)
        self.batches += 1

    def _write_suppressed(self) -> None:
        insert_rows(self._connection, deliveries, _COLUMNS, self._suppressed)
        self._suppressed = []

    def _row(
        self, person: Subscriber, values: Sequence[str], batch: int | None, status: str | None, reason: str | None
    ) -> tuple[Any, ...]:
        return (
            next(self._next_delivery),
            self._dispatch_id,
            batch,
            person.id,
            self._issue_slug,
            address_key(person.email),
            person.email,
            person.name,
            orjson.dumps(values).decode() if values else None,
            status,
            reason,
        )
