"""HTTP for the SendGrid SDK: a kept-alive connection per thread that knows how far a request has come.

The SDK's own transport opens a connection and parses the CA bundle for every call, waits for ever, follows redirects
with the key, and doesn't tell a request that never left from one that may have been acted on. This one is put in its
place by subclassing the SDK's HTTP client.
"""

from __future__ import annotations

import http.client
import logging
import selectors
import socket
import ssl
import threading
import time
import urllib.request
from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit

from python_http_client import Client

_IDLE_SECONDS = 5.0
"""A connection that rested longer is opened anew: the provider may be closing it at this moment."""
_CONNECT_SECONDS = 10.0

logging.getLogger("python_http_client").setLevel(logging.WARNING)
# At DEBUG the SDK's client logs the key and all addresses; the filter holds even when somebody sets the level.
logging.getLogger("python_http_client.client").addFilter(lambda record: record.levelno >= logging.WARNING)


class NeverSentError(Exception):
    """No byte of the request went out."""


class NoAnswerError(Exception):
    """The request went out, in part or whole, and no complete answer came back."""


class Answer:
    """A complete HTTP answer, in the shape that the SDK's client wraps."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self._status, self._headers, self._body = status, headers, body

    def getcode(self) -> int:
        return self._status

    def info(self) -> http.client.HTTPMessage:
        return self._headers

    def read(self) -> bytes:
        return self._body


class Body(bytes):
    """A serialised body that the SDK's client passes on as it is, and that its log statements don't print."""

    def encode(self, _encoding: str = "utf-8") -> Body:
        return self

    def __format__(self, _spec: str) -> str:
        return f"<{len(self)} bytes>"


class _Lines:
    """What `http.client` reads an answer's head from. It takes the end of a cut answer for the end of the head."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._stream.readline(limit)
        if not line.endswith(b"\n"):
            raise ConnectionError("the answer broke off" if line else "the connection was closed")
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Response(http.client.HTTPResponse):
    """An answer that was cut in its head is none."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = _Lines(self.fp)  # type: ignore[assignment]  # it is read only in the ways that `_Lines` has


class Connections:
    """Connections to one `host` (scheme, name, port), one per thread that calls. Redirects are not followed."""

    def __init__(self, host: str, timeout: float) -> None:
        parts = urlsplit(host)
        assert parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port or (443 if self._tls else 80)
        self._timeout = timeout
        self._proxy = _proxy_for(parts.scheme, self._host)
        self._local = threading.local()
        self._opened: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close them all. Call it when no thread is in a request."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """One request and its whole answer, whatever its status. Raises NeverSentError or NoAnswerError."""
        connection = self._connected()
        answered = False
        try:
            answer = self._exchange(connection, method, path, headers, body)
            answered = True
        finally:
            if not answered:
                connection.close()
        self._local.used = time.monotonic()
        return answer

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> Answer:
        handed_over = False
        try:
            connection.request(method, path, body, headers)
            handed_over = True
        except ConnectionError:
            # A server may refuse (413, 401) and hang up before it has read the body: its answer is then still there.
            pass
        except OSError as error:
            raise NoAnswerError(f"the request broke off on its way ({_said(error)})") from error
        try:
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            where = "no complete answer came" if handed_over else "the connection was closed in mid-request"
            raise NoAnswerError(f"{where} ({_said(error)})") from error
        return answer

    def _connected(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._new_connection()
        if connection.sock is not None and (
            time.monotonic() - self._local.used > _IDLE_SECONDS or _was_closed(connection.sock)
        ):
            connection.close()
        if connection.sock is None:
            try:
                connection.timeout = min(self._timeout, _CONNECT_SECONDS)
                connection.connect()
            except (OSError, http.client.HTTPException, UnicodeError) as error:
                connection.close()
                raise NeverSentError(f"{self._host} can't be reached ({_said(error)})") from error
            assert connection.sock is not None
            connection.sock.settimeout(self._timeout)
        return connection

    def _new_connection(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.hostname, self._proxy.port or 80) if self._proxy else (self._host, self._port)
        connection: http.client.HTTPConnection
        if self._tls:
            connection = http.client.HTTPSConnection(host or "", port, context=self._tls)
        else:
            connection = http.client.HTTPConnection(host or "", port)
        connection.response_class = _Response
        if self._proxy:
            connection.set_tunnel(self._host, self._port, _proxy_headers(self._proxy.username, self._proxy.password))
        with self._lock:
            self._opened.add(connection)
        return connection


class PooledClient(Client):  # type: ignore[misc]  # python_http_client has no types
    """The SDK's HTTP client over `Connections`. It returns every answer; telling good from bad is the caller's."""

    def __init__(self, *, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections

    def _build_client(self, name: str | None = None) -> PooledClient:
        return PooledClient(
            connections=self._connections,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
        )

    def _make_request(self, _opener: object, request: urllib.request.Request, timeout: float | None = None) -> Answer:
        del timeout  # set on the connection
        headers = dict(request.header_items())
        # The SDK's client serialises bodies of plain application/json itself, and so was given a longer name for it.
        headers["Content-type"] = "application/json"
        body = request.data
        assert body is None or isinstance(body, bytes)
        return self._connections.request(request.get_method(), request.selector, headers, body)


def _was_closed(sock: socket.socket) -> bool:
    """Whether an idle connection has something to read: nothing is due, so it is the other side's goodbye."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _proxy_for(scheme: str, host: str) -> Any:
    """The proxy that the environment names for an https host, split; none for http, which is loopback only."""
    if scheme != "https" or urllib.request.proxy_bypass(host):
        return None
    proxy = urllib.request.getproxies().get("https")
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def _proxy_headers(username: str | None, password: str | None) -> dict[str, str]:
    if not username:
        return {}
    credentials = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(credentials).decode()}"}


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
