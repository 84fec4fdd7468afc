"""Faults on the wire: what a struck call's connection does instead of answering."""

from __future__ import annotations

import socket
import struct
import threading
import time
from http import HTTPStatus

from newsletter.sandbox.connection import Application, Connection, Request, Response, Server, failure
from newsletter.sandbox.faults import Ending, Fault, Faults

_RATE_LIMIT = 600
_MISSING = 64
"""Bytes that a truncated answer promises and doesn't send."""

_NGINX_PAGE = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx</center>\r
</body>\r
</html>\r
"""


class FaultyConnection(Connection):
    """A connection whose Mail Send calls may be struck by a fault."""

    server: FaultyServer

    def exchange(self) -> None:
        if self.command != "POST" or self.path != "/v3/mail/send":
            super().exchange()
            return
        number = self.server.next_number()
        fault = self.server.faults.fault_of(number)
        if fault is not None and fault.ending is Ending.RESET_MID_UPLOAD:
            self.rfile.read(self._declared_length() // 2)
            self._reset()
            return
        received = self._receive()
        if received is None:
            self.close_connection = True
            return
        response = self._acted_on(received, fault)
        self.server.ending.wait(self.server.faults.latency_of(number))
        self._end(response, Ending.ANSWER if fault is None else fault.ending)

    do_POST = exchange  # noqa: N815  http.server's name

    def _acted_on(self, received: Request | Response, fault: Fault | None) -> Response:
        """The answer; the application is asked unless the fault keeps the call from it."""
        if fault is None or fault.accepts:
            response = received if isinstance(received, Response) else self._respond(received)
            return response if fault is None or fault.status is None else struck_response(fault)
        return struck_response(fault)

    def _end(self, response: Response, ending: Ending) -> None:
        match ending:
            case Ending.ANSWER:
                self.transmit(response)
            case Ending.TRUNCATED:
                self._send_head(response, len(response.body) + _MISSING)
                self.wfile.write(response.body[: len(response.body) // 2])
                self.close_connection = True
            case Ending.CUT:
                status = HTTPStatus(response.status)
                self.wfile.write(f"HTTP/1.1 {status.value} {status.phrase}"[:-4].encode())
                self.close_connection = True
            case Ending.SILENCE:
                self._hold()
            case Ending.RESET | Ending.RESET_MID_UPLOAD:
                self._reset()

    def _reset(self) -> None:
        # Closing a socket that lingers for zero seconds resets the connection: see `Server.shutdown_request`.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _hold(self) -> None:
        """Wait until the client, or the server as a whole, has had enough."""
        self.close_connection = True
        self.connection.settimeout(None)
        while self.connection.recv(1 << 16):
            continue

    def _declared_length(self) -> int:
        declared = self.headers.get("Content-Length", "0")
        return int(declared) if declared.isascii() and declared.isdigit() else 0


class FaultyServer(Server):
    """A `Server` that numbers the Mail Send calls as they come in. Raises what `Server` raises."""

    def __init__(self, port: int, application: Application, faults: Faults) -> None:
        self.faults = faults
        self._number = 0
        self._counting = threading.Lock()
        super().__init__(port, application, FaultyConnection)

    @property
    def calls(self) -> int:
        """POSTs to /v3/mail/send that began so far, whatever became of them."""
        with self._counting:
            return self._number

    def next_number(self) -> int:
        with self._counting:
            self._number += 1
            return self._number


def struck_response(fault: Fault) -> Response:
    """The answer with which `fault` replaces the true one; empty for one that answers nothing."""
    match fault.status:
        case 429:
            return failure(HTTPStatus.TOO_MANY_REQUESTS, "too many requests", _limits() if fault.says_when else None)
        case 500:
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")
        case 502:
            return Response(HTTPStatus.BAD_GATEWAY, _NGINX_PAGE, {"Content-Type": "text/html"})
        case 503:
            return failure(HTTPStatus.SERVICE_UNAVAILABLE, "service unavailable")
        case _:
            return Response(HTTPStatus.NO_CONTENT)


def _limits() -> dict[str, str]:
    """A 429's headers: the limit is lifted at the next full second."""
    return {
        "X-RateLimit-Limit": str(_RATE_LIMIT),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + 1),
    }
