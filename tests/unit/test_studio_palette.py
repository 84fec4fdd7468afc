"""The palette: every kind of block is in it, begins with an example that can be sent, and goes where it belongs."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from PIL import Image

from newsletter.errors import errors_in
from newsletter.issue.blocks import Block
from newsletter.scaffold import write_workspace
from newsletter.source import parse_source
from newsletter.source.edits import apply, insert_item, write_item
from newsletter.studio.compose.kinds import ITEMS, LOOKS, PICTURES, example, kinds, type_of
from newsletter.studio.compose.palette import groups, place_of
from newsletter.workspace import Edition, Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("workspace")
    for _ in write_workspace(root):
        pass
    Image.new("RGB", (40, 30), "teal").save(root / "issues" / "photo.jpg")
    return Workspace.open(root)


def with_block(workspace: Workspace, block: dict[str, Any]) -> Edition:
    """An issue to which a block was added as the palette does it."""
    path = next((workspace.root / "issues").glob("*-hello.yaml"))
    source, _ = parse_source(path.read_text("utf-8"), path.name)
    assert source is not None
    return Edition.of_text(workspace, path, apply(source.text, insert_item(source, ("blocks",), 1, write_item(block))))


def test_the_palette_has_every_kind_once() -> None:
    types = [type_of(model) for model in get_args(get_args(Block)[0])]
    assert sorted(LOOKS) == sorted(types)
    assert sorted(entry["kind"] for group in groups() for entry in group["kinds"]) == sorted(types)
    assert all(entry["about"] and entry["label"] for group in groups() for entry in group["kinds"])


@pytest.mark.parametrize("kind", LOOKS)
def test_an_example_has_no_errors_once_its_picture_is_chosen(workspace: Workspace, kind: str) -> None:
    edition = with_block(workspace, example(kind, "photo.jpg"))
    assert errors_in(edition.check()) == []
    assert edition.issue is not None
    assert edition.issue.blocks[1].type == kind


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_without_a_picture_the_one_problem_is_that_it_is_missing(workspace: Workspace, kind: str) -> None:
    edition = with_block(workspace, example(kind))
    (problem,) = errors_in(edition.check())
    assert problem.code == "empty-value"
    assert problem.location is not None
    assert edition.source is not None
    assert edition.source.text.split("\n")[problem.location.line - 1].lstrip("- ").startswith("src:")


@pytest.mark.parametrize(
    ("kind", "entry", "around"),
    [
        ("headlines", "Headline", "items"), ("links", "Link", "items"), ("events", "Event", "items"),
        ("social", "SocialLink", "items"), ("columns", "Column", "columns"),
    ],
)  # fmt: skip
def test_a_new_entry_has_no_errors(workspace: Workspace, kind: str, entry: str, around: str) -> None:
    block = example(kind)
    edition = with_block(workspace, {**block, around: [*block[around], ITEMS[entry]]})
    assert errors_in(edition.check()) == []


@pytest.mark.parametrize(
    ("kind", "types", "current", "place"),
    [
        ("story", [], None, 0),
        ("story", ["text", "quote"], None, 2),
        ("story", ["text", "quote"], 0, 1),
        ("story", ["text", "footer"], None, 1),
        ("story", ["text", "footer"], 1, 1),
        ("story", ["text", "quote"], 7, 2),
        ("header", ["text", "quote"], 1, 0),
        ("footer", ["text", "quote"], 0, 2),
    ],
)
def test_a_new_block_goes_below_the_current_one(kind: str, types: list[str], current: int | None, place: int) -> None:
    assert place_of(kind, [{"type": type_} for type_ in types], current) == place


def test_kinds_say_what_they_are() -> None:
    assert kinds()["quote"].about == "Somebody's words."
