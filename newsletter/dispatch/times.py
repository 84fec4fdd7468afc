"""Durations, rates and points in time, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


def read_duration(words: str) -> timedelta:
    """`45s`, `20m` or `2 hours`. Raises ValueError, whose text says what is allowed."""
    found = re.fullmatch(r"(\d+)\s*([a-z]+?)s?|(\d+)s", words.strip().lower())
    unit = (found[2] or "s") if found else ""
    if found is None or unit not in _SECONDS:
        raise ValueError(f"{words!r} is not a duration: 45s, 20m or 2h")
    return timedelta(seconds=int(found[1] or found[3]) * _SECONDS[unit])


def read_rate(words: str) -> float:
    """`500/min`, `20/s` or `10000/h`, as recipients a second. Raises ValueError, whose text says what is allowed."""
    found = re.fullmatch(r"(\d+)\s*/\s*([a-z]+)", words.strip().lower())
    if found is None or found[2] not in _SECONDS or not int(found[1]):
        raise ValueError(f"{words!r} is not a rate: 500/min, 20/s or 10000/h")
    return int(found[1]) / _SECONDS[found[2]]


def read_moment(words: str, time_zone: str) -> datetime:
    """`2026-03-31 09:00`, meant in `time_zone` unless it names another offset, in UTC.

    Raises ValueError, whose text says what is allowed.
    """
    try:
        named = datetime.fromisoformat(words.strip())
    except ValueError:
        raise ValueError(f"{words!r} is not a time: write it as '2026-03-31 09:00'") from None
    return (named if named.tzinfo else named.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)


def local_words(moment: datetime, time_zone: str) -> str:
    """A point in time as people of `time_zone` say it, with the zone."""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%a %d %b %Y %H:%M} ({time_zone})"
