"""What somebody chooses on the Send page, and what is wrong with it, each fault at its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.dispatch.plan import MAX_SCHEDULE, UNDO_MARGIN
from newsletter.dispatch.ramp import DEFAULT_THRESHOLD, Ramp
from newsletter.dispatch.send import Speed
from newsletter.dispatch.times import local_words, read_moment, read_rate
from newsletter.expression import ExpressionError
from newsletter.segment import choose_segment

UNDO_WINDOWS = (0, 5, 10, 20, 30)
"""Minutes in which a sending can be called off for sure; the provider holds it for ten more."""
RAMP_WAITS = (0, 5, 10, 30, 60)
"""Minutes that a ramp waits for bounces between its stages."""

_SEPARATORS = re.compile(r"[\s,.'’_\u202f]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a field: `offset` and `length` say where in what was typed, when that is known."""

    message: str
    hint: str | None = None
    offset: int | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """The fields of the page as they are filled in. `segment` is a name or an expression; empty is everybody."""

    list_name: str = ""
    segment: str = ""
    exclude_lists: tuple[str, ...] = ()
    exclude_received: tuple[str, ...] = ()
    limit: str = ""
    scheduled: bool = False
    day: str = ""
    clock: str = ""
    undo_minutes: int = 0
    ramp: bool = False
    ramp_wait: int = 0
    ramp_stop: str = f"{DEFAULT_THRESHOLD * 100:g}"
    rate: str = ""
    rehearsal: bool = False

    def faults(self, segments: Mapping[str, str], zone: str, now: datetime) -> dict[str, Fault]:
        """What is wrong, by the name of the field."""
        found: dict[str, Fault] = {}
        if not self.list_name:
            found["list_name"] = Fault("choose a list")
        if self.segment:
            try:
                choose_segment(self.segment, segments)
            except ExpressionError as error:
                found["segment"] = Fault(str(error), error.hint, error.offset, error.length)
        if self.limit.strip() and not typed_count(self.limit):
            found["limit"] = Fault("this is not a number of people")
        if self.rate.strip():
            try:
                read_rate(self.rate)
            except ValueError as error:
                found["rate"] = Fault(str(error))
        if self.ramp and _percent(self.ramp_stop) is None:
            found["ramp_stop"] = Fault("a percentage from 0 to 100")
        if self.scheduled and (fault := self._time_fault(zone, now)):
            found["day"] = fault
        return found

    def _time_fault(self, zone: str, now: datetime) -> Fault | None:
        if not self.day or not self.clock:
            return Fault("choose a day and a time")
        try:
            moment = read_moment(f"{self.day} {self.clock}", zone)
        except ValueError as error:
            return Fault(str(error))
        if moment <= now:
            return Fault("this time has passed")
        if moment > now + MAX_SCHEDULE:
            return Fault("SendGrid takes an issue at most 72 hours ahead")
        return None

    def limit_count(self) -> int | None:
        """The most people who are to get it."""
        return typed_count(self.limit) if self.limit.strip() else None

    def send_at(self, zone: str, now: datetime) -> datetime | None:
        """When the provider is to send, if what is chosen were confirmed at `now`; None is at once.

        Raises ValueError for a time that can't be read.
        """
        if self.scheduled:
            return read_moment(f"{self.day} {self.clock}", zone)
        if self.undo_minutes:
            return now + timedelta(minutes=self.undo_minutes) + UNDO_MARGIN
        return None

    def speed(self) -> Speed:
        """How fast to send. Raises ValueError for a rate that can't be read."""
        return Speed(per_second=read_rate(self.rate) if self.rate.strip() else None)

    def stages(self) -> Ramp | None:
        """The ramp, when one is chosen."""
        if not self.ramp:
            return None
        percent = _percent(self.ramp_stop)
        return Ramp(DEFAULT_THRESHOLD if percent is None else percent / 100, self.ramp_wait * 60)

    def undo_words(self, zone: str, now: datetime) -> str:
        """What can be done about it after sending, in a sentence or two."""
        margin = int(UNDO_MARGIN.total_seconds() // 60)
        if self.scheduled:
            try:
                moment = read_moment(f"{self.day} {self.clock}", zone)
            except ValueError:
                return ""
            if moment - UNDO_MARGIN <= now:
                return (
                    f"The provider holds it until then. That is in less than {margin} minutes, in which it doesn't "
                    "promise to call anything off."
                )
            until = local_words(moment - UNDO_MARGIN, zone)
            return f"The provider holds it until then. It can be undone for sure until {until}."
        if self.undo_minutes:
            hold = self.undo_minutes + margin
            return (
                f"The provider holds it for {hold} minutes. In the first {self.undo_minutes} it can be undone for "
                f"sure; in the last {margin} the provider promises nothing."
            )
        return "It goes out at once, and can't be called back."


def typed_count(words: str) -> int | None:
    """The number that somebody typed, with or without separators: `4812`, `4,812`, `4 812`. None when it is none."""
    digits = _SEPARATORS.sub("", words)
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _percent(words: str) -> float | None:
    try:
        percent = float(words.strip().removesuffix("%"))
    except ValueError:
        return None
    return percent if 0 <= percent <= 100 else None
