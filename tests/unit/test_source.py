"""YAML as people write it: words stay words, and everything has its place."""

from __future__ import annotations

import pytest

from newsletter.errors import Location
from newsletter.source import decode_source, parse_source


@pytest.mark.parametrize(
    "word", ["No", "yes", "on", "12:30", "2026-03-31", "1_000", "0x10", "1e3", "true", "007", "3.10"]
)
def test_scalars_stay_text(word: str) -> None:
    source, problems = parse_source(f"title: {word}\n", "f.yaml")
    assert problems == []
    assert source is not None
    assert source.data == {"title": word}


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_nothing_is_none_unless_quoted(nothing: str) -> None:
    source, _ = parse_source(f"bare: {nothing}\nquoted: '{nothing}'\n", "f.yaml")
    assert source is not None
    assert source.data == {"bare": None, "quoted": nothing}


def test_values_are_located_by_line_and_column() -> None:
    source, _ = parse_source(
        "blocks:\n  - type: text\n    body: |\n      Dear {{ x }},\n      again {{ y }}\n", "f.yaml"
    )
    assert source is not None
    assert source.locate(("blocks", 0, "type")) == Location("f.yaml", 2, 11, 4)
    assert source.locate(("blocks", 0, "body"), key=True) == Location("f.yaml", 3, 5, 4)
    assert source.locate_snippet(("blocks", 0, "body"), "{{ y }}") == Location("f.yaml", 5, 13, 7)


def test_columns_count_characters_not_bytes() -> None:
    source, _ = parse_source("é: ü 😀 x\n", "f.yaml")
    assert source is not None
    assert source.locate_snippet(("é",), "x").column == 8


def test_a_byte_order_mark_is_no_content() -> None:
    source, problems = decode_source(b"\xef\xbb\xbfsubject: x\n", "f.yaml")
    assert (source and source.data, problems) == ({"subject": "x"}, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: !!python/object:os.system x\n", "yaml-tag"),
        ("a: &a [*a]\n", "too-many-values"),
        ("a: b: c\n", "yaml-syntax"),
        ("a: 'x\n", "yaml-syntax"),
        ("a:\n\t- b\n", "tab"),
        ("a: \x01\n", "control-character"),
        ("? [a]\n: b\n", "bad-key"),
        ("[" * 5000, "yaml-syntax"),
    ],
)
def test_traps_are_problems_never_exceptions(text: str, code: str) -> None:
    _, problems = parse_source(text, "f.yaml")
    assert code in [problem.code for problem in problems]
    assert all(problem.location is not None for problem in problems)
