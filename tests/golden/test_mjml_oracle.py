"""The MJML project's own validator accepts, in strict mode, every intermediate MJML that the golden tests pin."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent
NODE_FOLDER = GOLDEN.parent / "node"

pytestmark = pytest.mark.node


@pytest.fixture(autouse=True)
def _needs_npm_mjml() -> None:
    if shutil.which("node") is None:
        pytest.skip("Node.js isn't installed")
    if not (NODE_FOLDER / "node_modules" / "mjml").is_dir():
        pytest.skip("npm mjml isn't installed in tests/node: `make unit` does that where Node.js is new enough")


def strict_errors(files: list[Path]) -> dict[str, list[str]]:
    """What npm mjml says against each of `files`, where it says anything."""
    command = ["node", str(NODE_FOLDER / "compile.mjs"), *map(str, files)]
    results = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert len(results) == len(files)
    return {result["file"]: result["errors"] for result in results if result["errors"] or not result["html"]}


def test_every_golden_mjml_is_valid_in_strict_mode() -> None:
    files = sorted(GOLDEN.rglob("*.mjml"))
    assert files, "there is no golden .mjml to validate"
    assert strict_errors(files) == {}


def test_the_oracle_finds_faults(tmp_path: Path) -> None:
    """Without this, an oracle that accepts everything would go unnoticed."""
    text = '<mjml><mj-body><mj-section><mj-column><mj-text colour="red">Hello</mj-text></mj-column></mj-section></mj-body></mjml>'
    wrong = tmp_path / "wrong.mjml"
    wrong.write_text(text)
    assert "colour" in str(strict_errors([wrong]))
    wrong.write_text(text.replace("colour", "color"))
    assert strict_errors([wrong]) == {}
