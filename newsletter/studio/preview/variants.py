"""The variants of an issue that its subscribers can get."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.personalise import variant_of
from newsletter.store import Store
from newsletter.store.subscribers import MembershipStatus, list_sizes, members

LOOKED_AT = 20_000
"""Subscribers who are looked at for which variants there are."""
MOST = 64


@dataclass(frozen=True)
class Variants:
    """The variants, those that most get first, with how many of those who were looked at get each; without numbers
    they are all that conditions allow, as there is nobody on a list yet."""

    readers: dict[str, int | None]
    are_all: bool = True
    """Whether every subscriber was looked at."""


def all_variants(conditions: Sequence[str]) -> Variants:
    """Each combination of conditions, none of which holds in the first; not all when they are very many."""
    listed = ["".join(bits) for bits in itertools.islice(itertools.product("01", repeat=len(conditions)), MOST)]
    return Variants(dict.fromkeys(listed), are_all=2 ** len(conditions) <= MOST)


def variants_of(store: Store, conditions: Sequence[str]) -> Variants:
    """What the active members of the lists get. Takes a moment: to be called in a thread."""
    if not conditions:
        return Variants({"": None})
    counted: Counter[str] = Counter()
    seen: set[int] = set()
    with store.read() as connection:
        for name in list_sizes(connection):
            for member in members(connection, name, MembershipStatus.ACTIVE):
                if len(seen) >= LOOKED_AT:
                    break
                if member.subscriber.id not in seen:
                    seen.add(member.subscriber.id)
                    counted[variant_of(conditions, member.subscriber)] += 1
    if not counted:
        return all_variants(conditions)
    return Variants(dict(counted.most_common()), are_all=len(seen) < LOOKED_AT)
