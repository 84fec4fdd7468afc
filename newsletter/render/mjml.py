"""MJML: what it may hold, the escaping that mrml needs, and its compilation to HTML.

mrml lets misspelt tags and attributes through in silence, prints attribute values as Rust would print a debug string, and
names no place when it fails. So a document is made plain ASCII and checked as XML here before mrml sees it.
"""

from __future__ import annotations

import difflib
import html.entities
import re
from collections.abc import Callable
from xml.parsers import expat

from newsletter.errors import RenderError

MAX_DEPTH = 100
"""Elements within elements; mrml's stack overflows, without an exception, in the thousands."""

_COMMON = "css-class mj-class"
_BOX = "padding padding-top padding-right padding-bottom padding-left container-background-color"
_FONT = "color font-family font-size font-style font-weight letter-spacing line-height text-align text-decoration text-transform"
_BACKGROUND = "background-color background-url background-repeat background-size background-position background-position-x background-position-y"
_BORDER = "border border-top border-right border-bottom border-left border-radius"

# Element: the elements it may stand in, and the attributes it takes (MJML 5's documentation, less what mrml ignores).
_ELEMENTS: dict[str, tuple[str, str]] = {
    "mjml": ("", "lang dir owa"),
    "mj-head": ("mjml", ""),
    "mj-title": ("mj-head", ""),
    "mj-preview": ("mj-head", ""),
    "mj-breakpoint": ("mj-head", "width"),
    "mj-font": ("mj-head", "name href"),
    "mj-style": ("mj-head", ""),
    "mj-attributes": ("mj-head", ""),
    "mj-all": ("mj-attributes", "*"),
    "mj-class": ("mj-attributes", "*"),
    "mj-body": ("mjml", "background-color width css-class"),
    "mj-raw": ("mj-head mj-body mj-section mj-column mj-wrapper mj-group mj-hero", ""),
    "mj-wrapper": ("mj-body", f"{_BACKGROUND} {_BORDER} {_BOX} full-width text-align"),
    "mj-section": ("mj-body mj-wrapper", f"{_BACKGROUND} {_BORDER} {_BOX} direction full-width text-align"),
    "mj-group": ("mj-section", "background-color direction vertical-align width"),
    "mj-column": (
        "mj-section mj-group",
        f"{_BOX} {_BORDER} background-color direction vertical-align width inner-background-color inner-border "
        "inner-border-top inner-border-right inner-border-bottom inner-border-left inner-border-radius",
    ),
    "mj-hero": (
        "mj-body mj-wrapper",
        f"{_BACKGROUND} {_BOX} background-height background-width border-radius height inner-background-color inner-padding "
        "inner-padding-top inner-padding-right inner-padding-bottom inner-padding-left mode vertical-align width",
    ),
    "mj-text": ("mj-column mj-hero", f"{_BOX} {_FONT} align height vertical-align"),
    "mj-button": (
        "mj-column mj-hero",
        f"{_BOX} {_FONT} {_BORDER} align background-color height href inner-padding name rel target title vertical-align width",
    ),
    "mj-image": (
        "mj-column mj-hero",
        f"{_BOX} {_BORDER} align alt fluid-on-mobile font-size height href max-height name rel sizes src srcset target title usemap width",
    ),
    "mj-divider": ("mj-column mj-hero", f"{_BOX} align border-color border-style border-width width"),
    "mj-spacer": ("mj-column mj-hero", f"{_BOX} height"),
    "mj-table": (
        "mj-column mj-hero",
        f"{_BOX} {_FONT} align border cellpadding cellspacing role table-layout vertical-align width",
    ),
    "mj-social": ("mj-column mj-hero", f"{_BOX} {_FONT} align border-radius icon-height icon-padding icon-size inner-padding mode table-layout text-padding vertical-align"),
    "mj-social-element": (
        "mj-social",
        f"{_BOX} {_FONT} align alt background-color border-radius href icon-height icon-padding icon-position icon-size name rel sizes "
        "src srcset target text-padding title vertical-align",
    ),
    "mj-navbar": ("mj-column mj-hero", "align base-url hamburger ico-align ico-open ico-close ico-color ico-font-size ico-padding"),
    "mj-navbar-link": ("mj-navbar", f"{_BOX} {_FONT} href name rel target title"),
    "mj-accordion": ("mj-column", f"{_BOX} {_FONT} border icon-align icon-height icon-position icon-width"),
    "mj-accordion-element": ("mj-accordion", "background-color border font-family icon-align icon-height icon-width"),
    "mj-accordion-title": ("mj-accordion-element", f"{_BOX} {_FONT} background-color"),
    "mj-accordion-text": ("mj-accordion-element", f"{_BOX} {_FONT} background-color"),
}  # fmt: skip
_PARENTS = {name: frozenset(parents.split()) for name, (parents, _) in _ELEMENTS.items()}
_ATTRIBUTES = {name: frozenset(f"{words} {_COMMON}".split()) for name, (_, words) in _ELEMENTS.items()}
_CONTENT = {
    "mj-text",
    "mj-button",
    "mj-table",
    "mj-raw",
    "mj-title",
    "mj-preview",
    "mj-style",
    "mj-navbar-link",
    "mj-social-element",
}
_HTML = frozenset(
    "a abbr b blockquote br center code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins li meta ol p pre q s small span "
    "strong style sub sup table tbody td tfoot th thead tr u ul".split()
)

