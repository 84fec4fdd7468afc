"""`newsletter.yaml`: what holds for every issue of a publication."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from newsletter.fields import Condition, Email, Image, Model, Plain, Text, Url

FILE_NAME = "newsletter.yaml"
"""The file that marks the root of a workspace."""


class SocialProfile(Model):
    """A place where the publication can be followed."""

    network: Text
    """Which network: `mastodon`, `github`, `youtube` …"""
    url: Url
    """The profile's address."""


class Publication(Model):
    """Who publishes the newsletter."""

    name: Text
    """The newsletter's name, shown in header and footer."""
    organisation: Text | None = None
    """Who is behind it, as named over the postal address; the newsletter's name when left out."""
    url: Url
    """The website."""
    address: Plain
    """The postal address; the law of most countries wants it in every newsletter."""
    tagline: Text | None = None
    """A few words under the name."""
    logo: Image | None = None
    """A logo for the header, about 200 px wide and on a transparent ground."""
    lang: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    """The language, as a code."""
    time_zone: str = "UTC"
    """The time zone in which times are meant, e.g. `Europe/London`."""
    why: Text | None = None
    """Why people get it, for the footer: `You get this because you signed up at …`."""
    social: tuple[SocialProfile, ...] = ()
    """Where to follow."""

    @field_validator("time_zone")
    @classmethod
    def _time_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise PydanticCustomError(
                "bad-time-zone", "there is no time zone `{value}`", {"value": value, "hint": "e.g. `Europe/London`"}
            ) from None
        return value


class SenderSettings(Model):
    """Whom the newsletter comes from."""

    email: Email
    """The address; its domain has to be authenticated with the provider."""
    name: Text | None = None
    """The name that inboxes show; the publication's when left out."""
    reply_to: Email | None = None
    """Where replies go; the sender's address when left out."""


class Unsubscribe(Model):
    """How people leave."""

    group_id: Annotated[int, Field(ge=1)]
    """The number of SendGrid's unsubscribe group; SendGrid then serves the page and keeps the list of leavers."""


class Images(Model):
    """How local images reach the reader."""

    deliver: Literal["embed", "link"] = "embed"
    """`embed` them in the message, or `link` to where they are served."""
    base_url: Url | None = None
    """With `link`: the address under which the rendered images are served."""

    @field_validator("base_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("https://"):
            raise PydanticCustomError(
                "bad-url", "images have to be served over https", {"hint": "mail clients block the rest"}
            )
        return value


class LinkParameters(Model):
    """Parameters that are added to web links, for the website's statistics."""

    domains: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The hosts whose links get them, with their subdomains."""
    parameters: Annotated[dict[str, Text], Field(min_length=1)]
    """Names and values, e.g. `utm_source: newsletter`."""


class Tracking(Model):
    """What the provider measures. Both are off unless asked for."""

    opens: bool = False
    """A pixel that counts openings; mail clients that load images in advance make it unreliable."""
    clicks: bool = False
    """Links are rewritten to pass through the provider, which makes the email larger."""


def _segment(value: str) -> str:
    from newsletter.expression import ExpressionError
    from newsletter.segment import parse_segment

    try:
        parse_segment(value)
    except ExpressionError as error:
        context = {"message": str(error), "hint": error.hint, "snippet": value, "part": (error.offset, error.length)}
        raise PydanticCustomError("bad-expression", "{message}", context) from None
    return value


class Settings(Model):
    """What holds for every issue."""

    publication: Publication
    """Who publishes the newsletter."""
    sender: SenderSettings
    """Whom it comes from."""
    theme: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = "digest"
    """The theme of issues that don't name one: a folder in `templates/`, or one that newsletter brings."""
    unsubscribe: Unsubscribe | None = None
    """How people leave, by the provider's unsubscribe group. Without it, `public_url` has to be set."""
    public_url: Url | None = None
    """Where your own service answers; unsubscribe links then lead to `<public_url>/unsubscribe/<signed token>`."""
    images: Images = Images()
    """How local images reach the reader."""
    link_parameters: LinkParameters | None = None
    """Parameters added to web links."""
    tracking: Tracking = Tracking()
    """What the provider measures."""
    segments: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")], Annotated[Condition, AfterValidator(_segment)]
    ] = Field(default={})
    """Conditions over subscribers by name, for `send --segment NAME`, e.g. `donors: '"donor" in subscriber.tags'`."""
    database: str | None = None
    """Where subscribers and deliveries are kept: an SQLAlchemy URL; `.newsletter/newsletter.db` when left out."""
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 500
    """Recipients per call to the provider. The smaller, the fewer are in doubt after a crash."""

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise PydanticCustomError(
                "bad-url", "one-click unsubscribing needs an https:// address", {"hint": "RFC 8058 allows no other"}
            )
        return value.rstrip("/") if value else None
