"""How the sandbox misbehaves: frozen values, the short language they are written in, and who is struck when.

    accepted-then-reset=5%      one call in twenty, accepted and its connection reset
    429@3,7-9                   the calls number 3, 7, 8 and 9, counted from 1

What happens to a call depends on the seed and the call's number alone, so a run can be repeated whatever its threads
do. At most one fault strikes a call; a rule that names its number goes before those with a rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal


class Ending(Enum):
    """How a call's connection ends."""

    ANSWER = auto()
    """With an answer, complete."""
    RESET = auto()
    RESET_MID_UPLOAD = auto()
    """Reset while the body is on its way."""
    SILENCE = auto()
    """Open, and nothing is said."""
    TRUNCATED = auto()
    """With the head of an answer and less of a body than it promises."""
    CUT = auto()
    """With a part of the status line."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave. `status` replaces the answer; `accepts` tells whether the call is acted on before."""

    name: str
    about: str
    ending: Ending = Ending.ANSWER
    status: int | None = None
    accepts: bool = False
    says_when: bool = False
    """Whether a 429 carries the rate limit's headers."""


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("429", "too many requests, with X-RateLimit-Reset", status=429, says_when=True),
        Fault("429-bare", "too many requests, and no word on when to come back", status=429),
        Fault("500", "internal server error", status=500),
        Fault("502", "bad gateway, as an HTML page", status=502),
        Fault("503", "service unavailable", status=503),
        Fault("reset", "reset when the call was read, before it is acted on", Ending.RESET),
        Fault("reset-mid-upload", "reset when half of the call was read", Ending.RESET_MID_UPLOAD),
        Fault("silent", "read, not acted on, never answered", Ending.SILENCE),
        Fault("accepted-then-502", "accepted, but a gateway says bad gateway", status=502, accepts=True),
        Fault("accepted-then-reset", "accepted, and reset instead of an answer", Ending.RESET, accepts=True),
        Fault("accepted-then-silent", "accepted, and never answered", Ending.SILENCE, accepts=True),
        Fault("accepted-then-truncated", "accepted, and the answer's body breaks off", Ending.TRUNCATED, accepts=True),
        Fault("accepted-then-cut", "accepted, and the answer's first line breaks off", Ending.CUT, accepts=True),
    )
}
"""All there are, by name."""

EXAMPLES = "accepted-then-reset=5% or 429@3,7-9"

