"""Durations, rates and points in time, as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

MIN_UNDO = timedelta(minutes=11)
"""The provider promises nothing in the last ten minutes."""

_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d+)\s*([a-z]+?)s?|(\d+)s", str(value).strip().lower())
        unit = (found[2] or "s") if found else ""
        if found is None or unit not in _SECONDS:
            self.fail(f"{value!r} is not a duration: 45s, 20m or 2h", param, ctx)
        return timedelta(seconds=int(found[1] or found[3]) * _SECONDS[unit])


class _Rate(click.ParamType[float]):
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+)\s*/\s*([a-z]+)", str(value).strip().lower())
        if found is None or found[2] not in _SECONDS or not int(found[1]):
            self.fail(f"{value!r} is not a rate: 500/min, 20/s or 10000/h", param, ctx)
        return int(found[1]) / _SECONDS[found[2]]


DURATION = _Duration()
RATE = _Rate()
"""Recipients per second."""


def send_time(at: str | None, undo_window: timedelta | None, time_zone: str) -> datetime | None:
    """When the provider is to send, in UTC: at the time `at` of `time_zone`, or when an undo window ends.

    None is at once. Raises UsageError for a time that can't be read, or both options.
    """
    if at is not None and undo_window is not None:
        raise click.UsageError("--at can be undone until ten minutes before it: it needs no --undo-window.")
    if undo_window is not None:
        if undo_window < MIN_UNDO:
            raise click.UsageError(
                "An undo window has at least 11 minutes: the provider promises nothing in the last 10."
            )
        return datetime.now(UTC) + undo_window
    if at is None:
        return None
    try:
        named = datetime.fromisoformat(at.strip())
    except ValueError:
        raise click.UsageError(f"{at!r} is not a time: write it as '2026-03-31 09:00'.") from None
    return (named if named.tzinfo else named.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)
