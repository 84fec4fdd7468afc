"""`pytest tests/golden --update-golden` writes the expected files anew; read the diff before you commit it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")


@pytest.fixture
def matches_golden(request: pytest.FixtureRequest) -> Callable[[str, Path], None]:
    """Compare a text with the golden file that pins it, or write that file."""

    def compare(actual: str, golden: Path) -> None:
        if request.config.getoption("--update-golden", default=False):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(actual, "utf-8")
        assert golden.is_file(), f"{golden} is missing: make golden"
        assert actual == golden.read_text("utf-8")

    return compare
