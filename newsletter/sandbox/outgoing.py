"""From acceptance to delivery: a call is logged, waits if it has to, and its mails then reach the mailbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from newsletter.sandbox.ledger import AcceptanceLog
from newsletter.sandbox.mailbox import Mailbox
from newsletter.sandbox.message import Call
from newsletter.sandbox.schedule import Schedule

_TICK_SECONDS = 0.05

Report = Callable[[Call, Iterable[int], datetime], None]
"""Told of the mails of a call, by their indices, when they have gone out."""

log = logging.getLogger(__name__)


class Outgoing:
    """Takes accepted calls; a thread of its own lets the scheduled ones go when their time comes.

    What is held is lost when the sandbox ends. Raises OSError when the log can't be opened.
    """

    def __init__(self, mailbox: Mailbox, schedule: Schedule, report: Report, log_file: Path | None = None) -> None:
        self._mailbox, self._schedule, self._report = mailbox, schedule, report
        self._log = None if log_file is None else AcceptanceLog(log_file)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-schedule", daemon=True)

    def accept(self, call: Call) -> None:
        """Take a call. When this returns, it is in the log. Raises OSError when log or folder can't be written."""
        if self._log is not None:
            self._log.write(call)
        if _may_wait(call):
            self._schedule.hold(call, call.received_at)
            self._release()
        else:
            self._deliver(call, range(len(call.body["personalizations"])))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._log is not None:
            self._log.close()

    def _run(self) -> None:
        while not self._ending.wait(_TICK_SECONDS):
            try:
                self._release()
            except OSError:
                log.exception("a scheduled mail couldn't be kept")

    def _release(self) -> None:
        for held in self._schedule.due(datetime.now(UTC)):
            self._deliver(held.call, held.indices)

    def _deliver(self, call: Call, indices: Iterable[int]) -> None:
        self._mailbox.deliver(call, indices)
        self._report(call, indices, datetime.now(UTC))


def _may_wait(call: Call) -> bool:
    body = call.body
    return "batch_id" in body or "send_at" in body or any("send_at" in each for each in body["personalizations"])
