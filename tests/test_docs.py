"""What README says is true: its help is the command's own, and nothing that can be typed or set is missing from it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from newsletter.cli.main import FAILED, FINE, UNCERTAIN, USAGE, newsletter
from newsletter.environment import Environment
from newsletter.issue.schema import json_schema
from newsletter.settings import Settings
from newsletter.theme import BASE, theme_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_help_in_the_readme_is_the_commands_own() -> None:
    shown = re.search(r"```\n(Usage: newsletter .*?)```", README, re.DOTALL)
    said = subprocess.run([sys.executable, "-m", "newsletter", "--help"], capture_output=True, text=True, check=True)
    assert shown is not None
    assert shown[1] == said.stdout


def commands(group: click.Group, path: str = "newsletter") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(newsletter))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_examples(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert f"{name.removesuffix(' -')} " in command.help or f"{name}\n" in command.help + "\n", "an example"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} isn't explained"


def settings_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner.__name__ != "Image":
                yield from inner.model_fields


@pytest.mark.parametrize("name", sorted(set(settings_of(Settings))))
def test_each_setting_is_in_the_readme(name: str) -> None:
    section = README.split("## Settings")[1].split("\n## ")[0]
    assert f"`{name}`" in section or f"`{name}:" in section


@pytest.mark.parametrize("name", [name.upper() for name in Environment.model_fields])
def test_each_secret_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_each_block_and_its_fields_are_in_the_readme() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", README, re.MULTILINE))
    blocks = {
        definition["properties"]["type"]["const"]: set(definition["properties"]) - {"type", "when"}
        for definition in json_schema()["$defs"].values()
        if "const" in definition.get("properties", {}).get("type", {})
    }
    assert set(rows) == set(blocks)
    for kind, fields in blocks.items():
        missing = {field for field in fields if f"`{field}`" not in rows[kind]}
        assert not missing, f"{kind}: {missing}"


def test_each_exit_code_and_theme_is_in_the_readme() -> None:
    for code in (FINE, FAILED, USAGE, UNCERTAIN):
        assert f"\n| {code} |" in README
    for theme in theme_names(None):
        assert f"`{theme}`" in README or theme == BASE


def test_what_the_readme_names_is_there() -> None:
    for name in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / name).exists(), name
    targets = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)\b", README)) - {"lists"}:
        assert f"\n{target}:" in targets, f"make {target}"
