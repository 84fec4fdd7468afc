"""Numbers for rows, made here and not by the database, so that they are known before anything is written.

A subscriber's number begins with the time, so that new rows are stored side by side. A dispatch's is random; its
batches and deliveries count up from it, and so lie together too. None of them says anything about a person.
"""

from __future__ import annotations

import secrets
import time

_RANDOM_BITS = 21
"""Beside 42 bits of milliseconds since 1970: 63 bits, which lasts until 2109."""
_PART_BITS = 33
"""For the parts of a dispatch, beside 30 random bits of its own."""


def new_ids(count: int) -> range:
    """`count` numbers for rows of one table. Two programs that ask in the same millisecond get different ones, but
    for one chance in some thousands; the database then refuses the second one's rows."""
    first = (time.time_ns() // 1_000_000 << _RANDOM_BITS) + secrets.randbelow(1 << _RANDOM_BITS)
    return range(first, first + count)


def new_dispatch_id() -> int:
    """A random number from 1 to 2³⁰ - 1."""
    return secrets.randbelow((1 << 30) - 1) + 1


def part_ids(dispatch_id: int) -> range:
    """The numbers that a dispatch's batches have, and its deliveries; each counts up from the first."""
    return range(dispatch_id << _PART_BITS, (dispatch_id + 1) << _PART_BITS)


def new_attempt_id() -> str:
    """A random word of 16 letters, digits, dashes and underscores."""
    return secrets.token_urlsafe(12)
