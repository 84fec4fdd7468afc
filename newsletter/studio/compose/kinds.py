"""The kinds of block as the Studio shows them: a name, an icon, a group, and an example to begin with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, get_args

from newsletter.fields import Model
from newsletter.issue.blocks import Block


class Look(NamedTuple):
    """How a kind is shown: its name, a Material symbol, the group in the palette, and other words to find it by."""

    label: str
    icon: str
    group: str
    also: str = ""


LOOKS: Mapping[str, Look] = {
    "story": Look("Story", "article", "Text", "article news item"),
    "text": Look("Text", "notes", "Text", "paragraph markdown letter"),
    "section": Look("Section", "title", "Text", "heading title"),
    "quote": Look("Quote", "format_quote", "Text", "citation testimonial"),
    "callout": Look("Callout", "campaign", "Text", "notice box frame highlight"),
    "button": Look("Button", "ads_click", "Text", "action link join"),
    "image": Look("Picture", "image", "Pictures", "image photo"),
    "gallery": Look("Gallery", "photo_library", "Pictures", "images photos grid"),
    "hero": Look("Hero", "panorama", "Pictures", "opening cover banner lead"),
    "video": Look("Video", "smart_display", "Pictures", "film youtube play"),
    "headlines": Look("Headlines", "format_list_bulleted", "Lists", "titles in brief"),
    "links": Look("Links", "link", "Lists", "documents reading downloads"),
    "events": Look("Events", "event", "Lists", "calendar dates agenda"),
    "social": Look("Follow us", "share", "Lists", "social networks profiles"),
    "columns": Look("Columns", "view_column", "Structure", "side by side two three"),
    "divider": Look("Divider", "horizontal_rule", "Structure", "line rule separator"),
    "header": Look("Header", "toolbar", "Structure", "top masthead logo"),
    "footer": Look("Footer", "bottom_navigation", "Structure", "end address imprint"),
    "html": Look("HTML", "code", "Structure", "raw source own"),
}
"""By `type`, in the palette's order."""

PICTURES = frozenset({"image", "gallery", "video"})
"""The kinds that can't do without a picture."""

_SITE = "https://www.example.org"
_EXAMPLES: Mapping[str, dict[str, Any]] = {
    "story": {
        "headline": "A headline that says what happened",
        "url": f"{_SITE}/story",
        "body": "One to three paragraphs: what happened, and why it matters to the reader.\n",
        "label": "Read the story",
    },
    "text": {"body": 'Dear {{ subscriber.first_name or "friend" }},\n\na text is written in **Markdown**.\n'},
    "section": {"title": "News"},
    "quote": {"text": "What was said, without quotation marks.", "attribution": "Ada Example", "role": "reader"},
    "callout": {
        "title": "A date not to miss",
        "body": "A few lines about it.\n",
        "url": f"{_SITE}/more",
        "label": "Find out more",
    },
    "button": {"label": "Join us", "url": f"{_SITE}/join"},
    "image": {"src": "", "alt": ""},
    "gallery": {"columns": 2, "images": [{"src": "", "alt": ""}]},
    "hero": {
        "headline": "What this issue is about",
        "body": "A sentence or two that make people want to read on.\n",
        "url": f"{_SITE}/lead",
        "label": "Read on",
    },
    "video": {"url": f"{_SITE}/video", "thumbnail": {"src": "", "alt": ""}, "title": "What the video shows"},
    "headlines": {
        "title": "In brief",
        "items": [{"headline": "The first headline", "url": f"{_SITE}/first"}, "The second, without a link"],
    },
    "links": {
        "title": "Further reading",
        "items": [{"label": "The annual report", "url": f"{_SITE}/report", "description": "What we did last year"}],
    },
    "events": {
        "title": "Dates",
        "items": [{"title": "Open evening", "date": "Tuesday 3 March", "time": "18:30", "place": "The reading room"}],
    },
    "social": {"items": [{"network": "mastodon", "url": "https://social.example.org/@example"}]},
    "columns": {
        "columns": [
            {"blocks": [{"type": "text", "body": "What stands on the left.\n"}]},
            {"blocks": [{"type": "text", "body": "What stands on the right.\n"}]},
        ]
    },
    "divider": {},
    "header": {"title": "The name of the newsletter", "tagline": "A few words under it"},
    "footer": {"body": f"Questions? Write to us, or see [our website]({_SITE}).\n"},
    "html": {"html": "<p>HTML of your own.</p>\n"},
}

ITEMS: Mapping[str, Any] = {
    "Headline": {"headline": "Another headline", "url": f"{_SITE}/another"},
    "Link": {"label": "What it is", "url": f"{_SITE}/document"},
    "Event": {"title": "What takes place", "date": "Tuesday 10 March", "time": "18:30", "place": "Where"},
    "SocialLink": {"network": "website", "url": _SITE},
    "Column": {"blocks": [{"type": "text", "body": "What stands in it.\n"}]},
    "Sender": {"email": "news@example.org", "name": "The Example Letter"},
    "Picture": {"src": "", "alt": ""},
    "Image": {"src": "", "alt": ""},
    "": "tag",
}
"""What a new entry of a list or a new group begins as, by the name of its model; a bare text without one."""


@dataclass(frozen=True)
class Kind:
    """A kind of block: what its `type` is, how it is shown, its model, and a line about it."""

    name: str
    look: Look
    model: type[Model]
    about: str


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by `type`, in the palette's order."""
    models = {type_of(model): model for model in get_args(get_args(Block)[0])}
    return {type_: Kind(type_, look, models[type_], about(models[type_])) for type_, look in LOOKS.items()}


def type_of(model: type[Model]) -> str:
    """The `type` of a block's model."""
    return str(get_args(model.model_fields["type"].annotation)[0])


def about(model: type[Model]) -> str:
    """What a model's docstring says, on one line."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def example(type_: str, src: str = "") -> dict[str, Any]:
    """A filled-in block of a kind, to begin with. `src` is the picture of a kind that needs one; without it, that is
    left for the author to choose."""
    made: dict[str, Any] = {"type": type_, **_EXAMPLES[type_]}
    if type_ == "image":
        made["src"] = src
    elif type_ == "gallery":
        made["images"] = [{"src": src, "alt": ""}]
    elif type_ == "video":
        made["thumbnail"] = {"src": src, "alt": ""}
    return made
