"""An issue into the bytes that are sent: expressions out, templates, MJML, style sheet, and the plain-text twin.

Everything here runs once for each variant of an issue, however many people get it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.errors import RenderError
from newsletter.issue import Issue, Place, RenderedIssue, direction_of
from newsletter.issue.blocks import Footer, Header
from newsletter.personalise import UNSUBSCRIBE, Masker, check_conditions
from newsletter.render import markdown, rawhtml
from newsletter.render.compact import compact
from newsletter.render.document import Inputs, Mark, NumberedBlock, mjml_document, style_sheet
from newsletter.render.images import ImageError, ImageFolder, Placed
from newsletter.render.inline import inline
from newsletter.render.links import link_parameters
from newsletter.render.masked import Part, raw
from newsletter.render.mjml import compile_mjml
from newsletter.render.plaintext import WIDTH, tidy
from newsletter.render.templates import Templates
from newsletter.settings import Settings
from newsletter.theme import labels

GROUP_LINK = "<%asm_group_unsubscribe_raw_url%>"
"""What SendGrid replaces by the recipient's link out of the unsubscribe group."""


def conditions_of(issue: Issue) -> tuple[str, ...]:
    """The issue's distinct `when:`s, in order. Raises ExpressionError."""
    return check_conditions(_whens(issue.blocks))


def _whens(blocks: Sequence[Any]) -> Iterator[str]:
    for block in blocks:
        if block.when is not None:
            yield block.when
        for column in block.columns if block.type == "columns" else ():
            yield from _whens(column.blocks)


@dataclass(frozen=True)
class _Work:
    """What the parts of one variant's rendering share."""

    conditions: tuple[str, ...]
    variant: str
    blocks: list[NumberedBlock]
    masker: Masker
    images: ImageFolder
    templates: Templates
    parameters: Callable[[str], str]
    part: Part
    """The HTML part, and the names that its templates can use."""
    names: dict[str, Any]


def _work(inputs: Inputs, variant: str | None) -> _Work:
    issue, settings = inputs.issue, inputs.settings
    conditions = conditions_of(issue)
    variant = "1" * len(conditions) if variant is None else variant
    hidden = {condition for condition, bit in zip(conditions, variant, strict=True) if bit == "0"}
    masker = Masker(issue.model_dump_json() + settings.publication.model_dump_json())
    base_url = None if settings.images.deliver == "embed" else settings.images.base_url
    images = ImageFolder(inputs.folders, inputs.root, base_url)
    parameters = _link_parameters(issue, settings)
    part = Part("html", masker, parameters)
    return _Work(
        conditions=conditions,
        variant=variant,
        blocks=_with_ends(_shown(issue.blocks, hidden)),
        masker=masker,
        images=images,
        templates=Templates(inputs.theme),
        parameters=parameters,
        part=part,
        names={**_names(inputs, part), **_html_names(part, images)},
    )


def compiled(inputs: Inputs, variant: str | None, mark: Mark) -> str:
    """The HTML of a variant as MJML gives it, not inlined, each block's fragment having been put through `mark`.

    Raises RenderError.
    """
    work = _work(inputs, variant)
    return compile_mjml(mjml_document(work.templates, work.names, work.part.masked, work.blocks, inputs.file, mark))


def render(inputs: Inputs, variant: str | None = None) -> RenderedIssue:
    """Render a variant of an issue: a `1` or `0` for each of its conditions; every block is shown when None.

    Raises RenderError, whose `problem` names file and line where that is known.
    """
    issue, settings = inputs.issue, inputs.settings
    work = _work(inputs, variant)
    masker, templates, blocks = work.masker, work.templates, work.blocks

    document = mjml_document(templates, work.names, work.part.masked, blocks, inputs.file)
    html = compact(inline(compile_mjml(document), style_sheet(templates, "inline.css", work.names)))
    _check_tokens(masker, document, html)

    part = Part("text", masker, work.parameters)
    text = _text(templates, {**_names(inputs, part), **_text_names(part)}, part, blocks)
    subject = masker.mask(issue.subject, Place.TEXT)
    preheader = masker.mask(issue.preheader or "", Place.TEXT)
    if settings.unsubscribe is not None:
        html, text = (_with_group_link(masker, written) for written in (html, text))
    embedded = settings.images.deliver == "embed"
    used = tuple(work.images.used.values())
    return RenderedIssue(
        slug=inputs.slug,
        subject=subject,
        preheader=preheader,
        html=html,
        text=text,
        mjml=document,
        variant=work.variant,
        conditions=work.conditions,
        slots=masker.slots_in(subject, preheader, html, text),
        images=used if embedded else (),
        hosted_images=() if embedded else used,
    )


