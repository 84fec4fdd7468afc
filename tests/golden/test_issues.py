"""What issues render to: MJML, HTML and plain text, pinned byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.workspace import Workspace

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
ISSUES = sorted((HERE / "issues").glob("*.yaml")) + sorted((REPOSITORY / "issues").glob("*.yaml"))


@pytest.mark.parametrize("path", ISSUES, ids=lambda path: path.stem)
def test_rendering_is_pinned(path: Path, matches_golden: Callable[[str, Path], None]) -> None:
    edition = Workspace.open(REPOSITORY).load(path)
    assert [problem for problem in edition.check() if problem.is_error] == []
    rendered = edition.render()
    for suffix, text in ((".mjml", rendered.mjml), (".html", rendered.html), (".txt", rendered.text)):
        matches_golden(text, HERE / "expected" / (path.stem + suffix))
