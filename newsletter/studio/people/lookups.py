"""What the Subscribers page is looking for, as it stands in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from newsletter.segment import choose_segment
from newsletter.store.directory import Search
from newsletter.store.subscribers import MembershipStatus

SUPPRESSED = "suppressed"
"""Stands among the statuses: whoever must not be mailed."""
STATUSES = {
    "": "Any status",
    MembershipStatus.ACTIVE.value: "Active",
    MembershipStatus.PENDING.value: "Pending: hasn't confirmed",
    MembershipStatus.UNSUBSCRIBED.value: "Unsubscribed",
    SUPPRESSED: "Must not be mailed",
}
"""What the choice of a status offers, by what stands in the address."""
_NAMES = {
    "text": "q",
    "list_name": "list",
    "status": "status",
    "segment": "segment",
    "after": "after",
    "before": "before",
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """The fields of the page. `segment` is a name or an expression; `after` and `before` are where its table begins or
    ends, as address keys."""

    text: str = ""
    list_name: str = ""
    status: str = ""
    segment: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Lookup:
        """What an address's query says. A status that isn't one is passed over."""
        found = cls(**{name: query.get(short, "").strip() for name, short in _NAMES.items()})
        return found if found.status in STATUSES else replace(found, status="")

    @property
    def address(self) -> str:
        """The address of the page that looks for this."""
        query = {short: value for name, short in _NAMES.items() if (value := getattr(self, name))}
        return "/subscribers" + ("?" + urlencode(query) if query else "")

    @property
    def first(self) -> Lookup:
        """The same from its first page on."""
        return replace(self, after="", before="")

    def search(self, segments: Mapping[str, str]) -> Search:
        """What the store is asked, given the named segments. Raises ExpressionError."""
        suppressed = self.status == SUPPRESSED
        return Search(
            text=self.text,
            list_name=self.list_name or None,
            status=MembershipStatus(self.status) if self.status and not suppressed else None,
            suppressed=suppressed,
            segment=choose_segment(self.segment, segments) if self.segment else None,
        )
