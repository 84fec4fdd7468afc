"""The domain: an issue, its blocks, and the bytes that rendering freezes."""

from newsletter.issue.model import Issue, Sender, direction_of, slug_of
from newsletter.issue.rendered import InlineImage, Place, RenderedIssue, Slot, fill

__all__ = ["InlineImage", "Issue", "Place", "RenderedIssue", "Sender", "Slot", "direction_of", "fill", "slug_of"]
