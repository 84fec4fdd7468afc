"""A rendering as a message file, and as a page: what a recipient gets, to look at without sending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, localtime

from newsletter.issue import InlineImage, RenderedIssue, Sender, fill
from newsletter.subscriber import Subscriber


def message_for(
    rendered: RenderedIssue, values: Mapping[str, str], sender: Sender, reply_to: str | None, person: Subscriber
) -> bytes:
    """The message (RFC 5322, MIME) for `person`, with `values` in place of the tokens."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = fill(rendered.subject, values)
    message["From"] = formataddr((sender.name or "", sender.email))
    message["To"] = formataddr((person.name, person.email))
    if reply_to:
        message["Reply-To"] = reply_to
    message["Date"] = localtime()
    message.set_content(fill(rendered.text, values), cte="quoted-printable")
    message.add_alternative(fill(rendered.html, values), subtype="html", cte="quoted-printable")
    html = message.get_payload()[1]  # type: ignore[index]  # add_alternative made it multipart
    for image in rendered.images:
        kind, _, subtype = image.media_type.partition("/")
        html.add_related(  # type: ignore[union-attr]  # an EmailMessage, which the stub doesn't say
            image.data, kind, subtype, cid=f"<{image.content_id}>", filename=image.filename, disposition="inline"
        )
    return message.as_bytes()


def for_browser(html: str, images: Iterable[InlineImage], folder: str) -> str:
    """`html` with embedded images read from `folder` (a relative path or URL that ends in `/`)."""
    for image in images:
        html = html.replace(f"cid:{image.content_id}", folder + image.filename)
    return html
