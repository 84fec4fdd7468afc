"""The sandbox as a whole: the provider's API and the mailbox's pages behind one port."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.sandbox.api import Api
from newsletter.sandbox.connection import Request, Response, Server
from newsletter.sandbox.mailbox import Keep, Mailbox
from newsletter.sandbox.received import Received
from newsletter.sandbox.web import Web


class PortInUseError(OSError):
    """Something else listens on the port that was asked for."""


class Sandbox:
    """A SendGrid on 127.0.0.1, served by threads from entering the `with` block to leaving it.

    `port` 0 takes a free one. With `folder` messages are kept there and those of earlier runs are there again (see
    `mailbox`); without, they are gone with the object. `keep="index"` leaves out their content.

    Raises PortInUseError when the port is taken, OSError when the folder can't be used.
    """

    def __init__(self, port: int = 0, folder: str | os.PathLike[str] | None = None, *, keep: Keep = "all") -> None:
        self._mailbox = Mailbox(None if folder is None else Path(folder), keep=keep)
        try:
            self._server = Server(port, self._answer)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            message = (
                f"port {port} on 127.0.0.1 is taken, perhaps by another sandbox; choose another, or 0 for a free one"
            )
            raise PortInUseError(errno.EADDRINUSE, message) from error
        self._api = Api(self._mailbox, self.url)
        self._web = Web(self._mailbox, self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a trailing slash: the `host` for the SDK."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> int:
        """POSTs to /v3/mail/send since the start, refused ones included."""
        return self._api.requests

    @property
    def accepted(self) -> dict[str, int]:
        """How many messages each address got, by address in lower case, those found in the folder included."""
        return self._mailbox.accepted()

    def messages(self) -> list[Received]:
        """What was accepted, in order of arrival."""
        return self._mailbox.messages()

    def clear(self) -> None:
        """Forget and delete all messages."""
        self._mailbox.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close()

    def _answer(self, request: Request) -> Response:
        return self._api.answer(request) if request.path.startswith("/v3/") else self._web.answer(request)


def serve(
    port: int, folder: str | os.PathLike[str] | None, *, keep: Keep = "all", ready: Callable[[str], None] | None = None
) -> None:
    """Serve until KeyboardInterrupt, which is passed on; `ready` is told the URL. Raises what `Sandbox` raises."""
    with Sandbox(port, folder, keep=keep) as sandbox:
        if ready is not None:
            ready(sandbox.url)
        threading.Event().wait()
