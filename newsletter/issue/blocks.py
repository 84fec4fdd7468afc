"""The blocks an issue is made of: one model a kind, told apart by its `type`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from newsletter.fields import Condition, Html, Image, Markdown, Model, Plain, Text, Url


class _Block(Model):
    when: Condition | None = None
    """Only for subscribers for whom this holds, e.g. `subscriber.region == "north"`; for everybody when left out."""


class Header(_Block):
    """The top of the email. Without one, it is made from the publication's settings."""

    type: Literal["header"]
    title: Text | None = None
    """The newsletter's name; the publication's when left out."""
    tagline: Text | None = None
    """A few words under the name; the publication's when left out."""
    logo: Image | None = None
    """A logo in place of the name; the publication's when left out."""
    url: Url | None = None
    """Where name and logo lead; the publication's website when left out."""


class Hero(_Block):
    """A large opening: picture, headline, a few lines, a button."""

    type: Literal["hero"]
    headline: Text
    """What this issue is about."""
    body: Markdown | None = None
    """A short text under the headline."""
    image: Image | None = None
    """A wide picture."""
    url: Url | None = None
    """Where headline, picture and button lead."""
    label: Text | None = None
    """The words on the button; no button without them."""


class Section(_Block):
    """A title over the blocks that follow."""

    type: Literal["section"]
    title: Text
    """The title."""
    url: Url | None = None
    """Where the title leads."""


class Story(_Block):
    """A headline with a text, a picture and a link."""

    type: Literal["story"]
    headline: Text
    """The headline."""
    url: Url | None = None
    """The whole article, elsewhere. Headline, picture and read-more link lead there."""
    image: Image | None = None
    """A picture."""
    image_position: Literal["left", "right", "top"] | None = None
    """Where the picture stands; the theme decides when left out."""
    byline: Text | None = None
    """Who wrote it: `By Ada Example`."""
    source: Text | None = None
    """Where it appeared: `The Harbour Gazette`."""
    body: Markdown | None = None
    """One to three paragraphs."""
    label: Text | None = None
    """The words of the read-more link; without them only the headline is a link."""


class Headline(Model):
    """One headline of a run."""

    headline: Text
    """The headline."""
    url: Url | None = None
    """Where it leads; a bare headline without."""


def _bare_headline(value: Any) -> Any:
    return {"headline": value} if isinstance(value, str) else value


class Headlines(_Block):
    """A run of headlines, some linked, some bare."""

    type: Literal["headlines"]
    title: Text | None = None
    """A title over them."""
    items: Annotated[tuple[Annotated[Headline, BeforeValidator(_bare_headline)], ...], Field(min_length=1)]
    """The headlines: plain text for a bare one, `headline:` and `url:` for a linked one."""


class Text_(_Block):  # noqa: N801 - `Text` is the kind of field
    """A text without a headline."""

    type: Literal["text"]
    body: Markdown
    """The text, in Markdown."""


class Quote(_Block):
    """Somebody's words."""

    type: Literal["quote"]
    text: Markdown
    """What was said, without quotation marks; the theme sets them."""
    attribution: Text | None = None
    """Who said it."""
    role: Text | None = None
    """What they are, or where they said it."""
    url: Url | None = None
    """Where it can be read; the attribution leads there."""


class Picture(Image):
    """A picture with what stands under it."""

    caption: Text | None = None
    """What stands under the picture."""
    credit: Text | None = None
    """Who made it: `Photo: Ada Example`."""
    url: Url | None = None
    """Where the picture leads."""


class Image_(_Block, Picture):  # noqa: N801 - `Image` is the kind of field
    """A picture of its own, as wide as the text."""

    type: Literal["image"]


class Gallery(_Block):
    """Several pictures side by side."""

    type: Literal["gallery"]
    title: Text | None = None
    """A title over them."""
    columns: Annotated[int, Field(ge=1, le=3)] = 2
    """How many in a row: 1, 2 or 3."""
    images: Annotated[tuple[Picture, ...], Field(min_length=1)]
    """The pictures."""


