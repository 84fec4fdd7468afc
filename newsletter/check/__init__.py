"""The rules that read an issue and its rendering, and return Problems."""

from newsletter.check.content import check_issue
from newsletter.check.rendering import check_rendered

__all__ = ["check_issue", "check_rendered"]
