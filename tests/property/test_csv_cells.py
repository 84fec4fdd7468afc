"""What a spreadsheet would run never leaves as it is, and comes back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.store.spreadsheet import guarded, unguarded


@given(st.text("'=+-@\t\r\nab＝＠", max_size=6))
def test_a_guarded_cell_is_no_formula_and_loses_nothing(value: str) -> None:
    assert not guarded(value).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"))
    assert unguarded(guarded(value)) == value
