"""A SendGrid that only counts: answers every call with 202 after a fixed time. `python sink.py LATENCY_MS` prints its port.

It reads bodies without looking at them, in one thread and one process of its own, so that it is not what is measured.
"""

from __future__ import annotations

import asyncio
import re
import sys

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink\r\nContent-Length: 0\r\n\r\n"


class Call(asyncio.BufferedProtocol):
    """One connection: heads are looked at, bodies are skipped."""

    latency = 0.0

    def __init__(self) -> None:
        self._buffer = bytearray(1 << 20)
        self._head = b""
        self._left = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._left:
            self._left -= nbytes
        else:
            self._head += self._buffer[:nbytes]
            if b"\r\n\r\n" not in self._head:
                return
            head, _, rest = self._head.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            self._left = (int(found[1]) if found else 0) - len(rest)
            self._head = b""
        if self._left == 0 and self._transport is not None:
            asyncio.get_running_loop().call_later(self.latency, self._transport.write, _ANSWER)


async def main() -> None:
    Call.latency = float(sys.argv[1]) / 1000
    server = await asyncio.get_running_loop().create_server(Call, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
