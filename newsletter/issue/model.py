"""An issue: one edition of the newsletter, as its YAML file says it."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from newsletter.fields import Email, Model, Text
from newsletter.issue.blocks import Block

RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}
"""Languages written from right to left (ISO 639 codes, by their usual script)."""

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Sender(Model):
    """Whom the email comes from."""

    email: Email
    """The address; its domain has to be authenticated with the provider."""
    name: Text | None = None
    """The name that inboxes show."""


class Issue(Model):
    """One edition of the newsletter."""

    subject: Text
    """The subject line."""
    preheader: Text | None = None
    """The line that inboxes show after the subject; 40 to 100 characters do best."""
    date: datetime.date | None = None
    """The date of the issue: `2026-03-31`."""
    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)] | None = None
    """The issue's lasting name, for addresses and records; the file's name when left out."""
    theme: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] | None = None
    """The theme to use; the publication's when left out."""
    lang: str | None = None
    """The language, as a code: `en`, `hy`, `ar`; the publication's when left out."""
    dir: Literal["ltr", "rtl"] | None = None
    """The direction of writing; taken from the language when left out."""
    sender: Annotated[Sender | None, Field(alias="from")] = None
    """Whom it comes from; the publication's sender when left out."""
    reply_to: Email | None = None
    """Where replies go; the publication's address for replies when left out."""
    tags: tuple[Text, ...] = ()
    """Words for the provider's statistics; at most nine."""
    link_parameters: dict[str, Text] | None = None
    """Parameters added to web links, e.g. `utm_campaign: spring`; they are put beside the publication's."""
    blocks: Annotated[tuple[Block, ...], Field(min_length=1)]
    """The content, from top to bottom."""

    @field_validator("lang")
    @classmethod
    def _language(cls, value: str | None) -> str | None:
        if value is not None and not LANGUAGE.fullmatch(value):
            raise PydanticCustomError(
                "bad-language", "`{value}` isn't a language code", {"value": value, "hint": "e.g. `en`, `pt-BR`, `hy`"}
            )
        return value

    @field_validator("tags")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 9 or any(len(tag) > 100 or not tag.isascii() for tag in value):
            raise PydanticCustomError(
                "bad-tags",
                "tags are at most nine, each at most 100 plain ASCII characters",
                {"hint": "they become the provider's categories"},
            )
        return value


def direction_of(language: str) -> Literal["ltr", "rtl"]:
    """The usual direction of writing of a language code."""
    return "rtl" if language.partition("-")[0].lower() in RIGHT_TO_LEFT or "-arab" in language.lower() else "ltr"


def slug_of(words: str) -> str:
    """`words` as a slug: ASCII letters, digits and hyphens; `issue` when nothing is left of them."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or "issue"
