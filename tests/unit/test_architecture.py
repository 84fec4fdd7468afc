"""What holds for the tree as a whole: floors, sizes, docstrings, pins, and nothing of anybody's machine in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "newsletter").rglob("*.py"))
LONGEST = 350

MADE_HERE = {".git", ".venv", ".build", ".newsletter", "node_modules", "dist", "out"}
"""Folders that git doesn't track; those named `__pycache__` or `.*_cache` besides."""

HOME_FOLDERS = "|".join(["work", "root", "home", "tmp", "Users"])
REGISTRIES = "|".join([r"registry\.npm" + r"js", r"pypi\." + r"org", r"files\.python" + r"hosted"])
"""In pieces, so that this file doesn't hold what it forbids."""


def tracked_files() -> list[Path]:
    """What git tracks or would; in a copy without git, every file that nothing here made."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        names = subprocess.run(listing, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        files = [ROOT / name for name in names.split("\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not any(map(_made_here, file.relative_to(ROOT).parts))]
    return [file for file in files if file.is_file()]


def _made_here(name: str) -> bool:
    return name in MADE_HERE or name == "__pycache__" or (name.startswith(".") and name.endswith("_cache"))


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a text file; none of a binary one."""
    content = file.read_bytes()
    if b"\0" not in content:
        yield from enumerate(content.decode(errors="replace").splitlines(), 1)


def found(pattern: str) -> list[str]:
    """`file:line` of each match in the tree."""
    expression = re.compile(pattern, re.IGNORECASE)
    return [
        f"{file.relative_to(ROOT)}:{number}"
        for file in tracked_files()
        for number, line in lines_of(file)
        if expression.search(line)
    ]


def test_modules_import_only_from_floors_below() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("module", MODULES, ids=[str(module.relative_to(ROOT)) for module in MODULES])
def test_a_module_says_what_it_is_for_and_is_short(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "a module starts with what it is for"
    assert len(source.splitlines()) <= LONGEST, "a long module has more than one purpose"


def test_no_path_of_a_machine_in_the_tree() -> None:
    assert found(rf"(?<![\w.:/<>*{{}}~-])/({HOME_FOLDERS})/\w") == []


def test_no_registry_host_in_the_tree() -> None:
    """Who installs chooses where from; a lock file or a setting with a host in it would choose for them."""
    assert found(REGISTRIES) == []


def test_the_pins_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [Requirement(line) for line in project["project"]["dependencies"]]
    for extra in project["project"].get("optional-dependencies", {}).values():
        wanted += [Requirement(line) for line in extra]
    wanted += [Requirement(line) for line in project["dependency-groups"]["dev"]]
    pins = dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert pins
    unmet = [
        str(one)
        for one in wanted
        if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert unmet == [], "compile requirements.txt anew"


def test_every_pin_has_a_hash() -> None:
    pins = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text())
    assert [pin.splitlines()[0] for pin in pins if "==" in pin and "--hash=sha256:" not in pin] == []


def test_the_npm_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "tests/node/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') >= lock.count('"node_modules/')
