"""The example issues of the repository's own workspace: without a fault, and with their schema beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.issue.schema import json_schema
from newsletter.workspace import Workspace

REPOSITORY = Path(__file__).parent.parent.parent
ISSUES = REPOSITORY / "issues"


@pytest.mark.parametrize("path", sorted(ISSUES.glob("*.yaml")), ids=lambda path: path.stem)
def test_there_is_nothing_to_find_fault_with(path: Path) -> None:
    assert Workspace.open(REPOSITORY).load(path).check() == []


@pytest.mark.parametrize("path", sorted(ISSUES.glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_are_told_the_schema(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=issue.schema.json\n")


def test_the_schema_is_current(matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n", ISSUES / "issue.schema.json")


def test_every_picture_is_used() -> None:
    written = "".join(path.read_text("utf-8") for path in [*ISSUES.glob("*.yaml"), REPOSITORY / "newsletter.yaml"])
    assert [picture.name for picture in (ISSUES / "images").iterdir() if f"images/{picture.name}" not in written] == []