class Button(_Block):
    """One call to action."""

    type: Literal["button"]
    label: Text
    """The words on it."""
    url: Url
    """Where it leads."""


class Link(Model):
    """One link of a list."""

    label: Text
    """The words of the link."""
    url: Url
    """Where it leads."""
    description: Text | None = None
    """A line about it."""


class Links(_Block):
    """A list of links: documents, statements, further reading."""

    type: Literal["links"]
    title: Text | None = None
    """A title over them."""
    items: Annotated[tuple[Link, ...], Field(min_length=1)]
    """The links."""


class Event(Model):
    """One dated event."""

    title: Text
    """What takes place."""
    date: Text
    """When, as readers should see it: `Tuesday 3 March` or `2026-03-03`."""
    time: Text | None = None
    """At what time: `18:30`."""
    place: Text | None = None
    """Where."""
    url: Url | None = None
    """Where to read more or sign up."""
    body: Markdown | None = None
    """A few words about it."""


class Events(_Block):
    """A calendar of dated events."""

    type: Literal["events"]
    title: Text | None = None
    """A title over them."""
    items: Annotated[tuple[Event, ...], Field(min_length=1)]
    """The events."""


class Video(_Block):
    """A still of a video that leads to it; mail clients don't play videos."""

    type: Literal["video"]
    url: Url
    """Where the video plays."""
    thumbnail: Image
    """A still; a play mark is put under it."""
    title: Text | None = None
    """A line under it."""


class Callout(_Block):
    """A few lines in a frame: a notice, a thank-you, a date not to miss."""

    type: Literal["callout"]
    title: Text | None = None
    """A title."""
    body: Markdown
    """The text."""
    url: Url | None = None
    """Where its button leads."""
    label: Text | None = None
    """The words on its button."""


class Divider(_Block):
    """A line between blocks."""

    type: Literal["divider"]


class SocialLink(Model):
    """A place where the publication can be followed."""

    network: Literal[
        "bluesky",
        "facebook",
        "github",
        "instagram",
        "linkedin",
        "mastodon",
        "rss",
        "telegram",
        "tiktok",
        "website",
        "x",
        "youtube",
    ]
    """Which network."""
    url: Url
    """The profile's address."""


class Social(_Block):
    """Where to follow. Without items, the publication's."""

    type: Literal["social"]
    items: tuple[SocialLink, ...] = ()
    """The profiles; the publication's when left out."""


class Footer(_Block):
    """The end of the email. Postal address and unsubscribe link are always there, with this block or without."""

    type: Literal["footer"]
    body: Markdown | None = None
    """Words above the address, e.g. whom to write to."""
    why: Text | None = None
    """Why people get it; the publication's words when left out. For an issue in another language."""
    address: Plain | None = None
    """A postal address in place of the publication's."""


class RawHtml(_Block):
    """HTML, for the rare thing that no other block can do. Scripts and the like are taken out."""

    type: Literal["html"]
    html: Html
    """The HTML."""
    text: Plain | None = None
    """What stands in the plain-text part; made from the HTML when left out."""


NarrowBlock = Annotated[
    Text_ | Story | Headlines | Quote | Image_ | Button | Links | Events | Callout | Divider,
    Field(discriminator="type"),
]
"""What fits into a column."""


class Column(Model):
    """One of two or three columns."""

    blocks: Annotated[tuple[NarrowBlock, ...], Field(min_length=1)]
    """Its blocks, from the top."""


class Columns(_Block):
    """Two or three narrow columns; one below the other on a phone."""

    type: Literal["columns"]
    columns: Annotated[tuple[Column, ...], Field(min_length=2, max_length=3)]
    """The columns."""


Block = Annotated[
    Header | Hero | Section | Story | Headlines | Text_ | Quote | Image_ | Gallery | Button | Links | Events | Video
    | Callout | Columns | Divider | Social | Footer | RawHtml,
    Field(discriminator="type"),
]  # fmt: skip
"""One entry of an issue's `blocks:`."""