_RULE = re.compile(r"(?P<name>[a-z0-9-]+?)(?:=(?P<rate>[^@=]+)|@(?P<numbers>[^@=]+))", re.ASCII)
_RANGE = re.compile(r"([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?(ms|s)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a fault strikes: a share of all calls from 0 to 1, or those whose numbers lie in one of `numbers`."""

    fault: Fault
    rate: float = 0.0
    numbers: tuple[tuple[int, int], ...] = ()
    """First and last of each range."""

    def names(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.numbers)

    def __str__(self) -> str:
        """The rule in the form that `parse_rule` reads."""
        if self.numbers:
            ranges = (f"{first}" if first == last else f"{first}-{last}" for first, last in self.numbers)
            return f"{self.fault.name}@{','.join(ranges)}"
        return f"{self.fault.name}={self.rate * 100:g}%"


@dataclass(frozen=True, slots=True)
class Faults:
    """All misbehaviour of a sandbox; as it stands, there is none. Raises ValueError when the rates exceed 100 %.

    `latency` is the shortest and the longest wait in seconds before an answer. Addresses that match a glob of `refuse`
    are refused with 400, those of `bounce` and `complain` are accepted and reported in events. With `credits` only so
    many recipients are taken. `late_cancel` says what becomes of a cancellation in the last ten minutes.
    `events_chaos` sends events twice and out of order.
    """

    rules: tuple[Rule, ...] = ()
    latency: tuple[float, float] = (0.0, 0.0)
    refuse: tuple[str, ...] = ()
    credits: int | None = None
    late_cancel: Literal["works", "fails"] = "works"
    bounce: tuple[str, ...] = ()
    complain: tuple[str, ...] = ()
    events_chaos: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        # Rates that were written as decimals may add up to a trifle more.
        if sum(rule.rate for rule in self.rules) > 1.000001:
            raise ValueError("the rates of all faults add up to more than 100%, and at most one strikes a call")

    def fault_of(self, number: int) -> Fault | None:
        """What strikes call `number`, if anything does."""
        for rule in self.rules:
            if rule.names(number):
                return rule.fault
        drawn = self._draw("fault", number)
        for rule in self.rules:
            if drawn < rule.rate:
                return rule.fault
            drawn -= rule.rate
        return None

    def latency_of(self, number: int) -> float:
        """Seconds that call `number` has to wait."""
        shortest, longest = self.latency
        return shortest + (longest - shortest) * self._draw("latency", number)

    def in_words(self) -> Iterator[tuple[str, str]]:
        """Each thing that is switched on, as it is written, and what it means."""
        for rule in self.rules:
            yield str(rule), rule.fault.about
        if self.latency[1]:
            yield f"latency {duration(self.latency)}", "before each answer"
        for glob in self.refuse:
            yield f"refuse {glob}", "400 for a call with such an address, naming each"
        if self.credits is not None:
            yield f"credits {self.credits:,}", "401 when they are used up"
        if self.late_cancel == "fails":
            yield "late-cancel fails", "a cancellation in the last ten minutes has no effect"
        for glob in self.bounce:
            yield f"bounce {glob}", "such an address is accepted, and bounces"
        for glob in self.complain:
            yield f"complain {glob}", "such an address reports the mail as spam"
        if self.events_chaos:
            yield "events-chaos", "events come twice and out of order"

    def _draw(self, what: str, number: int) -> float:
        return Random(f"{self.seed}/{what}/{number}").random()  # noqa: S311  nothing is kept secret by it


def refused_addresses(body: object, globs: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Index of the personalization and the address, for each in parsed `body` that matches one of `globs`."""
    personalizations = body.get("personalizations") if globs and isinstance(body, dict) else None
    for index, personalization in enumerate(personalizations if isinstance(personalizations, list) else ()):
        for email in _emails(personalization):
            if matches(email, globs):
                yield index, email


def matches(email: str, globs: tuple[str, ...]) -> bool:
    """Whether an address matches one of `globs`, whatever its case."""
    return any(fnmatchcase(email.lower(), glob.lower()) for glob in globs)


def parse_rule(text: str) -> Rule:
    """`NAME=RATE` or `NAME@NUMBERS` as a Rule. Raises ValueError, whose text says what is allowed."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is neither NAME=RATE nor NAME@NUMBERS; e.g. {EXAMPLES}")
    fault = FAULTS.get(match["name"])
    if fault is None:
        raise ValueError(f"there is no fault {match['name']!r}; there are {', '.join(FAULTS)}; e.g. {EXAMPLES}")
    if match["rate"]:
        return Rule(fault, rate=_rate(match["rate"]))
    return Rule(fault, numbers=tuple(map(_range, match["numbers"].split(","))))


def parse_latency(text: str) -> tuple[float, float]:
    """`100ms`, `1.5s` or a range such as `50-250ms`, in seconds. Raises ValueError, whose text says what is allowed."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} isn't a time; e.g. 100ms, 1.5s or 50-250ms")
    scale = 0.001 if match[3] == "ms" else 1.0
    shortest = float(match[1]) * scale
    longest = float(match[2]) * scale if match[2] else shortest
    if longest < shortest:
        raise ValueError(f"{text!r} ends before it begins; e.g. 50-250ms")
    return shortest, longest


def duration(seconds: tuple[float, float]) -> str:
    """A latency in the form that `parse_latency` reads."""
    shortest, longest = (f"{each * 1000:g}" for each in seconds)
    return f"{shortest}ms" if shortest == longest else f"{shortest}-{longest}ms"


def _rate(text: str) -> float:
    number, is_percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        rate = float(number) / (100 if is_percent else 1)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"{text!r} isn't a rate from 0% to 100%; e.g. 5% or 0.05")
    return rate


def _range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise ValueError(f"{text!r} is no number of a call, counted from 1, nor a range of them; e.g. 3 or 7-9")
    return int(match[1]), int(match[2] or match[1])


def _emails(personalization: Any) -> Iterator[str]:
    if not isinstance(personalization, dict):
        return
    for kind in ("to", "cc", "bcc"):
        people = personalization.get(kind)
        for person in people if isinstance(people, list) else ():
            email = person.get("email") if isinstance(person, dict) else None
            if isinstance(email, str):
                yield email