_STYLE = re.compile(r"(<mj-style[^>]*>.*?</mj-style>|<!--.*?-->)", re.DOTALL)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
# mrml ignores the attribute `role` of mj-table; its tables are told by their style.
_MJ_TABLE = re.compile(r'(<table border="0" cellpadding="0" cellspacing="0") (width="[^"]*" style="color:)')
_LENGTHS = re.compile(r'((?:padding[a-z-]*|border-radius|height|width)=")([^"]*)(")')
_BARE_ZERO = re.compile(r"(?<![\w.])0(?![\w.%])")
_SHORT_COLOUR = re.compile(r'(color=")#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])(")')


class MjmlError(ValueError):
    """The document isn't MJML: `line` and `column` (from 1) in the text that was checked, and the `tag` concerned."""

    def __init__(self, message: str, line: int, column: int, *, tag: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.line, self.column, self.tag, self.hint = line, column, tag, hint


def plain(document: str) -> str:
    """`document` as mrml takes it without harm: ASCII with decimal references, lengths with units, six-digit colours.

    mrml would write `"` and `\\` in attributes with a backslash before them, and combining marks, variation selectors and
    the like as `\\u{…}`; references pass through it untouched. Style sheets and comments, where a reference would
    not be decoded, stay as they are.
    """
    parts = _STYLE.split(document)
    return "".join(part if number % 2 else _plain_markup(part) for number, part in enumerate(parts))


def _plain_markup(markup: str) -> str:
    markup = _ENTITY.sub(_numeric, markup).replace("\\", "&#92;")
    markup = _LENGTHS.sub(lambda found: found[1] + _BARE_ZERO.sub("0px", found[2]) + found[3], markup)
    markup = _SHORT_COLOUR.sub(r"\1#\2\2\3\3\4\4\5", markup)
    return markup.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _numeric(found: re.Match[str]) -> str:
    if found[1] in _XML_ENTITIES:
        return found[0]
    characters = html.entities.html5.get(f"{found[1]};")
    return "".join(f"&#{ord(character)};" for character in characters) if characters else f"&amp;{found[1]};"


def check(document: str) -> None:
    """Check that `document` (made `plain`) is well-formed and holds only MJML's own tags and attributes in their places.

    Raises MjmlError for the first fault.
    """
    parser = expat.ParserCreate()
    stack: list[str] = []

    def fault(message: str, tag: str, hint: str | None = None) -> MjmlError:
        return MjmlError(message, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, tag=tag, hint=hint)

    def start(tag: str, attributes: dict[str, str]) -> None:
        parent = stack[-1] if stack else ""
        if len(stack) >= MAX_DEPTH:
            raise fault("elements are nested too deeply", tag)
        if tag.startswith("mj"):
            _check_element(tag, parent, attributes, fault)
        elif parent in _CONTENT or not parent.startswith("mj"):
            if tag not in _HTML:
                raise fault(f"`<{tag}>` can't stand in an email", tag, _meant(tag, [*_HTML, *_ELEMENTS]))
        elif parent != "mj-attributes":
            raise fault(
                f"`<{tag}>` can't stand in `<{parent}>`", tag, "HTML goes into `<mj-text>`, `<mj-table>` or `<mj-raw>`"
            )
        stack.append(tag)

    def end(_tag: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        if data.strip() and stack and stack[-1].startswith("mj") and stack[-1] not in _CONTENT:
            raise fault(f"text can't stand in `<{stack[-1]}>`", stack[-1], "text goes into `<mj-text>`")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat takes it by position
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        inside = f", in `<{stack[-1]}>`" if stack else ""
        raise MjmlError(
            f"not well-formed: {reason}{inside}", error.lineno, error.offset + 1, tag=stack[-1] if stack else ""
        ) from None


def _check_element(tag: str, parent: str, attributes: dict[str, str], fault: Callable[..., MjmlError]) -> None:
    if tag not in _ELEMENTS:
        raise fault(f"there is no tag `<{tag}>`", tag, _meant(tag, list(_ELEMENTS)))
    if parent != "mj-attributes" and parent not in _PARENTS[tag] and not (tag == "mjml" and not parent):
        raise fault(
            f"`<{tag}>` can't stand in `<{parent or 'nothing'}>`",
            tag,
            f"it stands in {', '.join(sorted(_PARENTS[tag]))}",
        )
    allowed = _ATTRIBUTES[tag]
    for name in attributes:
        if name not in allowed and "*" not in allowed and not (tag == "mj-class" and name == "name"):
            raise fault(f"`<{tag}>` has no attribute `{name}`", tag, _meant(name, sorted(allowed)))


def _meant(word: str, known: list[str]) -> str | None:
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean `{close[0]}`?" if close else None


def compile_mjml(document: str) -> str:
    """The HTML of a checked document. No fonts are fetched and nothing is included. Raises RenderError."""
    from mjml import mjml2html

    try:
        html = str(mjml2html(document, fonts={}, include_loader=None))
    except ValueError as error:
        raise RenderError(f"MJML can't be compiled: {error}") from None
    return _MJ_TABLE.sub(r'\1 role="presentation" \2', html)
