"""Authors' Markdown into HTML, and into plain text that reads as if written by hand."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from newsletter.render.plaintext import wrap

_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "code", "pre", "h3", "h4", "hr", "s"}
_SCHEMES = {"http", "https", "mailto", "tel"}
_VOID = re.compile(r"<(br|hr)>")
_NORMAL_ADDRESS = re.compile(r"https?://[a-z0-9]+([.-][a-z0-9]+)*(/[A-Za-z0-9/._~=&+-]*)?")


class _Parser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        """As markdown-it does it, which takes a quarter of its time; an address that is plainly normal stays."""
        return url if _NORMAL_ADDRESS.fullmatch(url) else super().normalizeLink(url)


class _Renderer(RendererHTML):
    def link_open(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, env: EnvType) -> str:
        """`env["link"]` gives the address for each in the text."""
        attributes = {**tokens[idx].attrs, "href": env["link"](str(tokens[idx].attrs["href"]))}
        return "<a" + "".join(f' {name}="{escapeHtml(str(value))}"' for name, value in attributes.items()) + ">"


def _lower_headings(state: StateCore) -> None:
    """A heading in a body stands below the block's own: level 3 at most."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2", "h3") else "h4"


@functools.cache
def parser() -> MarkdownIt:
    """CommonMark without raw HTML and without images (an image is a block of its own)."""
    made = _Parser("commonmark", {"html": False}, renderer_cls=_Renderer)
    made.core.ruler.push("lower_headings", _lower_headings)
    return made.disable("image").enable("strikethrough")


@functools.lru_cache(maxsize=8192)
def parse(text: str) -> tuple[Token, ...]:
    """The token stream of `text`. Cached: in a preview, most blocks are the same from one keystroke to the next."""
    if text[:1].isalpha() and "\n" not in text:  # one paragraph, whatever comes: no need to look for other blocks
        inline = parser().parseInline(text.rstrip())
        return (Token("paragraph_open", "p", 1), *inline, Token("paragraph_close", "p", -1))
    return tuple(parser().parse(text))


def to_html(text: str, link: Callable[[str], str]) -> str:
    """`text` as well-formed XHTML; `link` gives the address to use for each address in it."""
    return _sanitised(parser().renderer.render(parse(text), parser().options, {"link": link}))


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS, attributes={"a": {"href", "title"}, "ol": {"start"}}, url_schemes=_SCHEMES, link_rel=None
    )


@functools.lru_cache(maxsize=8192)
def _sanitised(html: str) -> str:
    return _VOID.sub(r"<\1 />", _cleaner().clean(html)).replace("&nbsp;", "&#160;").strip()


def to_text(text: str, link: Callable[[str], str], *, width: int) -> str:
    """`text` as plain text, wrapped at `width`; the address of a link stands after its words, in angle brackets."""
    return _blocks(list(parse(text)), link, width)


def _blocks(tokens: Sequence[Token], link: Callable[[str], str], width: int) -> str:
    parts: list[str] = []
    index, tight = 0, False
    while index < len(tokens):
        token = tokens[index]
        end = _closing(tokens, index)
        inner = tokens[index + 1 : end]
        if token.type == "paragraph_open":
            tight = tight or token.hidden
            parts.append(wrap(_words(inner[0], link), width))
        elif token.type == "heading_open":
            parts.append(wrap(_words(inner[0], link), width))
        elif token.type == "blockquote_open":
            parts.append(_prefixed(_blocks(inner, link, width - 2), "> ", "> "))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            parts.append(_list(inner, link, width, None if token.type[0] == "b" else int(token.attrs.get("start", 1))))
        elif token.type in ("fence", "code_block"):
            parts.append(_prefixed(token.content.rstrip("\n"), "    ", "    "))
        elif token.type == "hr":
            parts.append("* * *")
        index = end + 1
    return ("\n" if tight else "\n\n").join(parts)


def _list(tokens: Sequence[Token], link: Callable[[str], str], width: int, number: int | None) -> str:
    items: list[str] = []
    index, loose = 0, False
    while index < len(tokens):
        end = _closing(tokens, index)
        inner = tokens[index + 1 : end]
        mark = "* " if number is None else f"{number + len(items)}. "
        loose = loose or any(token.type == "paragraph_open" and not token.hidden for token in inner)
        items.append(_prefixed(_blocks(inner, link, width - len(mark)), mark, " " * len(mark)))
        index = end + 1
    return ("\n\n" if loose else "\n").join(items)


def _closing(tokens: Sequence[Token], index: int) -> int:
    if tokens[index].nesting != 1:
        return index
    level = tokens[index].level
    return next(
        place for place in range(index + 1, len(tokens)) if tokens[place].level == level and tokens[place].nesting == -1
    )


def _prefixed(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join(((first if number == 0 else rest) + line).rstrip() for number, line in enumerate(lines))


def _words(inline: Token, link: Callable[[str], str]) -> str:
    words: list[str] = []
    target, begin = "", 0
    for child in inline.children or ():
        if child.type == "text":
            words.append(child.content)
        elif child.type == "code_inline":
            words.append(f"`{child.content}`")
        elif child.type == "softbreak":
            words.append(" ")
        elif child.type == "hardbreak":
            words.append("\n")
        elif child.type in ("em_open", "em_close"):
            words.append("_" if not target else "")
        elif child.type in ("strong_open", "strong_close"):
            words.append("*" if not target else "")
        elif child.type == "link_open":
            target, begin = link(str(child.attrs["href"])), len(words)
        elif child.type == "link_close":
            shown = "".join(words[begin:])
            words[begin:] = [
                f"<{target}>" if shown.strip() in (target, target.removeprefix("mailto:")) else f"{shown} <{target}>"
            ]
            target = ""
    return "".join(words)
