"""Who may talk to the Studio: the browser that opened its address, and no other page that runs in it.

Loopback keeps other machines out, not other websites: a page anywhere can make the reader's browser ask 127.0.0.1.
So each request has to name this host (against DNS rebinding), come from our own pages (the Origin that a browser
states, Fetch Metadata), and carry the token of the address that was opened: in the address at first, in a cookie that
other sites' requests don't carry (RFC 6265bis, SameSite) from then on.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT_IN = "studio-token"
HOSTS = ("127.0.0.1", "localhost")

# Vue compiles its templates in the browser. Nothing may come from anywhere but this server.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {sockets}; frame-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

_REFUSAL = (Path(__file__).parent / "static" / "refusal.html").read_text("utf-8")


def workspace_token(state: Path) -> str:
    """The workspace's token, kept in the folder `state` for its owner alone: open pages outlive a restart."""
    file = state / _KEPT_IN
    try:
        token = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if len(token) < 32:
        token = secrets.token_urlsafe(24)
        state.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(token + "\n", "ascii")
    return token


class Guard:
    """ASGI middleware that lets in what the module's docstring says, and answers 403 to everything else."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app = app
        self._token = token
        self._cookie = f"newsletter-studio-{port}"
        self._hosts = {f"{host}:{port}" for host in HOSTS} | (set(HOSTS) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers):
            await self._refuse(scope, receive, send, refusal)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == "token"), None)
        if given is not None and scope["type"] == "http" and scope["method"] == "GET" and self._is_token(given):
            await self._let_in(scope, receive, send, [pair for pair in query if pair[0] != "token"])
        elif self._is_token(_cookie(headers, self._cookie)):
            await self.app(scope, receive, self._with_policy(scope, headers["host"], send))
        else:
            await self._refuse(scope, receive, send, "The token is missing, or another one than this Studio's.")

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Why a request isn't one of our own pages' or of somebody who opens one."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host.lower() not in self._hosts:
            return "It was asked for under another name than 127.0.0.1."
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Another website asked for it."
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if changes and origin is None:
            return "It doesn't say which page it comes from."
        if headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site") and (
            changes or headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"
        ):
            return "Another website asked for it."
        return None

    def _is_token(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self._token.encode())

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, query: list[tuple[str, str]]) -> None:
        """Exchange the token of the address for the cookie, and take it out of the address."""
        path = quote(scope["path"]) if not scope["path"].startswith("//") else "/"
        answer = RedirectResponse(path + ("?" + urlencode(query) if query else ""), status_code=303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        answer.headers["Referrer-Policy"] = "no-referrer"
        await answer(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403, "reason": reason})
        else:
            await HTMLResponse(_REFUSAL.replace("REASON", reason), status_code=403)(scope, receive, send)

    def _with_policy(self, scope: Scope, host: str, send: Send) -> Send:
        if scope["type"] != "http":
            return send

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", _POLICY.format(sockets=f"ws://{host}"))
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        return sending


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None
