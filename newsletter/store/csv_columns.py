"""What the columns of other systems' exports mean: Mailchimp, Substack, Ghost, listmonk, Google, Outlook and others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import orjson

from newsletter.store.spreadsheet import unguarded
from newsletter.subscriber import address_key, normalise_address


class FormerStatus(StrEnum):
    """How the other system stood with a person. The further down, the more it counts when columns disagree."""

    ACTIVE = "active"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    INVALID = "invalid"
    """It said that this can't be an address."""
    MANUAL = "manual"
    """Somebody had put the address on a block list."""
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class Meaning(StrEnum):
    """What the values of a column are."""

    EMAIL = "email"
    NAME = "name"
    TAGS = "tags"
    STATUS = "status"
    """A word for how the other system stood with the person."""
    SUBSCRIBED = "subscribed"
    """Yes or no."""
    STOPPED = "stopped"
    """Yes or no, the other way round."""
    LEFT_AT = "left at"
    """When they unsubscribed; empty when they didn't."""
    BOUNCED_AT = "bounced at"
    """When their address bounced for good; empty when it didn't."""
    JSON = "json"
    """Attributes, as a JSON object."""
    ATTRIBUTE = "attribute"
    NOTHING = "nothing"
    """It isn't read."""


_WEIGHT = {status: weight for weight, status in enumerate(FormerStatus)}

# The first of these that a file has is the address; `address` alone may be where people live.
_EMAIL = (
    "email", "e_mail", "email_address", "e_mail_address", "e_mail_1_value", "email_1_value", "subscriber_email",
    "member_email", "user_email", "contact_email", "primary_email", "e_mail_adresse", "email_adresse",
    "adresse_e_mail", "adresse_email", "courriel", "correo_electronico", "correo_electrónico", "mail", "subscriber",
    "address",
)  # fmt: skip
_NAME = ("name", "full_name", "display_name", "subscriber_name", "contact_name")
_SAME_AS = {
    **dict.fromkeys(("firstname", "fname", "given_name", "forename", "vorname", "prénom", "prenom"), "first_name"),
    **dict.fromkeys(("lastname", "lname", "family_name", "surname", "nachname"), "last_name"),
}
_YES = ("yes", "true", "1", "y")
_NO = ("no", "false", "0", "n")

_STATUS: Mapping[str, FormerStatus] = {
    **dict.fromkeys(
        ("active", "subscribed", "subscriber", "enabled", "confirmed", "verified", "free", "paid", "comped", *_YES),
        FormerStatus.ACTIVE,
    ),
    **dict.fromkeys(("pending", "unconfirmed", "unverified", "awaiting confirmation"), FormerStatus.PENDING),
    **dict.fromkeys(
        ("unsubscribed", "unsubscribe", "non-subscribed", "nonsubscribed", "not subscribed", "opted out", "opted_out",
         "optout", "inactive", "disabled", "removed", "deleted", "archived", "transactional", *_NO),
        FormerStatus.UNSUBSCRIBED,
    ),
    **dict.fromkeys(("cleaned", "bounced", "bounce", "hard bounce", "undeliverable"), FormerStatus.BOUNCE),
    **dict.fromkeys(("complained", "complaint", "spam", "spam complaint", "abuse", "junk"), FormerStatus.COMPLAINT),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "banned", "suppressed"), FormerStatus.MANUAL),
    **dict.fromkeys(("invalid", "malformed"), FormerStatus.INVALID),
}  # fmt: skip
_MEANINGS: Mapping[str, Meaning] = {
    **dict.fromkeys(("tags", "tag", "labels", "group_membership"), Meaning.TAGS),
    **dict.fromkeys(("status", "subscription_status", "subscriber_status", "member_status"), Meaning.STATUS),
    **dict.fromkeys(("subscribed", "subscribed_to_emails", "opted_in"), Meaning.SUBSCRIBED),
    **dict.fromkeys(("email_disabled", "unsubscribed", "opted_out"), Meaning.STOPPED),
    **dict.fromkeys(("unsub_time", "unsubscribed_at", "unsubscribe_date"), Meaning.LEFT_AT),
    **dict.fromkeys(("clean_time", "cleaned_at", "bounced_at"), Meaning.BOUNCED_AT),
    "attributes": Meaning.JSON,
    "": Meaning.NOTHING,
}
"""By the name of the column; any other is an attribute."""
_WORDS: Mapping[Meaning, Mapping[str, FormerStatus]] = {
    Meaning.STATUS: _STATUS,
    Meaning.SUBSCRIBED: {**dict.fromkeys(_YES, FormerStatus.ACTIVE), **dict.fromkeys(_NO, FormerStatus.UNSUBSCRIBED)},
    Meaning.STOPPED: {**dict.fromkeys(_NO, FormerStatus.ACTIVE), **dict.fromkeys(_YES, FormerStatus.UNSUBSCRIBED)},
}
_TIMES: Mapping[Meaning, FormerStatus] = {
    Meaning.LEFT_AT: FormerStatus.UNSUBSCRIBED,
    Meaning.BOUNCED_AT: FormerStatus.BOUNCE,
}


class CsvColumn(NamedTuple):
    """A column and its meaning. `name` is the attribute's, or what the column is called in messages."""

    meaning: Meaning
    name: str = ""


