"""SendGrid, through its SDK, over a transport of our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit

import orjson
from sendgrid import SendGridAPIClient

from newsletter.errors import ProviderError
from newsletter.esp import (
    Accepted,
    BatchId,
    BatchOutcome,
    Cancelled,
    CancelOutcome,
    Message,
    NotCancelled,
    NotSent,
    Outcome,
    Recipient,
    RecipientsRefused,
    Uncertain,
)
from newsletter.esp.answer import batch_outcome_of, cancel_outcome_of, is_cancelled, outcome_of
from newsletter.esp.payload import PayloadWriter
from newsletter.esp.transport import Body, Connections, NeverSentError, NoAnswerError, PooledClient

_Some = TypeVar("_Some", Outcome, BatchOutcome, CancelOutcome)

HOST = "https://api.sendgrid.com"


class SendGrid:
    """A `Provider`. Safe to use from several threads: each has a connection of its own. Close it, or use `with`."""

    def __init__(self, api_key: str | None, host: str = HOST, timeout: float = 30.0) -> None:
        """`timeout` is in seconds, for each wait on the network. Raises ProviderError for no key or an unsafe host."""
        self._key = _checked_key(api_key)
        host = _checked_host(host)
        self._connections = Connections(host, timeout)
        self._payloads = PayloadWriter()
        self._sdk = SendGridAPIClient(self._key, host)
        self._sdk.client = PooledClient(
            connections=self._connections,
            host=host,
            version=3,
            # Any name but plain `application/json` keeps the SDK's client from serialising the body again.
            request_headers={**self._sdk.client.request_headers, "Content-Type": "application/json; charset=utf-8"},
        )

    def send(self, message: Message, recipients: Sequence[Recipient]) -> Outcome:
        """Make one Mail Send call; see `Provider.send`."""
        body = Body(self._payloads.write(message, recipients))
        answer = self._answer(lambda: self._sdk.client.mail.send.post(request_body=body))
        if isinstance(answer, NotSent | Uncertain):
            return answer
        outcome = outcome_of(answer.status_code, answer.headers, answer.body, len(recipients), datetime.now(UTC))
        return self._without_key(outcome)

    def new_batch_id(self) -> BatchOutcome:
        """Have a batch made; see `Provider.new_batch_id`."""
        answer = self._answer(self._sdk.client.mail.batch.post)
        if isinstance(answer, NotSent | Uncertain):
            return answer
        return self._without_key(batch_outcome_of(answer.status_code, answer.headers, answer.body, datetime.now(UTC)))

    def cancel_scheduled(self, batch_id: str) -> CancelOutcome:
        """Cancel a batch; see `Provider.cancel_scheduled`. A refusal is looked into: it may be cancelled already."""
        body = Body(orjson.dumps({"batch_id": batch_id, "status": "cancel"}))
        answer = self._answer(lambda: self._sdk.client.user.scheduled_sends.post(request_body=body))
        if isinstance(answer, NotSent | Uncertain):
            return answer
        outcome = cancel_outcome_of(answer.status_code, answer.headers, answer.body, datetime.now(UTC))
        if isinstance(outcome, NotCancelled) and self._is_cancelled(batch_id):
            return Cancelled()
        return self._without_key(outcome)

    def _is_cancelled(self, batch_id: str) -> bool:
        """Whether the provider says that the batch is cancelled; False when it can't be had to say."""
        answer = self._answer(self._sdk.client.user.scheduled_sends._(quote(batch_id, safe="")).get)
        return not isinstance(answer, NotSent | Uncertain) and is_cancelled(answer.status_code, answer.body, batch_id)

    def _answer(self, call: Callable[[], Any]) -> Any:
        """The SDK's response to `call`, or the NotSent or Uncertain that stands for there being none."""
        try:
            return call()
        except NeverSentError as error:
            return NotSent(str(error))
        except NoAnswerError as error:
            return Uncertain(str(error))

    def close(self) -> None:
        """Close the connections. Call it when no thread is in `send`."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _without_key(self, outcome: _Some) -> _Some:
        """`outcome` with the key taken out of its reason, should the server have echoed it."""
        if isinstance(outcome, Accepted | RecipientsRefused | BatchId | Cancelled) or self._key not in outcome.reason:
            return outcome
        return replace(outcome, reason=outcome.reason.replace(self._key, "(the key)"))


def _checked_key(api_key: str | None) -> str:
    key = (api_key or "").strip()
    if not key:
        raise ProviderError(
            "there is no SendGrid API key", hint="set SENDGRID_API_KEY in the environment to a key that may send mail"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ProviderError("SENDGRID_API_KEY isn't a key", hint="it is one word of letters, digits, dots and dashes")
    return key


def _checked_host(host: str) -> str:
    host = host.rstrip("/")
    try:
        parts = urlsplit(host)
        name, _ = parts.hostname, parts.port
    except ValueError:
        name = None
    if not name or parts.username or parts.query or parts.fragment:
        raise ProviderError("the provider's host isn't an address", hint=f"e.g. {HOST}")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(name)):
        raise ProviderError(
            f"{parts.scheme or 'no scheme'}://{name} would send the key and all addresses in the clear",
            hint="only https, or http to this machine, can be used",
        )
    return host


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
