"""People who asked to be forgotten: they are erased, and only a salted hash of their address stays.

The hash keeps imports from bringing them back, and stands where their address stood in what was sent, so that the
numbers of a dispatch stay true. Whoever holds the database can tell whether a given address was forgotten, and
nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, insert, select, update

from newsletter.store.keys import is_among
from newsletter.store.tables import (
    attempts,
    deliveries,
    events,
    forgotten,
    salts,
    subscribers,
    suppressions,
)
from newsletter.subscriber import address_key

PLACEHOLDER = "forgotten"
"""What stands in the place of an address that was erased."""
_PURPOSE = "forgotten"


@dataclass(frozen=True, slots=True)
class Erased:
    """What there was of a person: whether a subscriber, how many deliveries, how many suppressions."""

    subscriber: bool
    deliveries: int
    suppressions: int


def forget(connection: Connection, email: str, *, now: datetime) -> Erased:
    """Erase the person of a normalised address wherever they are, and remember the hash.

    Deliveries and suppressions remain as facts about nobody; a delivery that was only planned will not be sent.
    Forgetting somebody unknown, or twice, only remembers the hash.
    """
    if connection.dialect.name == "sqlite":
        # What is deleted is overwritten, and not only given free.
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    key = address_key(email)
    digest = _digest(key, _salt(connection))
    theirs = deliveries.c.address_key == key
    # What the provider said may quote the address, of one call or of one delivery.
    said = func.replace(func.replace(attempts.c.detail, email, PLACEHOLDER), key, PLACEHOLDER)
    calls = attempts.c.batch_id.in_(select(deliveries.c.batch_id).where(theirs))
    connection.execute(update(attempts).where(calls, attempts.c.detail.is_not(None)).values(detail=said))
    reports = events.c.delivery_id.in_(select(deliveries.c.id).where(theirs))
    connection.execute(update(events).where(reports, events.c.detail.is_not(None)).values(detail=None))
    sent = connection.execute(
        update(deliveries)
        .where(theirs)
        .values(
            address_key=digest,
            email=PLACEHOLDER,
            name="",
            values=None,
            reason=case((deliveries.c.reason.contains("@"), PLACEHOLDER), else_=deliveries.c.reason),
        )
    ).rowcount
    evidence = connection.execute(
        update(suppressions).where(suppressions.c.address_key == key).values(address_key=digest, detail=None)
    ).rowcount
    known = connection.execute(delete(subscribers).where(subscribers.c.address_key == key)).rowcount == 1
    if connection.scalar(select(forgotten.c.since_at).where(forgotten.c.address_hash == digest)) is None:
        connection.execute(insert(forgotten).values(address_hash=digest, since_at=now))
    return Erased(known, sent, evidence)


def forgotten_since(connection: Connection, email: str) -> datetime | None:
    """When the person of a normalised address was forgotten; None when they weren't."""
    salt = _known_salt(connection)
    if salt is None:
        return None
    digest = _digest(address_key(email), salt)
    return connection.scalar(select(forgotten.c.since_at).where(forgotten.c.address_hash == digest))


def forgotten_among(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of some address keys whose people were forgotten."""
    if connection.scalar(select(forgotten.c.address_hash).limit(1)) is None:
        return set()
    salt = _salt(connection)
    by_digest = {_digest(key, salt): key for key in keys}
    hashes = forgotten.c.address_hash
    found = connection.scalars(select(hashes).where(is_among(connection, hashes, by_digest)))
    return {by_digest[digest] for digest in found}


def welcome_back(connection: Connection, email: str) -> bool:
    """Forget that somebody was forgotten, because they wish it themselves; False when they weren't.

    What they had been sent, and evidence against mailing them, is theirs again: nothing reaches them twice.
    """
    salt = _known_salt(connection)
    if salt is None:
        return False
    key = address_key(email)
    digest = _digest(key, salt)
    if connection.execute(delete(forgotten).where(forgotten.c.address_hash == digest)).rowcount == 0:
        return False
    for table in (deliveries, suppressions):
        connection.execute(update(table).where(table.c.address_key == digest).values(address_key=key))
    return True


def _salt(connection: Connection) -> str:
    known = _known_salt(connection)
    if known is None:
        known = secrets.token_hex(32)
        connection.execute(insert(salts).values(purpose=_PURPOSE, salt=known))
    return known


def _known_salt(connection: Connection) -> str | None:
    return connection.scalar(select(salts.c.salt).where(salts.c.purpose == _PURPOSE))


def _digest(key: str, salt: str) -> str:
    return hashlib.blake2b(key.encode(), key=bytes.fromhex(salt), digest_size=32).hexdigest()
