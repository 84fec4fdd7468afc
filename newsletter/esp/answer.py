"""What SendGrid's answers mean: a status, headers and a body to one Outcome.

For a Mail Send call the rows are those of the delivery promise. SendGrid validates a whole call before it queues any
of it, so a 4xx that it documents means that nothing was sent; everything that isn't understood counts as uncertain,
there and in the calls about batches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import orjson

from newsletter.esp import (
    Accepted,
    BatchId,
    BatchOutcome,
    Cancelled,
    CancelOutcome,
    NotAuthorised,
    NotCancelled,
    Outcome,
    RecipientsRefused,
    RequestRefused,
    Throttled,
    Uncertain,
)

_NAMED_PERSONALIZATION = re.compile(r"personalizations[.\[](\d+)\b")
_REASON_LENGTH = 500


class Headers(Protocol):
    """Headers by name, whatever its case."""

    def get(self, name: str, /) -> str | None: ...


def outcome_of(status: int, headers: Headers, body: bytes, recipients: int, now: datetime) -> Outcome:
    """The Outcome of an answer to a call for `recipients` people; `now` is what a delay in seconds counts from."""
    match status:
        case 202:
            return Accepted(headers.get("X-Message-Id"))
        case 400:
            return _refused(_errors(body), recipients) or RequestRefused(_reason(status, body))
        case 413 | 415:
            return RequestRefused(_reason(status, body))
        case _:
            return _otherwise(status, headers, body, now)


def batch_outcome_of(status: int, headers: Headers, body: bytes, now: datetime) -> BatchOutcome:
    """The meaning of an answer to the call that makes a batch."""
    batch_id = _parsed(body, "batch_id")
    if status == 201 and isinstance(batch_id, str) and batch_id:
        return BatchId(batch_id)
    if status in (400, 404, 405):
        return RequestRefused(_reason(status, body))
    return _otherwise(status, headers, body, now)


def cancel_outcome_of(status: int, headers: Headers, body: bytes, now: datetime) -> CancelOutcome:
    """The meaning of an answer to the call that cancels a batch."""
    if status == 201:
        return Cancelled()
    if status in (400, 404, 405):
        return NotCancelled(_reason(status, body))
    return _otherwise(status, headers, body, now)


def is_cancelled(status: int, body: bytes, batch_id: str) -> bool:
    """Whether an answer to the call that asks for a batch's status says that it is cancelled."""
    try:
        listed = orjson.loads(body) if status == 200 else []
    except orjson.JSONDecodeError:
        return False
    return isinstance(listed, list) and {"batch_id": batch_id, "status": "cancel"} in listed


def _otherwise(status: int, headers: Headers, body: bytes, now: datetime) -> NotAuthorised | Throttled | Uncertain:
    """What statuses mean that mean the same for every call."""
    match status:
        case 401 | 403:
            return NotAuthorised(_reason(status, body))
        case 429:
            return Throttled(_reason(status, body), _retry_at(headers, now))
        case _:
            return Uncertain(_reason(status, body))


def _refused(errors: list[Mapping[str, Any]], recipients: int) -> RecipientsRefused | None:
    """Who was refused, when every error names a recipient of the call: else leaving them out would not help."""
    reasons: dict[int, str] = {}
    for error in errors:
        named = _NAMED_PERSONALIZATION.match(str(error.get("field") or ""))
        if named is None or int(named[1]) >= recipients:
            return None
        reasons.setdefault(int(named[1]), str(error.get("message") or "refused")[:_REASON_LENGTH])
    return RecipientsRefused(reasons) if reasons else None


def _errors(body: bytes) -> list[Mapping[str, Any]]:
    """The `errors` of a JSON body in the provider's shape; none when it isn't one (a proxy's HTML page)."""
    errors = _parsed(body, "errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _parsed(body: bytes, key: str) -> Any:
    """What a JSON body has under `key`; None when it has nothing there, or isn't an object."""
    try:
        return orjson.loads(body)[key]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _reason(status: int, body: bytes) -> str:
    said = []
    for error in _errors(body):
        field, message = error.get("field"), error.get("message")
        said.append(f"{field}: {message}" if field else str(message))
    return f"{status}: {'; '.join(said)}"[:_REASON_LENGTH] if said else f"the provider answered {status}"


def _retry_at(headers: Headers, now: datetime) -> datetime | None:
    """When a 429 may be tried again: `X-RateLimit-Reset` (Unix seconds), else `Retry-After` (RFC 9110 §10.2.3)."""
    reset, after = headers.get("X-RateLimit-Reset"), headers.get("Retry-After")
    try:
        if reset:
            return datetime.fromtimestamp(float(reset), UTC)
        if after and after.strip().isdigit():
            return now + timedelta(seconds=int(after))
        if after:
            date = parsedate_to_datetime(after)
            return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
