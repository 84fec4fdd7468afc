"""Durations, rates and points in time, as options take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

MIN_UNDO = timedelta(minutes=11)
"""The provider promises nothing in the last ten minutes."""


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from newsletter.dispatch.times import read_duration

        try:
            return value if isinstance(value, timedelta) else read_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Rate(click.ParamType[float]):
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from newsletter.dispatch.times import read_rate

        try:
            return value if isinstance(value, float) else read_rate(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
RATE = _Rate()
"""Recipients per second."""


def send_time(at: str | None, undo_window: timedelta | None, time_zone: str) -> datetime | None:
    """When the provider is to send, in UTC: at the time `at` of `time_zone`, or when an undo window ends.

    None is at once. Raises UsageError for a time that can't be read, or both options.
    """
    from newsletter.dispatch.times import read_moment

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
        return read_moment(at, time_zone)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