def _shown(blocks: Sequence[Any], hidden: set[str]) -> Iterator[NumberedBlock]:
    """The blocks that this variant shows, with their numbers in the file."""
    for number, block in enumerate(blocks):
        if block.when is not None and " ".join(block.when.split()) in hidden:
            continue
        if block.type == "columns":
            columns = [
                column.model_copy(update={"blocks": tuple(inner for _, inner in _shown(column.blocks, hidden))})
                for column in block.columns
            ]
            yield number, block.model_copy(update={"columns": tuple(columns)})
        else:
            yield number, block


def _with_ends(blocks: Iterator[NumberedBlock]) -> list[NumberedBlock]:
    """Header and footer are never forgotten: they come from the settings unless the issue has them."""
    chosen = list(blocks)
    types = {block.type for _, block in chosen}
    header: list[NumberedBlock] = [] if "header" in types else [(None, Header(type="header"))]
    footer: list[NumberedBlock] = [] if "footer" in types else [(None, Footer(type="footer"))]
    return header + chosen + footer


def _link_parameters(issue: Issue, settings: Settings) -> Callable[[str], str]:
    common = settings.link_parameters
    domains = common.domains if common else ()
    return link_parameters(domains, {**(common.parameters if common else {}), **(issue.link_parameters or {})})


def _names(inputs: Inputs, part: Part) -> dict[str, Any]:
    """What every template can use, as README's "Writing a theme" lists it."""
    issue, theme = inputs.issue, inputs.theme.settings
    publication = part.masked(inputs.settings.publication)
    lang = issue.lang or publication.lang
    direction = issue.dir or direction_of(lang)
    head = part.masked(issue.model_copy(update={"blocks": ()}))
    return {
        "issue": head,
        "subject": head.subject,
        "preheader": head.preheader,
        "date": issue.date,
        "slug": inputs.slug,
        "publication": publication,
        "lang": lang,
        "dir": direction,
        "start": "left" if direction == "ltr" else "right",
        "end": "right" if direction == "ltr" else "left",
        "theme": theme,
        "light": theme.light,
        "dark": theme.dark,
        "fonts": theme.fonts,
        "width": theme.width,
        "labels": labels(inputs.theme, lang),
        "unsubscribe_url": part.url("{{ unsubscribe_url }}"),
    }


def _html_names(part: Part, images: ImageFolder) -> dict[str, Any]:
    def picture(image: Any, width: int) -> Placed:
        try:
            return images.place(image, width)
        except ImageError as error:
            raise RenderError(str(error), hint="`newsletter check` shows where it is named") from None

    return {
        "markdown": lambda text: raw(markdown.to_html(text, part.linked)),
        "rawhtml": lambda text: raw(rawhtml.to_html(text, part.linked)),
        "picture": picture,
    }


def _text_names(part: Part) -> dict[str, Any]:
    return {
        "markdown": lambda text, width=WIDTH: markdown.to_text(text, part.linked, width=width),
        "rawtext": lambda text: rawhtml.to_text(text, part.linked),
    }


def _text(templates: Templates, names: dict[str, Any], part: Part, blocks: list[NumberedBlock]) -> str:
    def render_block(block: Any, **more: Any) -> str:
        return templates.render(f"{block.type}.txt", {**names, "render_block": render_block, "block": block, **more})

    parts = [render_block(part.masked(block), narrow=False).strip("\n") for _, block in blocks]
    return tidy("\n\n".join(filter(None, parts)))


def _check_tokens(masker: Masker, document: str, html: str) -> None:
    """No token may be lost or changed on the way through mrml, premailer and the last pass."""
    before, after = Counter(masker.tokens.findall(document)), Counter(masker.tokens.findall(html))
    lost = {token for token, count in before.items() if after[token] < count} | (set(after) - set(before))
    if lost:
        expressions = ", ".join(f"`{slot.expression}`" for slot in masker.slots_in(" ".join(lost)))
        hint = "it can't stand in a style attribute"
        raise RenderError(f"the personal part {expressions} was lost between MJML and HTML", hint=hint)


def _with_group_link(masker: Masker, written: str) -> str:
    for place in Place:
        written = written.replace(masker.token(UNSUBSCRIBE, place), GROUP_LINK)
    return written
