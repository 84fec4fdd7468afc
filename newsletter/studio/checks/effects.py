"""What each Problem would do to a reader: the groups in which the Studio shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newsletter.errors import Problem

UNFILLED = "no-value"
"""The code of a Problem that the Studio finds by looking at a list: a personal part that is empty for somebody."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What readers would notice: a title, a sentence about it, the name of an icon, and the codes that bring it on."""

    key: str
    title: str
    about: str
    icon: str
    codes: frozenset[str]


def _effect(key: str, title: str, about: str, icon: str, codes: str) -> Effect:
    return Effect(key, title, about, icon, frozenset(codes.split()))


EFFECTS = (
    _effect(
        "unsendable",
        "It can't be sent",
        "Nobody gets anything before this is mended.",
        "block",
        """
        unreadable-file file-too-large not-utf-8 too-deep too-many-values yaml-syntax yaml-tag tab bad-key
        duplicate-key control-character missing-key unknown-key unknown-word wrong-type wrong-form wrong-value
        empty-value too-few too-many out-of-range bad-date bad-email bad-colour bad-language bad-tags bad-time-zone
        unknown-theme template-syntax template-fault mjml css-fetches render rendering no-domains second-block
        deep-html no-unsubscribe
        """,
    ),
    _effect(
        "links",
        "Readers can't get where a link promises",
        "Somebody clicks, and ends up nowhere or somewhere else.",
        "link_off",
        "bad-url label-without-url dead-link unreachable-link private-link moved-link",
    ),
    _effect(
        "broken",
        "Some mail programs cut it off or break it",
        "What is in the file isn't what arrives.",
        "broken_image",
        "too-large nearly-too-large long-line removed-html image-in-text",
    ),
    _effect(
        "unseen",
        "Some readers miss something",
        "With images off, with a screen reader, or with tired eyes.",
        "visibility_off",
        "missing-image bad-image-address heavy-image no-alt vague-link low-contrast",
    ),
    _effect(
        "personal",
        "Personal parts read wrongly",
        "A reader sees a gap, or what was meant for the computer.",
        "person_alert",
        f"bad-expression stray-braces {UNFILLED}",
    ),
    _effect(
        "inbox",
        "The inbox shows it badly",
        "Subject and preheader are all that most people see before they decide.",
        "inbox",
        "no-preheader long-subject long-preheader",
    ),
    _effect(
        "look",
        "Worth a look",
        "It may be as you mean it.",
        "search",
        "placeholder",
    ),
)
"""All there are, the worst first."""

_BY_CODE: Mapping[str, Effect] = {code: effect for effect in EFFECTS for code in effect.codes}


def known_codes() -> frozenset[str]:
    """The codes that have an effect of their own."""
    return frozenset(_BY_CODE)


def effect_of(problem: Problem) -> Effect:
    """What a Problem would do to a reader; of a code that isn't known, an error stops the sending."""
    return _BY_CODE.get(problem.code) or EFFECTS[0 if problem.is_error else -1]


def grouped(problems: Iterable[Problem]) -> list[tuple[Effect, list[Problem]]]:
    """The Problems by what they would do, the worst first, in each group the errors first, else in the order given."""
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(effect_of(problem).key, []).append(problem)
    return [
        (effect, sorted(found[effect.key], key=lambda problem: not problem.is_error))
        for effect in EFFECTS
        if effect.key in found
    ]
