"""An issue as templates see it: its expressions as tokens, its links with their parameters, its pictures to place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from markupsafe import Markup
from pydantic import BaseModel

from newsletter.fields import Kind, kinds_of
from newsletter.issue.rendered import Place
from newsletter.personalise import Masker

M = TypeVar("M", bound=BaseModel)

_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_PLACES = {
    "html": {Kind.TEXT: Place.HTML, Kind.MARKDOWN: Place.HTML, Kind.HTML: Place.HTML, Kind.URL: Place.HREF},
    "text": {Kind.TEXT: Place.TEXT, Kind.MARKDOWN: Place.TEXT, Kind.HTML: Place.TEXT, Kind.URL: Place.LINK},
}


class Part:
    """One part of the message, `html` or `text`: how models are masked for it and how links are written in it."""

    def __init__(self, name: str, masker: Masker, parameters: Callable[[str], str]) -> None:
        self._places = _PLACES[name]
        self._masker = masker
        self._parameters = parameters
        self.link_place = self._places[Kind.URL]

    def masked(self, model: M) -> M:
        """`model` with every expression in it as a token, and every address ready to be written."""
        changes: dict[str, Any] = {}
        for name, kind in kinds_of(type(model)).items():
            value = getattr(model, name)
            if value is None or value == ():
                continue
            written = self._value(value, kind)
            if written is not value and written != value:
                changes[name] = written
        return model.model_copy(update=changes) if changes else model

    def _value(self, value: Any, kind: Kind | None) -> Any:
        if isinstance(value, str):
            if kind is Kind.URL:
                return self.url(value)
            return self._masker.mask(value, self._places[kind]) if kind in self._places and "{{" in value else value
        if isinstance(value, tuple):
            return tuple(self._value(item, kind) for item in value)
        return self.masked(value) if isinstance(value, BaseModel) else value

    def url(self, address: str) -> str:
        """An author's address: expressions as tokens, parameters added, other characters percent-encoded."""
        return self._written(self._masker.mask(address, self.link_place))

    def linked(self, address: str) -> str:
        """An address out of masked Markdown, whose tokens stand for text as yet."""
        return self._written(self._masker.replaced(address, self.link_place))

    def _written(self, address: str) -> str:
        return self._parameters(quote(address, safe=_URL_CHARACTERS))


def raw(html: str) -> Markup:
    """HTML that is known to be well-formed and safe."""
    return Markup(html)  # noqa: S704 - what nh3 let through, or a template of a theme
