"""What Problems would do to a reader: each code that the package knows has its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsletter
from newsletter.errors import Problem, Severity
from newsletter.studio.checks.effects import EFFECTS, effect_of, grouped, known_codes

PACKAGE = Path(newsletter.__file__).parent
GOLDEN = Path(__file__).parent.parent / "golden"

CODE_AT = {"Problem": 0, "PydanticCustomError": 0, "_fault": 0, "problem_at": 2, "NoAnswer": 2, "_Outcome": 2}
"""By what makes a Problem: which of its arguments is the code."""
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")


def codes_in(tree: ast.AST) -> Iterator[str]:
    """The codes that a module writes down."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_AT:
            place = CODE_AT[node.func.id]
            given = [*node.args[place : place + 1], *(each.value for each in node.keywords if each.arg == "code")]
            for value in given:
                yield from texts(value)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [each.id if isinstance(each, ast.Name) else "" for each in node.targets[0].elts]
            if "code" in names and isinstance(node.value, ast.Tuple):
                yield from texts(node.value.elts[names.index("code")])
        elif isinstance(node, ast.FunctionDef):
            arguments = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, default in zip(arguments, node.args.defaults, strict=True):
                if argument.arg == "code":
                    yield from texts(default)


def texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
        yield value.value


def all_codes() -> set[str]:
    """Every code in the package's source, those that are put together at run time named here."""
    from newsletter.source.validate import _SENTENCES

    found = {code for code, _ in _SENTENCES.values()} | {"long-subject", "long-preheader"}
    for file in PACKAGE.rglob("*.py"):
        found |= set(codes_in(ast.parse(file.read_text("utf-8"))))
    return found


def test_every_code_in_the_package_has_an_effect() -> None:
    codes = all_codes()
    assert {"yaml-syntax", "dead-link", "unreachable-link", "private-link", "bad-url", "mjml", "bad-date"} <= codes
    assert codes - known_codes() == set()


def test_every_code_that_is_printed_for_a_bad_file_has_an_effect() -> None:
    printed = {
        code
        for file in GOLDEN.rglob("*.txt")
        for code in re.findall(r"^(?:error|warning)\[([a-z0-9-]+)\]", file.read_text("utf-8"), re.MULTILINE)
    }
    assert len(printed) >= 20
    assert printed - known_codes() == set()


def test_no_effect_is_kept_for_a_code_that_nothing_uses() -> None:
    source = "\n".join(
        file.read_text("utf-8") for file in PACKAGE.rglob("*.py") if file.name != "effects.py"
    )  # fmt: skip
    unused = {
        code for code in known_codes() - {"long-subject", "long-preheader", "no-value"} if f'"{code}"' not in source
    }
    assert unused == set()


def test_a_code_has_one_effect() -> None:
    assert sum(len(effect.codes) for effect in EFFECTS) == len(known_codes())


@pytest.mark.parametrize(("severity", "title"), [("error", "It can't be sent"), ("warning", "Worth a look")])
def test_a_code_that_is_new_is_shown_by_how_bad_it_is(severity: str, title: str) -> None:
    assert effect_of(Problem("never-heard-of", "?", severity=Severity(severity))).title == title


def test_the_worst_comes_first() -> None:
    warning = Severity.WARNING
    problems = [
        Problem("placeholder", "a", severity=warning),
        Problem("moved-link", "b", severity=warning),
        Problem("bad-url", "c"),
        Problem("tab", "d"),
        Problem("dead-link", "e", severity=warning),
    ]
    told = [(effect.key, [problem.message for problem in found]) for effect, found in grouped(problems)]
    assert told == [("unsendable", ["d"]), ("links", ["c", "b", "e"]), ("look", ["a"])]
    assert grouped([]) == []
