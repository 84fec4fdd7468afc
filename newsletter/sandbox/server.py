"""The sandbox as a whole: the provider's API, the mailbox's pages and what wakes by itself, behind one port."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from newsletter.sandbox.api import Api
from newsletter.sandbox.connection import Request, Response
from newsletter.sandbox.events import EventBook
from newsletter.sandbox.faults import Faults
from newsletter.sandbox.figures import Figures
from newsletter.sandbox.mailbox import Keep, Mailbox
from newsletter.sandbox.message import Call
from newsletter.sandbox.misbehave import FaultyServer
from newsletter.sandbox.outgoing import Outgoing
from newsletter.sandbox.received import Received
from newsletter.sandbox.schedule import Schedule
from newsletter.sandbox.web import Web

if TYPE_CHECKING:
    from newsletter.sandbox.webhook import Webhook


class PortInUseError(OSError):
    """Something else listens on the port that was asked for."""


class Sandbox:
    """A SendGrid on 127.0.0.1, served by threads from entering the `with` block to leaving it.

    `port` 0 takes a free one. With `folder` messages are kept there and those of earlier runs are there again (see
    `mailbox`); without, they are gone with the object. `keep="index"` leaves out their content, `keep="counts"` keeps
    numbers alone. `faults` is how it misbehaves. `log` gets a line for each accepted call, before it is answered (see
    `AcceptanceLog`). Signed events are posted to `events_url`, which has to be on this machine (see `Webhook`).

    Raises PortInUseError when the port is taken, OSError when the folder or the log can't be used, ValueError for an
    `events_url` elsewhere.
    """

    def __init__(
        self,
        port: int = 0,
        folder: str | os.PathLike[str] | None = None,
        *,
        keep: Keep = "all",
        faults: Faults | None = None,
        log: str | os.PathLike[str] | None = None,
        events_url: str | None = None,
    ) -> None:
        faults = faults or Faults()
        self._webhook = None if events_url is None else _webhook(events_url, faults)
        self._mailbox = Mailbox(None if folder is None else Path(folder), keep=keep)
        self._schedule = Schedule(faults.late_cancel)
        self._events = EventBook(faults)
        self._outgoing = Outgoing(self._mailbox, self._schedule, self._report, None if log is None else Path(log))
        try:
            self._server = FaultyServer(port, self._answer, faults)
        except OSError as error:
            self._outgoing.close()
            if error.errno != errno.EADDRINUSE:
                raise
            message = (
                f"port {port} on 127.0.0.1 is taken, perhaps by another sandbox; choose another, or 0 for a free one"
            )
            raise PortInUseError(errno.EADDRINUSE, message) from error
        self._api = Api(self._outgoing, self._schedule, faults, self.url, self.public_key)
        figures = Figures(self._server, self._mailbox, self._schedule, self._events, self._webhook)
        self._web = Web(self._mailbox, figures, self.clear)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a trailing slash: the `host` for the SDK."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def public_key(self) -> str | None:
        """What verifies the events that are posted; None when none are."""
        return None if self._webhook is None else self._webhook.public_key

    @property
    def requests(self) -> int:
        """POSTs to /v3/mail/send that began since the start, refused and broken ones included."""
        return self._server.calls

    @property
    def accepted(self) -> dict[str, int]:
        """How many messages each address got, by address in lower case, those found in the folder included.

        A scheduled message counts when it has gone out, one that was cancelled never.
        """
        return self._mailbox.ledger.addresses()

    def ids(self, key: str) -> dict[str, int]:
        """How many messages carried each value of the custom_args' `key`."""
        return self._mailbox.ledger.ids(key)

    @property
    def scheduled(self) -> int:
        """Messages that are held for later."""
        return sum(len(held.indices) for held in self._schedule.waiting)

    def messages(self) -> list[Received]:
        """What went out, in order of arrival; nothing when only counts are kept."""
        return self._mailbox.messages()

    def events(self) -> list[dict[str, Any]]:
        """What the provider would report about the latest mails (see `KEPT_MAILS`), oldest first."""
        return [event for mail in self._events.mails() for event in mail.events()]

    def clear(self) -> None:
        """Forget and delete all messages, those that are held, and their events."""
        self._schedule.clear()
        self._mailbox.clear()
        self._events.clear()

    def __enter__(self) -> Self:
        self._outgoing.start()
        if self._webhook is not None:
            self._webhook.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close()
        self._outgoing.close()
        if self._webhook is not None:
            self._webhook.close()

    def _answer(self, request: Request) -> Response:
        return self._api.answer(request) if request.path.startswith("/v3/") else self._web.answer(request)

    def _report(self, call: Call, indices: Iterable[int], now_at: datetime) -> None:
        if self._mailbox.keep == "counts" and self._webhook is None:
            return
        mails = self._events.enter(call, indices, now_at)
        if self._webhook is not None:
            self._webhook.post(mails)


def serve(sandbox: Sandbox, ready: Callable[[Sandbox], None] | None = None) -> None:
    """Serve until KeyboardInterrupt, which is passed on; `ready` is called when it answers."""
    with sandbox:
        if ready is not None:
            ready(sandbox)
        threading.Event().wait()


def _webhook(url: str, faults: Faults) -> Webhook:
    # Here, because cryptography takes long to import and only this needs it.
    from newsletter.sandbox.webhook import Webhook

    return Webhook(url, chaos=faults.events_chaos, seed=faults.seed)
