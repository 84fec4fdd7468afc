"""A message as bytes on the wire: MIME (RFC 2045 to 2047), CRLF lines of legal length.

The stdlib's EmailMessage isn't used for writing: it turns long header values such as List-Unsubscribe into encoded
words, which the syntax of those headers forbids, and is several times slower, a thousand times a call. It reads
what is written here (see `received`).
"""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from email.header import Header
from email.utils import format_datetime, quote
from functools import lru_cache
from typing import Any
from urllib.parse import quote as percent_encoded

from newsletter.sandbox.message import Message, Person

_MAX_LINE = 78  # what RFC 5322 section 2.1.1 recommends; its limit is 998
_MAX_WORD = 900
_SPECIAL = re.compile(r'[][()<>@,:;".\\]')  # RFC 5322 section 3.2.3: a phrase with any of these has to be quoted
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def as_bytes(message: Message) -> bytes:
    """The whole message as its recipient's mail program would get it."""
    lines = [
        _header("From", _people([message.sender])),
        _header("To", _people(message.to)),
        _header("Subject", _encoded(message.subject)),
        _header("Date", format_datetime(message.call.received_at)),
    ]
    if message.cc:
        lines.append(_header("Cc", _people(message.cc)))
    if message.reply_to:
        lines.append(_header("Reply-To", _people(message.reply_to)))
    given = {name.casefold() for name in message.headers}
    if "message-id" not in given:
        # One for all recipients of a call, as the provider does it.
        lines.append(_header("Message-ID", f"<{message.call.request_id}@sandbox.example.org>"))
    lines += [
        _header(name, _encoded(value)) for name, value in message.headers.items() if name.casefold() != "mime-version"
    ]
    lines.append(b"MIME-Version: 1.0\r\n")
    return b"".join(lines) + _entity(message)


def _entity(message: Message) -> bytes:
    """Content headers, an empty line and the body: mixed(alternative(text, related(html, images)), attachments)."""
    attachments: Sequence[Mapping[str, Any]] = message.call.body.get("attachments", ())
    inline = [each for each in attachments if each.get("disposition") == "inline"]
    attached = [each for each in attachments if each.get("disposition") != "inline"]
    boundary = f"=_{message.call.request_id}"  # "=_" occurs neither in quoted-printable nor in Base64
    parts = []
    for media_type, text in message.contents():
        part = _text_part(media_type, text)
        if media_type == "text/html" and inline:
            images = [_attachment_part(image) for image in inline]
            part = _multipart("related", f"{boundary}.r", [part, *images], root="text/html")
            inline = []
        parts.append(part)
    entity = parts[0] if len(parts) == 1 else _multipart("alternative", f"{boundary}.a", parts)
    attached += inline  # without HTML there is nothing that could show them
    if attached:
        entity = _multipart("mixed", f"{boundary}.m", [entity, *map(_attachment_part, attached)])
    return entity


def _multipart(subtype: str, boundary: str, parts: Iterable[bytes], *, root: str = "") -> bytes:
    mark = boundary.encode()
    parameters = f'boundary="{boundary}"' + (f'; type="{root}"' if root else "")
    head = f"Content-Type: multipart/{subtype};\r\n {parameters}\r\n\r\n".encode()
    return head + b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"


def _text_part(media_type: str, text: str) -> bytes:
    head = f'Content-Type: {media_type}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return head.encode() + binascii.b2a_qp(lines).replace(b"\n", b"\r\n")


def _attachment_part(attachment: Mapping[str, Any]) -> bytes:
    disposition = attachment.get("disposition", "attachment")
    lines = [
        f"Content-Type: {attachment.get('type', 'application/octet-stream')}",
        f"Content-Disposition: {disposition};\r\n {_filename(attachment['filename'])}",
        "Content-Transfer-Encoding: base64",
    ]
    if "content_id" in attachment:
        lines.append(f"Content-ID: <{attachment['content_id']}>")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode() + _wrapped_base64(attachment["content"])


@lru_cache(maxsize=32)
def _wrapped_base64(content: str) -> bytes:
    """In lines of 76 characters; remembered, since a thousand messages carry the same images."""
    return base64.encodebytes(base64.b64decode(content)).rstrip(b"\n").replace(b"\n", b"\r\n")


def _filename(name: str) -> str:
    if name.isascii():
        return f'filename="{quote(name)}"'
    return f"filename*=utf-8''{percent_encoded(name, safe='')}"  # RFC 2231


def _people(people: Iterable[Person]) -> str:
    return ", ".join(f"{_phrase(person.name)} <{person.email}>" if person.name else person.email for person in people)


def _phrase(name: str) -> str:
    encoded = _encoded(name)
    return f'"{quote(encoded)}"' if encoded.isascii() and encoded == name and _SPECIAL.search(name) else encoded


@lru_cache(maxsize=256)
def _encoded(value: str) -> str:
    """`value` on one line, in ASCII: as encoded words (RFC 2047) when it needs them."""
    value = _BREAKS.sub(" ", value)
    if value.isascii() and "=?" not in value and all(len(word) <= _MAX_WORD for word in value.split(" ")):
        return value
    return Header(value, "utf-8", maxlinelen=75).encode(linesep="").replace("\r", "").replace("\n", "")


def _header(name: str, value: str) -> bytes:
    """The header folded at its spaces; a word that is too long for a line gets one of its own."""
    line = f"{name}: {value}"
    if len(line) > _MAX_LINE:
        line = "\r\n ".join(
            textwrap.wrap(line, _MAX_LINE, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
        )
    return line.encode() + b"\r\n"
