"""Whatever people write, in whatever field, arrives as they wrote it."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.workspace import Workspace

URL = "https://www.example.org/a"
IMAGE = {"src": "https://img.example.org/a.jpg", "alt": "@"}
PICTURE = {**IMAGE, "caption": "@", "credit": "@"}
# Every block with every field that shows text; `@` is where the hostile text goes.
BLOCKS: list[dict[str, Any]] = [
    {"type": "header", "title": "@", "tagline": "@"},
    {"type": "hero", "headline": "@", "body": "@", "image": IMAGE, "url": URL, "label": "@"},
    {"type": "section", "title": "@"},
    {
        "type": "story",
        "headline": "@",
        "byline": "@",
        "source": "@",
        "body": "@",
        "label": "@",
        "url": URL,
        "image": IMAGE,
    },
    {"type": "headlines", "title": "@", "items": ["@", {"headline": "@", "url": URL}]},
    {"type": "text", "body": "@"},
    {"type": "quote", "text": "@", "attribution": "@", "role": "@"},
    {"type": "image", **PICTURE},
    {"type": "gallery", "title": "@", "images": [PICTURE, PICTURE]},
    {"type": "button", "label": "@", "url": URL},
    {"type": "links", "title": "@", "items": [{"label": "@", "url": URL, "description": "@"}]},
    {"type": "events", "title": "@", "items": [{"title": "@", "date": "@", "time": "@", "place": "@", "body": "@"}]},
    {"type": "video", "url": URL, "thumbnail": IMAGE, "title": "@"},
    {"type": "callout", "title": "@", "body": "@", "label": "@", "url": URL},
    {
        "type": "columns",
        "columns": [{"blocks": [{"type": "text", "body": "@"}]}, {"blocks": [{"type": "text", "body": "@"}]}],
    },
    {"type": "footer", "body": "@", "address": "@"},
]
PIECES = ["❤️", "👨‍👩‍👧", "é", "שָׁלוֹם", "مرحبا", '"', "'", "<", ">", "&", "&amp;", "{{", "}}", "{%", "%%", "%name%", "-name-", "\\", "x" * 300, "#", ":", "א", "\u200b", "zq0000h", "$&", "\\1", "\u00a0"]  # fmt: skip

hostile = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(alphabet="abcXYZ 019,.é漢", min_size=1, max_size=8)),
    min_size=1,
    max_size=8,
)


def placed(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: placed(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [placed(inner, text) for inner in value]
    return text if value == "@" else value


def count(value: Any) -> int:
    if isinstance(value, (dict, list)):
        return sum(count(inner) for inner in (value.values() if isinstance(value, dict) else value))
    return int(value == "@")


def squeezed(text: str) -> str:
    return re.sub(r"[ \t\n]+", "", unescape(re.sub(r"<[^>]*alt=\"([^\"]*)\"[^>]*>", r"\1", text)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=hostile)
def test_hostile_text_arrives(workspace_folder: Path, pieces: list[str]) -> None:
    import unicodedata

    text = unicodedata.normalize("NFC", "A" + "".join(pieces).replace("{{", "{ {") + "Z")
    if "{{" in "".join(pieces):
        text = text.replace("{ {", "{{")
        if re.search(r"\{\{.*\}\}", text):
            text = text.replace("}}", "} }")
    markdown = re.sub(r"([\\`*_{}\[\]()#+.!<>&|~:\"'-])", r"\\\1", text)
    blocks = [placed(block, text) for block in BLOCKS]
    for block in blocks:
        for target in (
            block,
            *(block.get("items") or []),
            *(inner for column in block.get("columns") or [] for inner in column["blocks"]),
        ):
            if isinstance(target, dict):
                for key in ("body", "text"):
                    if target.get(key) == text:
                        target[key] = markdown
    issue = {"subject": text, "preheader": text, "blocks": blocks}
    path = workspace_folder / "issues" / "hostile.yaml"
    path.write_text(json.dumps(issue, ensure_ascii=False), "utf-8")
    edition = Workspace.open(workspace_folder).load(path)
    assert [problem for problem in edition.problems if problem.is_error] == []
    rendered = edition.render()
    wanted = re.sub(r"[ \t\n]+", "", text)
    assert rendered.subject.replace(" ", "") == wanted.replace(" ", "")
    body = rendered.html[rendered.html.index("<body") :]
    shown = [squeezed(part) for part in re.split(r"</?(?!img)[a-z][^>]*>", body)]
    fields = sum(map(count, BLOCKS))
    assert sum(part.count(wanted) for part in shown) >= fields, "some field lost its text"
