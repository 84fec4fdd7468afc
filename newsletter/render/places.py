"""Where the blocks of an issue come out in its HTML, told by a second compilation whose fragments carry marks: what is
sent carries none.

An element's path counts the children that are elements, from `<body>` down. `<tbody>` isn't counted: browsers add it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from newsletter.render.document import Inputs
from newsletter.render.pipeline import compiled

Path = tuple[int, ...]
Places = tuple[tuple[Path, int | None], ...]
"""The path at which the output of each block begins, in the order of the page, and the block's number in the file;
None where it comes from the settings."""

_START_TAG = re.compile(r"<([a-z][\w-]*)((?:\s+[\w:-]+=\"[^\"]*\")*)")
_CSS_CLASS = re.compile(r'(\scss-class=")')
_MARK = "block-here-"
_MARKED = re.compile(rf"\b{_MARK}(\d+|settings)\b")
_OPEN_COMMENT = re.compile(r"<!--(?!.*?-->)", re.DOTALL)


def block_places(inputs: Inputs, variant: str | None = None) -> Places:
    """Where each block that `variant` shows begins; a block whose template gives no element is left out.

    Raises RenderError, as `render` does.
    """
    found: dict[str, Path] = {}
    for path, element in _elements(compiled(inputs, variant, _mark)):
        for name in ("data-block", "class"):
            if (marked := _MARKED.search(element.get(name) or "")) is not None:
                found.setdefault(marked[1], path)
    return tuple((path, None if number == "settings" else int(number)) for number, path in _in_order(found))


def clipped_at(html: str, limit: int) -> Path | None:
    """The path of the last element that begins in the first `limit` bytes of `html`; None when that is all of it."""
    whole = html.encode()
    if len(whole) <= limit:
        return None
    kept = whole[:limit].decode(errors="ignore")
    if (comment := _OPEN_COMMENT.search(kept)) is not None:
        kept = kept[: comment.start()]
    kept = kept[: kept.rfind("<")] if kept.rfind("<") > kept.rfind(">") else kept
    return max((path for path, _ in _elements(kept)), default=None)


def _in_order(found: dict[str, Path]) -> list[tuple[str, Path]]:
    return sorted(found.items(), key=lambda item: item[1])


def _mark(fragment: str, number: int | None) -> str:
    """The fragment with a mark on its first element, in the attribute that comes through MJML."""
    word = f"{_MARK}{'settings' if number is None else number}"
    for tag in _START_TAG.finditer(fragment):
        if tag[1] == "mj-raw":
            continue
        if not tag[1].startswith("mj-"):
            return f'{fragment[: tag.end(1)]} data-block="{word}"{fragment[tag.end(1) :]}'
        if (named := _CSS_CLASS.search(tag[2])) is not None:
            at = tag.start(2) + named.end()
            return f"{fragment[:at]}{word} {fragment[at:]}"
        return f'{fragment[: tag.end(1)]} css-class="{word}"{fragment[tag.end(1) :]}'
    return fragment


def _elements(html: str) -> Iterator[tuple[Path, Any]]:
    """The elements of a page's body with their paths, in the order of the page."""
    from lxml import etree

    body = etree.fromstring(html, etree.HTMLParser()).find("body")

    def children(element: Any) -> Iterator[Any]:
        for child in element:
            if child.tag == "tbody":
                yield from children(child)
            elif isinstance(child.tag, str):
                yield child

    def walk(element: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        for number, child in enumerate(children(element)):
            yield (*path, number), child
            yield from walk(child, (*path, number))

    if body is not None:
        yield from walk(body, ())
