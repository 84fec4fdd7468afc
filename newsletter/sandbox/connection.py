"""HTTP/1.1 on a socket: read a request, ask the application, write its response. Faults on it are in `misbehave`."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

MAX_BODY = 30 * 1024 * 1024
"""Bytes: the provider takes emails of less than 30 MB."""
_MAX_DRAINED = 4 * MAX_BODY
_IDLE_SECONDS = 75.0
_LINGER = struct.Struct("ii")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `query` has the last value of each parameter, header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered; `Connection` adds the Content-Length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Application = Callable[[Request], Response]


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(status, orjson.dumps(value), {"Content-Type": "application/json", **(headers or {})})


def failure(
    status: int, message: str, headers: Mapping[str, str] | None = None, *, field: str | None = None
) -> Response:
    """One error in the provider's form; `field` is its culprit, when it concerns one."""
    return json_response(status, {"errors": [{"message": message, "field": field, "help": None}]}, headers)


class Connection(BaseHTTPRequestHandler):
    """One client's connection, in a thread of its own, for as many requests as it makes."""

    protocol_version = "HTTP/1.1"
    server_version = "newsletter-sandbox"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def exchange(self) -> None:
        """Serve one request."""
        received = self._receive()
        if received is None:
            self.close_connection = True
            return
        response = received if isinstance(received, Response) else self._respond(received)
        self.transmit(response)

    # The names that http.server looks up for each method.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = exchange  # noqa: N815  http.server's names

    def transmit(self, response: Response) -> None:
        """Write the response."""
        self._send_head(response, len(response.body))
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        """Nothing: paths and queries hold addresses."""

    def _receive(self) -> Request | Response | None:
        """The request, the refusal of one whose body can't be read, or None when the client went away in the middle."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return failure(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is required")
        declared = self.headers.get("Content-Length", "0")
        if not (declared.isascii() and declared.isdigit()):
            self.close_connection = True
            return failure(HTTPStatus.BAD_REQUEST, "the Content-Length isn't a number")
        length = int(declared)
        if length >= MAX_BODY:
            self._drain(length)
            return failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "content too large")
        body = self.rfile.read(length)
        if len(body) < length:
            return None
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(url.path),
            query={name: values[-1] for name, values in parse_qs(url.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _send_head(self, response: Response, length: int) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _drain(self, length: int) -> None:
        """Read a body that is too large, so that the client gets to read why; one beyond all measure is cut off."""
        self.close_connection = True
        left = min(length, _MAX_DRAINED)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 20))):
            left -= len(chunk)

    def _respond(self, request: Request) -> Response:
        try:
            return self.server.application(request)
        except Exception:
            log.exception("the sandbox failed to answer %s", request.method)
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1. `close` also ends the connections that clients keep open.

    Raises OSError when `port` can't be had; 0 takes a free one.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, application: Application, connection: type[Connection] = Connection) -> None:
        self.application = application
        self.ending = threading.Event()
        """Set when the server closes: nobody should wait any longer."""
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), connection)

    def server_bind(self) -> None:
        # HTTPServer's own would look up the host's name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name = "127.0.0.1"
        self.server_port = self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._changed:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """End a connection: with a farewell, unless it lingers for zero seconds and so is to be reset."""
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size) == _LINGER.pack(1, 0):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def close_request(self, request: Any) -> None:
        super().close_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, *_: Any) -> None:
        """Clients go away in the middle of requests: that is nothing to print a traceback for."""
        log.debug("a connection ended", exc_info=True)

    def close(self, patience: float = 5.0) -> None:
        """End all connections, wait up to `patience` seconds for the requests under way, and free the port."""
        self.ending.set()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was quicker
            self._changed.wait_for(lambda: not self._open, patience)
        self.server_close()
