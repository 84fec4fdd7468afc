"""Resolving: what can't be known is listed by name, and settled by a person, never by itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from newsletter.delivery import UNFINISHED, DispatchState
from newsletter.errors import DispatchError
from newsletter.store import Store
from newsletter.store.batches import settle_orphans
from newsletter.store.deliveries import DeliveryRecord
from newsletter.store.dispatches import Dispatch, change_state
from newsletter.store.resolutions import assume_sent, plan_again, uncertain_deliveries
from newsletter.subscriber import address_key


class Decision(StrEnum):
    """What an operator can decide of uncertain deliveries."""

    ASSUME_SENT = "assume sent"
    """Count them as accepted: some may never have got it."""
    RESEND = "resend"
    """Send once more: some may get it twice."""


def uncertain(store: Store, dispatch: Dispatch, *, now: datetime) -> list[DeliveryRecord]:
    """The uncertain deliveries of a dispatch; what a sender that is gone had in its hands is among them."""
    with store.write() as connection:
        settle_orphans(connection, dispatch.id, now=now)
    with store.read() as connection:
        return list(uncertain_deliveries(connection, dispatch.id))


def resolve(
    store: Store, dispatch: Dispatch, decision: Decision, *, who: str, now: datetime, emails: Collection[str] = ()
) -> int:
    """Settle the uncertain deliveries to `emails` (normalised), or all of them; gives how many.

    With RESEND they are planned again, and sending goes on when it is run. Raises DispatchError for an address that
    isn't uncertain.
    """
    found = uncertain(store, dispatch, now=now)
    if emails:
        wanted = {address_key(email) for email in emails}
        found = [delivery for delivery in found if address_key(delivery.email) in wanted]
        if missing := wanted - {address_key(delivery.email) for delivery in found}:
            raise DispatchError(
                f"not uncertain: {', '.join(sorted(missing))}", hint="`newsletter resolve` lists who is"
            )
    numbers = [delivery.id for delivery in found]
    note = f"{decision}: decided by {who} on {now:%Y-%m-%d %H:%M} UTC"
    with store.write() as connection:
        if decision is Decision.ASSUME_SENT:
            return assume_sent(connection, dispatch.id, numbers, note)
        since = UNFINISHED | {DispatchState.COMPLETE}
        if numbers and not change_state(
            connection,
            dispatch.id,
            DispatchState.STOPPED,
            since=since,
            reason="some are to be sent again",
            ended_at=None,
        ):
            raise DispatchError(f"this sending is {dispatch.state}: send the issue anew instead")
        return plan_again(connection, dispatch.id, numbers, note)
