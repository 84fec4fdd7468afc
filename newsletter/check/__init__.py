"""The rules that read an issue and its rendering, and return Problems."""

from newsletter.check.content import check_issue
from newsletter.check.rendering import GMAIL_CLIPS_AT, check_rendered

__all__ = ["GMAIL_CLIPS_AT", "check_issue", "check_rendered"]
