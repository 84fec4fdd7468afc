"""The form: fields out of the models, what is typed as edits to the text, and Problems at the fields they are about."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.errors import Location, Problem
from newsletter.issue import Issue
from newsletter.source import Source, parse_source, validate
from newsletter.source.edits import EditError, apply
from newsletter.studio.compose.form_data import (
    Op,
    applied,
    as_written,
    edits_for,
    find_block,
    misfits,
    settled,
    snapshot,
)
from newsletter.studio.compose.form_fields import FormField, catalogue, head_fields, model_named
from newsletter.studio.compose.kinds import kinds


def read(text: str) -> Source:
    source, problems = parse_source(text, "issue.yaml")
    assert source is not None, problems
    return source


def field(model: str, key: str) -> FormField:
    return next(field for field in model_named(model) if field.key == key)


@pytest.mark.parametrize(
    ("model", "key", "control"),
    [
        ("story", "headline", "line"),
        ("story", "url", "url"),
        ("story", "image", "group"),
        ("story", "image_position", "choice"),
        ("story", "body", "markdown"),
        ("story", "when", "condition"),
        ("gallery", "columns", "number"),
        ("gallery", "images", "list"),
        ("image", "src", "picture"),
        ("image", "alt", "line"),
        ("footer", "address", "lines"),
        ("html", "html", "code"),
        ("social", "items", "list"),
        ("issue", "date", "date"),
        ("issue", "from", "group"),
        ("issue", "reply_to", "email"),
        ("issue", "tags", "list"),
        ("issue", "link_parameters", "text-only"),
    ],
)
def test_each_kind_of_value_has_its_control(model: str, key: str, control: str) -> None:
    assert field(model, key).control == control


def test_lists_know_what_is_in_them() -> None:
    images = field("gallery", "images")
    assert (images.least, images.item and images.item.model) == (1, "Picture")
    columns = field("columns", "columns")
    assert (columns.least, columns.most) == (2, 3)
    blocks = field("Column", "blocks").item
    assert blocks is not None
    assert "story" in blocks.kinds
    assert "columns" not in blocks.kinds
    headlines = field("headlines", "items").item
    assert headlines is not None
    assert headlines.bare == "headline"


def test_every_field_of_every_block_is_in_the_form() -> None:
    for kind in kinds().values():
        keys = {info.alias or name for name, info in kind.model.model_fields.items()} - {"type"}
        assert {each.key for each in model_named(kind.name)} == keys
    assert {each.key for each in model_named("issue")} == {
        info.alias or name for name, info in Issue.model_fields.items()
    } - {"blocks"}


@pytest.mark.parametrize(
    ("model", "key", "label", "help_", "otherwise"),
    [
        ("story", "headline", "Headline", "", ""),
        ("story", "byline", "Byline", "Who wrote it: By Ada Example", ""),
        ("story", "image_position", "Where the picture stands", "", "The theme decides"),
        ("issue", "lang", "Language", "The language, as a code: en, hy, ar", "The publication's"),
    ],
)
def test_labels_and_help_come_from_the_models(model: str, key: str, label: str, help_: str, otherwise: str) -> None:
    found = field(model, key)
    assert (found.label, found.help, found.otherwise) == (label, help_, otherwise)


def test_only_what_must_be_filled_is_marked_and_only_text_takes_personal_parts() -> None:
    assert field("story", "headline").required
    assert not field("story", "byline").required
    assert field("image", "alt").may_be_empty
    assert not field("image", "src").may_be_empty
    assert field("story", "body").personal
    assert not field("footer", "address").personal
    assert field("story", "when").folded


def test_themes_are_a_choice() -> None:
    theme = next(each for each in head_fields(["digest", "letter"]) if each.key == "theme")
    assert theme.choices == (("digest", "digest"), ("letter", "letter"))


def test_the_catalogue_holds_every_model_that_a_field_names() -> None:
    models = catalogue(["digest"])["models"]

    def named(given: dict[str, Any]) -> set[str]:
        within = named(given["item"]) if "item" in given else set()
        return {given["model"]} | within if "model" in given else within | set(given.get("kinds", ()))

    assert {name for fields in models.values() for each in fields for name in named(each)} <= set(models)


ISSUE = """\
subject: Tides  # the subject
tags: [spring, sea]
blocks:
  # the first
  - type: story
    headline: "One"
    image: {src: a.jpg, alt: A}
    body: |
      A paragraph.

      Another.
  - type: headlines
    items:
      - Bare
      - {headline: Linked, url: https://www.example.org/}
      # a comment
      - headline: Third
  - {type: divider}
"""
STORY, RUN = ("blocks", 0), ("blocks", 1)


@pytest.mark.parametrize(
    ("base", "op", "old", "new"),
    [
        ((), Op("set", ("subject",), "Ebb: low"), "subject: Tides  #", 'subject: "Ebb: low"  #'),
        ((), Op("set", ("theme",), "letter"), "sea]\n", "sea]\ntheme: letter\n"),
        ((), Op("set", ("from",), {"email": "a@b.c"}), "sea]\n", "sea]\nfrom:\n  email: a@b.c\n"),
        ((), Op("set", ("lang",), None), "x", "x"),
        (STORY, Op("set", ("headline",), "Two"), '"One"', '"Two"'),
        (STORY, Op("set", ("image", "alt"), "B"), "alt: A}", "alt: B}"),
        (STORY, Op("set", ("image",), None), "    image: {src: a.jpg, alt: A}\n", ""),
        (STORY, Op("set", ("body",), "A paragraph.\n\nMore."), "Another.", "More."),
        (RUN, Op("set", ("items", 0), "Barer"), "- Bare\n", "- Barer\n"),
        (RUN, Op("set", ("items", 1, "url"), None), "{headline: Linked, url: https://www.example.org/}", "{headline: Linked}"),
        (RUN, Op("move", ("items",), index=0, new=1), "", ""),
        ((), Op("insert", ("tags",), "new", index=2), "[spring, sea]", "[spring, sea, new]"),
        ((), Op("remove", ("tags",), index=0), "[spring, sea]", "[sea]"),
    ],
)  # fmt: skip
def test_what_is_typed_changes_its_value_and_nothing_else(
    base: tuple[str | int, ...], op: Op, old: str, new: str
) -> None:
    source = read(ISSUE)
    op = settled(source, base, op)
    text = apply(ISSUE, edits_for(source, base, op))
    if old:
        assert text == ISSUE.replace(old, new)
    whole = Op(op.do, (*base, *op.route), op.value, op.index, op.new)
    assert read(text).data == applied(source.data, whole)
    assert text.count("#") == ISSUE.count("#")


def test_an_entry_is_added_to_a_list_that_is_not_there_yet() -> None:
    source = read("blocks:\n  - type: social\n")
    text = apply(source.text, edits_for(source, ("blocks", 0), Op("insert", ("items",), {"network": "x", "url": "u"})))
    assert read(text).data == {"blocks": [{"type": "social", "items": [{"network": "x", "url": "u"}]}]}


def test_an_alias_has_to_be_edited_in_the_text() -> None:
    source = read("blocks:\n  - &a\n    type: text\n    body: x\n  - *a\n")
    with pytest.raises(EditError, match="edit the text itself"):
        edits_for(source, ("blocks", 1), Op("set", ("body",), "y"))


@pytest.mark.parametrize(
    ("old", "typed", "written"),
    [
        (None, "one", "one"),
        (None, "one\ntwo", "one\ntwo\n"),
        ("one", "one\ntwo", "one\ntwo\n"),
        ("one\ntwo\n", "one", "one\n"),
        ("one\ntwo", "one\ntwo\nthree", "one\ntwo\nthree"),
        ("one\n", "two\n\n\n", "two\n"),
        ("one\n", "", ""),
    ],
)
def test_line_ends_stay_as_the_text_has_them(old: str | None, typed: str, written: str) -> None:
    assert as_written(old, typed) == written


@pytest.mark.parametrize(
    ("blocks", "index", "found"),
    [
        ([{"type": "text", "body": "a"}, {"type": "text", "body": "b"}], 1, 1),
        ([{"type": "divider"}, {"type": "text", "body": "a"}, {"type": "text", "body": "b"}], 1, 2),
        ([{"type": "text", "body": "b"}, {"type": "text", "body": "a"}], 1, 0),
        ([{"type": "text", "body": "a"}, {"type": "text", "body": "changed"}], 1, 1),
        ([{"type": "text", "body": "a"}, {"type": "divider"}], 1, None),
        ([{"type": "text", "body": "a"}], 1, None),
        (None, 0, None),
    ],
)
def test_a_block_is_found_where_it_went(blocks: Any, index: int, found: int | None) -> None:
    assert find_block(blocks, index, {"type": "text", "body": "b"}) == found


def test_values_that_no_field_can_show_are_left_to_the_text() -> None:
    data = {
        "type": "gallery",
        "title": {"a": "b"},
        "columns": "many",
        "images": [{"src": "a.jpg", "alt": ["x"]}, "b.jpg"],
        "when": None,
    }
    assert misfits(model_named("gallery"), data) == [("title",), ("columns",), ("images", 0, "alt"), ("images", 1)]
    assert misfits(model_named("headlines"), {"items": ["bare", {"headline": "x"}]}) == []
    assert misfits(model_named("columns"), {"columns": [{"blocks": [{"type": "hero"}]}]}) == [("columns", 0, "blocks", 0)]  # fmt: skip


def problems_of(text: str) -> list[Problem]:
    source, problems = parse_source(text, "issue.yaml")
    assert source is not None
    return problems + validate(source, Issue)[1]


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ("type: story\nheadline: x\nurl: nowhere", "url"),
        ("type: story\nurl: https://www.example.org/", "headline"),
        ("type: story\nheadline: ''", "headline"),
        ("type: story\nheadline: x\nimage: {src: a.jpg}", "image/alt"),
        ("type: story\nheadline: x\nimage:\n  alt: a", "image/src"),
        ("type: story\nheadline: x\nbodi: y", "bodi"),
        ("type: links\nitems:\n  - {label: a, url: https://www.example.org/}\n  - {label: b, url: x}", "items/1/url"),
        ("type: gallery\ncolumns: 9\nimages: [{src: a.jpg, alt: a}]", "columns"),
        ("type: columns\ncolumns:\n  - blocks: [{type: text}]\n  - blocks: [{type: divider}]", "columns/0/blocks/0/body"),
    ],
)  # fmt: skip
def test_problems_are_at_their_fields(block: str, key: str) -> None:
    lines = block.replace("\n", "\n    ")
    text = f"subject: x\nblocks:\n  - type: divider\n  - {lines}\n  - {{type: text}}\n"
    shown = snapshot(read(text), problems_of(text), 1)
    assert list(shown["problems"]) == [key]


def test_problems_of_the_head_are_its_own() -> None:
    text = "subject: ''\ndate: soon\nblocks:\n  - type: story\n"
    elsewhere = Problem("x", "elsewhere", Location("newsletter.yaml", 1, 1))
    assert list(snapshot(read(text), [*problems_of(text), elsewhere], None)["problems"]) == ["subject", "date"]


def test_a_block_of_no_known_type_is_shown_as_text() -> None:
    text = "blocks:\n  - type: storey\n    headline: x\n  - just words\n"
    assert snapshot(read(text), [], 0)["written"] == {"": "type: storey\nheadline: x\n"}
    assert snapshot(read(text), [], 1)["written"] == {"": "just words\n"}


def test_the_head_is_shown_without_its_blocks() -> None:
    shown = snapshot(read(ISSUE), [], None)
    assert shown["data"] == {"subject": "Tides", "tags": ["spring", "sea"]}
    assert (shown["name"], shown["count"], shown["written"]) == ("issue", 3, {})
