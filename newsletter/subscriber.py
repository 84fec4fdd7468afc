"""A person on a list, and the two forms of an email address: the one to write to, and the one to know a person by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

_LABEL = r"[a-z0-9](?:-?[a-z0-9])*"
_PLAIN = re.compile(
    # Dots in the local part stand between other characters; two dashes in a domain may be Punycode.
    rf"([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@((?:{_LABEL}\.)+[a-z]{{2,20}})",
    re.IGNORECASE | re.ASCII,
)
"""Addresses as nearly all are, which need no long look. Whatever doesn't match may still be one."""
_PLAIN_LENGTH = 63
"""No part of a plain address can be too long when all of it is as short as a domain's label may be."""
_RESERVED = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person who can be mailed. `attributes` are free text by name, as an organisation's own columns have them."""

    id: int
    email: str
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    created_at: datetime | None = None

    @property
    def first_name(self) -> str:
        """The attribute of that name, else the first word of `name`; empty when neither is known."""
        return self.attributes.get("first_name") or self.name.partition(" ")[0]

    @property
    def last_name(self) -> str:
        """The attribute of that name, else what follows the first word of `name`; empty when neither is known."""
        return self.attributes.get("last_name") or self.name.partition(" ")[2].strip()


class _Anything(dict[str, str]):
    """Attributes of the sample subscriber: each has a value, its own name in brackets."""

    def __missing__(self, name: str) -> str:
        return f"[{name}]"


def sample_subscriber() -> Subscriber:
    """Somebody who doesn't exist and has every attribute: whom an issue is shown to when nobody is chosen."""
    return Subscriber(0, "sam@example.org", "Sam Example", _Anything(first_name="Sam", last_name="Example"))


def normalise_address(text: str) -> str:
    """The address to write to: trimmed, the domain in lower case and in ASCII (IDNA 2008), the local part as given.

    Raises ValueError with a sentence for people when `text` isn't an email address (RFC 5321, without comments,
    quoted local parts and address literals; the local part in ASCII, as SendGrid asks). Nothing is looked up in DNS.
    """
    text = text.strip()
    if len(text) <= _PLAIN_LENGTH and (plain := _PLAIN.fullmatch(text)):
        local, domain = plain[1], plain[2].lower()
        # The dot in front lets `test.org` pass, and stops both `a.test` and a bare reserved name.
        if not f".{domain}".endswith(_RESERVED):
            return f"{local}@{domain}"
    try:
        validated = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return f"{validated.local_part}@{validated.ascii_domain}"


def address_key(email: str) -> str:
    """The key on which a person is unique: a normalised address, case-folded.

    RFC 5321 lets a host tell `Ana@` from `ana@`; no provider of note does, and SendGrid refuses both in one call.
    """
    return email.casefold()
