"""The mailbox in a browser: a list, one message's parts, its source, and the same as JSON. There is no script.

Only a browser that asks for this host by its loopback name is answered, so that no web page can read the mail by
pointing a name of its own at 127.0.0.1. A message's HTML is shown in a sandboxed frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from newsletter.sandbox.connection import Request, Response, failure, json_response
from newsletter.sandbox.figures import Figures, number
from newsletter.sandbox.mailbox import Mailbox
from newsletter.sandbox.received import Received

PAGE_SIZE = 50
VIEWS = {"html": "Preview", "text": "Plain text", "headers": "Headers", "source": "Source"}

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:;"
    " style-src 'unsafe-inline' https:; font-src https: data:"
)
_CID = re.compile(r"cid:([^\"'\s)<>]+)")

Page = Callable[[Request], Response]


class Web:
    """Answers every path outside `/v3/`."""

    def __init__(self, mailbox: Mailbox, figures: Figures, clear: Callable[[], None]) -> None:
        self._mailbox, self._figures, self._forget = mailbox, figures, clear
        self._hosts = {f"127.0.0.1:{figures.port}", f"localhost:{figures.port}"}
        self._templates = Environment(
            loader=PackageLoader("newsletter.sandbox", "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, request: Request) -> Response:
        if request.headers.get("host") not in self._hosts:
            return failure(HTTPStatus.MISDIRECTED_REQUEST, "the sandbox is at 127.0.0.1 only")
        methods = self._pages(request.path)
        if not methods:
            return failure(HTTPStatus.NOT_FOUND, "not found")
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            return failure(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed", {"Allow": ", ".join(methods)})
        if method in ("POST", "DELETE") and not self._is_same_origin(request):
            return failure(HTTPStatus.FORBIDDEN, "access forbidden")
        return methods[method](request)

    def _pages(self, path: str) -> Mapping[str, Page]:
        if path == "/":
            return {"GET": self._list}
        if path == "/messages.json":
            return {"GET": self._json}
        if path == "/sandbox/accepted.json":
            return {"GET": self._figures.accepted}
        if path == "/sandbox/events.json":
            return {"GET": self._figures.events}
        if path == "/messages":
            return {"DELETE": self._delete_all}
        if path == "/messages/clear":
            return {"POST": self._clear}  # what the page's button can send: an HTML form has no DELETE
        if path.startswith("/asm/"):
            return {"GET": self._asm, "POST": self._asm}
        if path.startswith("/messages/"):
            name, _, part = path.removeprefix("/messages/").partition("/")
            if not part and name.endswith(".eml"):
                return self._for_message(name.removesuffix(".eml"), self._eml)
            if not part:
                return self._for_message(name, self._message)
            if part == "html":
                return self._for_message(name, self._html)
            if part.startswith("cid/"):
                return self._for_message(name, lambda message, _: _inline(message, part.removeprefix("cid/")))
        return {}

    def _for_message(self, message_id: str, page: Callable[[Received, Request], Response]) -> Mapping[str, Page]:
        message = self._mailbox.get(message_id)
        return {} if message is None else {"GET": lambda request: page(message, request)}

    def _is_same_origin(self, request: Request) -> bool:
        """A form on somebody else's page mustn't clear the mailbox. Without an Origin it is no browser."""
        origin = request.headers.get("origin")
        return origin is None or request.path.startswith("/asm/") or urlsplit(origin).netloc in self._hosts

    def _list(self, request: Request) -> Response:
        query = request.query.get("q", "").strip()
        found = self._found(query)
        pages = max(1, -(-len(found) // PAGE_SIZE))
        page = min(max(1, number(request.query.get("page"), 1)), pages)
        return self._page(
            "list.html",
            messages=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
            query=query,
            total=len(found),
            page=page,
            newer=None if page == 1 else _list_url(query, page - 1),
            older=None if page == pages else _list_url(query, page + 1),
            pages=pages,
            **self._figures.for_page(),
        )

    def _json(self, request: Request) -> Response:
        found = self._found(request.query.get("q", "").strip())
        limit = min(number(request.query.get("limit"), 100), 1000)
        start = (max(1, number(request.query.get("page"), 1)) - 1) * limit
        shown = found[start : start + limit]
        fates = self._figures.fates(message.id for message in shown)
        entries = [{**message.as_json(), "fate": fates.get(message.id)} for message in shown]
        return json_response(
            HTTPStatus.OK,
            {
                "total": len(found),
                "scheduled": self._figures.scheduled,
                "keep": self._mailbox.keep,
                "messages": entries,
            },
        )

    def _found(self, query: str) -> list[Received]:
        """Those with `query` in their subject or in an address that they went to, newest first."""
        messages = self._mailbox.messages()
        messages.reverse()
        needle = query.lower()
        return [
            each
            for each in messages
            if any(needle in address.lower() for address in each.recipients) or needle in each.subject.lower()
        ]

    def _message(self, message: Received, request: Request) -> Response:
        mime, html, text, source = message.mime, message.html, message.text, message.read()
        view = request.query.get("view", "")
        if view not in VIEWS:
            view = "html" if html is not None else "text"
        return self._page(
            "message.html",
            message=message,
            view=view,
            views=VIEWS,
            has_html=html is not None,
            text=text,
            headers=[] if mime is None else mime.items(),
            kept=source is not None,
            source="" if source is None else source.decode("utf-8", "replace").replace("\r\n", "\n"),
        )

    def _html(self, message: Received, _: Request) -> Response:
        html = message.html
        if html is None:
            return failure(HTTPStatus.NOT_FOUND, "not found")
        known = {part.content_id for part in message.inline_parts}

        def address(match: re.Match[str]) -> str:
            content_id = unquote(match[1])  # RFC 2392: percent-encoded in the URL
            return (
                f"/messages/{quote(message.id)}/cid/{quote(content_id, safe='')}" if content_id in known else match[0]
            )

        # Links open outside of the frame. At the end, since anything before a doctype brings on quirks mode.
        body = _CID.sub(address, html) + '<base target="_blank">'
        return _text_response(body, "text/html", _MAIL_POLICY)

    def _eml(self, message: Received, _: Request) -> Response:
        source = message.read()
        if source is None:
            return failure(HTTPStatus.NOT_FOUND, "only the index is kept")
        disposition = f'attachment; filename="{message.id}.eml"'
        return Response(HTTPStatus.OK, source, {"Content-Type": "message/rfc822", "Content-Disposition": disposition})

    def _asm(self, request: Request) -> Response:
        return self._page("asm.html", kind=request.path.removeprefix("/asm/").partition("/")[0])

    def _delete_all(self, _: Request) -> Response:
        self._forget()
        return Response(HTTPStatus.NO_CONTENT)

    def _clear(self, _: Request) -> Response:
        self._forget()
        return Response(HTTPStatus.SEE_OTHER, headers={"Location": "/"})

    def _page(self, template: str, **values: Any) -> Response:
        return _text_response(self._templates.get_template(template).render(values), "text/html", _PAGE_POLICY)


def _inline(message: Received, content_id: str) -> Response:
    for part in message.inline_parts:
        if part.content_id == content_id:
            headers = {
                "Content-Type": part.media_type,
                "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
                "X-Content-Type-Options": "nosniff",
            }
            return Response(HTTPStatus.OK, part.data, headers)
    return failure(HTTPStatus.NOT_FOUND, "not found")


def _text_response(text: str, media_type: str, policy: str) -> Response:
    headers = {
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Response(HTTPStatus.OK, text.encode(), headers)


def _list_url(query: str, page: int) -> str:
    return "/?" + urlencode({**({"q": query} if query else {}), "page": page})
