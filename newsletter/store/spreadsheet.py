"""Cells that a spreadsheet would take for formulas (OWASP: CSV injection), made harmless, and read back."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(value: str) -> str:
    """`value` for a cell: an apostrophe before it when it would start a formula. Spreadsheets show it as text."""
    return f"'{value}" if value.lstrip("'").startswith(_STARTS) else value


def unguarded(value: str) -> str:
    """What `guarded` was given; anything else as it is."""
    return value[1:] if value[:1] == "'" and value.lstrip("'").startswith(_STARTS) else value
