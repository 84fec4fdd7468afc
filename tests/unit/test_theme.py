"""A theme is checked before it is used, and says where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.theme import builtin_templates, contrast, load_theme, theme_names


@pytest.mark.parametrize("name", theme_names(None))
def test_the_themes_that_come_along_are_readable_in_both_schemes(name: str) -> None:
    theme, problems = load_theme(name, None)
    assert theme is not None
    assert problems == []


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_colours_that_are_too_close_are_named_with_their_place(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "digest"
    folder.mkdir(parents=True)
    own = (builtin_templates() / "digest" / "theme.yaml").read_text("utf-8")
    (folder / "theme.yaml").write_text(own.replace('text: "#26323d"', 'text: "#b0b0b0"'), "utf-8")
    _, problems = load_theme("digest", tmp_path)
    assert {problem.code for problem in problems} == {"low-contrast"}
    assert str(problems[0].location) == f"templates/digest/theme.yaml:{own[: own.index('text:')].count(chr(10)) + 1}:9"


def test_a_theme_that_is_not_there_lists_those_that_are() -> None:
    theme, [problem] = load_theme("nothing", None)
    assert theme is None
    assert "`digest`" in str(problem.hint)


def test_every_kind_of_block_has_its_two_templates() -> None:
    from newsletter.issue.schema import json_schema

    kinds = {
        definition["properties"]["type"]["const"]
        for definition in json_schema()["$defs"].values()
        if "type" in definition.get("properties", {})
    }
    assert len(kinds) == 19
    for kind in kinds:
        assert (builtin_templates() / "base" / f"{kind}.mjml").is_file()
        assert (builtin_templates() / "base" / f"{kind}.txt").is_file()
