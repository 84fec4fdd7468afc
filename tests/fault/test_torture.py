"""A short torture; `make torture SEEDS=200` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = os.environ.get("TORTURE_SEEDS", "4")


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_senders_that_are_killed_send_nothing_twice_and_lose_nobody(database: str) -> None:
    command = [sys.executable, Path(__file__).with_name("torture.py"), "--seeds", SEEDS, "--database", database]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "accepted twice              0" in ended.stdout
    print(ended.stdout)
