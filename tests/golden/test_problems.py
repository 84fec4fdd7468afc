"""Bad files beside the exact text that `newsletter check` prints about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli.output import problem_text
from newsletter.workspace import Edition, Workspace

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_problems_are_pinned(path: Path, matches_golden: Callable[[str, Path], None]) -> None:
    workspace = Workspace.open(HERE)
    problems = Edition.read(workspace, path).check()
    assert problems
    printed = "".join(problem_text(problem, workspace.root).plain + "\n" for problem in problems)
    matches_golden(printed, path.with_suffix(".txt"))