class CsvPerson(NamedTuple):
    """What one row says of a person. `key` is what the person is unique by."""

    key: str
    email: str
    name: str
    attributes: Mapping[str, str]
    tags: tuple[str, ...]
    former: FormerStatus | None

    def over(self, earlier: CsvPerson) -> CsvPerson:
        """This row laid over an earlier one of the same person: nothing is lost by an empty value."""
        formers = [each for each in (earlier.former, self.former) if each is not None]
        return CsvPerson(
            self.key,
            earlier.email,
            self.name or earlier.name,
            {**earlier.attributes, **self.attributes},
            tuple(dict.fromkeys((*earlier.tags, *self.tags))),
            max(formers, key=_WEIGHT.__getitem__, default=None),
        )


def columns_of(header: Sequence[str]) -> list[CsvColumn]:
    """What the columns with these names mean: the address, the name, tags and status are known by what other systems
    call them, any other is an attribute. Without a name, a column means nothing."""
    names = [_word(name) for name in header]
    known = {_first(names, _NAME): Meaning.NAME, _first(names, _EMAIL): Meaning.EMAIL}
    meanings = [known.get(place) or _MEANINGS.get(name, Meaning.ATTRIBUTE) for place, name in enumerate(names)]
    return [CsvColumn(meaning, attribute_name(name)) for meaning, name in zip(meanings, names, strict=True)]


def has_address(header: Sequence[str]) -> bool:
    """Whether one of the columns with these names is the address."""
    return _first([_word(name) for name in header], _EMAIL) is not None


def attribute_name(text: str) -> str:
    """What an attribute is called in expressions: `text` in lower case, joined by `_`, in our words for some others."""
    name = _word(text)
    return _SAME_AS.get(name, name)


class CsvColumns:
    """Reads rows by what their `columns` mean.

    Raises ValueError, with a sentence for people, when not exactly one of them is the address, or two are the name.
    """

    def __init__(self, columns: Sequence[CsvColumn]) -> None:
        self._count = len(columns)
        places: dict[Meaning, list[int]] = {meaning: [] for meaning in Meaning}
        for place, column in enumerate(columns):
            places[column.meaning].append(place)
        if not places[Meaning.EMAIL]:
            raise ValueError("no column of the file is the address")
        for meaning, what in ((Meaning.EMAIL, "address"), (Meaning.NAME, "name")):
            if len(places[meaning]) > 1:
                raise ValueError(f"{len(places[meaning])} columns of the file are the {what}")
        self._email = places[Meaning.EMAIL][0]
        self._name = next(iter(places[Meaning.NAME]), None)
        self._tags = places[Meaning.TAGS]
        numbered = list(enumerate(columns))
        self._words = [(at, each.name, _WORDS[each.meaning]) for at, each in numbered if each.meaning in _WORDS]
        self._times = [(at, _TIMES[each.meaning]) for at, each in numbered if each.meaning in _TIMES]
        self._json = places[Meaning.JSON]
        self._attributes: list[tuple[str, int]] = []
        for place in places[Meaning.ATTRIBUTE]:
            if name := attribute_name(columns[place].name):
                self._attributes.append((self._unused(name), place))

    def person(self, values: Sequence[str]) -> CsvPerson | None:
        """The person of a row; None when all of it is empty. Raises ValueError, with what is wrong, for people."""
        if len(values) != self._count:
            if len(values) > self._count and any(value.strip() for value in values[self._count :]):
                raise ValueError(f"{len(values)} values for {self._count} columns")
            values = [*values, *[""] * (self._count - len(values))]
        values = [value.strip() for value in values]
        if any(value[:1] == "'" for value in values):
            values = [unguarded(value) for value in values]
        email = values[self._email]
        if not email:
            if any(values):
                raise ValueError("there is no address")
            return None
        email = normalise_address(email)
        attributes = {name: value for name, place in self._attributes if (value := values[place])}
        for place in self._json:
            if values[place]:
                attributes.update(_from_json(values[place]))
        name = values[self._name] if self._name is not None else ""
        if not name:
            name = f"{attributes.get('first_name', '')} {attributes.get('last_name', '')}".strip()
        if not name.isprintable() or "  " in name:
            name = " ".join(name.split())
        tags = tuple(dict.fromkeys(tag for place in self._tags for tag in _split(values[place]))) if self._tags else ()
        former = self._former(values) if self._words or self._times else None
        return CsvPerson(address_key(email), email, name, attributes, tags, former)

    def _former(self, values: Sequence[str]) -> FormerStatus | None:
        # 0000-00-00 is how some databases write that it never happened.
        found = [former for place, former in self._times if values[place].strip("0-: T")]
        for place, name, words in self._words:
            if value := values[place]:
                former = words.get(value.lower())
                if former is None:
                    hint = "rename the column if it means something else"
                    raise ValueError(f"`{value}` in the column {name} is no status that is known; {hint}")
                found.append(former)
        return max(found, key=_WEIGHT.__getitem__, default=None)

    def _unused(self, name: str) -> str:
        taken = {each for each, _ in self._attributes}
        number = 2
        unused = name
        while unused in taken:
            unused = f"{name}_{number}"
            number += 1
        return unused


def _word(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _split(value: str) -> list[str]:
    """Tags as they are written together: by semicolons or commas, Mailchimp's in quotes, Google's with three colons."""
    return [tag for part in re.split(r"[;,]|:::", value) if (tag := part.strip(' "*'))]


def _from_json(value: str) -> dict[str, str]:
    """listmonk's attributes: a JSON object; what isn't text in it becomes JSON text."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("its attributes aren't a JSON object")  # noqa: TRY004 - told of a row
    texts = {_word(key): each if isinstance(each, str) else orjson.dumps(each).decode() for key, each in found.items()}
    return {name: text for name, text in texts.items() if name and text and text != "null" and "\0" not in text}
