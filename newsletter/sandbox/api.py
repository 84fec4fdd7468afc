"""The provider's v3 endpoints: who may call, what is refused, what is answered."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import Message as Headers
from http import HTTPStatus
from typing import Any

import orjson

from newsletter.sandbox.connection import Request, Response, failure, json_response
from newsletter.sandbox.contract import violations
from newsletter.sandbox.faults import Faults, refused_addresses
from newsletter.sandbox.message import Call
from newsletter.sandbox.outgoing import Outgoing
from newsletter.sandbox.schedule import Schedule
from newsletter.sandbox.scheduled_sends import ScheduledSends
from newsletter.sandbox.schema import Violation

_AUTHORIZATION = re.compile(r"Bearer SG\.[!-~]+", re.IGNORECASE)

_SIGNED = "/v3/user/webhooks/event/settings/signed"

Endpoint = Callable[[Request], Response]


class Api:
    """Answers paths below `/v3/`. `url` is where the sandbox is served, `public_key` the one that verifies events."""

    def __init__(
        self, outgoing: Outgoing, schedule: Schedule, faults: Faults, url: str, public_key: str | None = None
    ) -> None:
        self._outgoing = outgoing
        self._schedule = schedule
        self._faults = faults
        self._url = url
        self._public_key = public_key
        self._lock = threading.Lock()
        self._credits_used = 0
        self._batches = ScheduledSends(schedule)
        self._endpoints: dict[str, dict[str, Endpoint]] = {
            "/v3/mail/send": {"POST": self._send},
            "/v3/scopes": {"GET": self._scopes},
        }

    def answer(self, request: Request) -> Response:
        methods = self._endpoints.get(request.path) or self._batches.endpoints(request.path)
        if not methods and (request.path == _SIGNED or request.path.startswith(f"{_SIGNED}/")):
            methods = {"GET": self._signing_key}
        if not methods:
            return failure(HTTPStatus.NOT_FOUND, "not found")
        if request.method not in methods:
            return failure(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed", {"Allow": ", ".join(methods)})
        authorization = request.headers.get("authorization")
        if authorization is None:
            return failure(HTTPStatus.UNAUTHORIZED, "authorization required")
        if not _AUTHORIZATION.fullmatch(authorization):
            return failure(
                HTTPStatus.UNAUTHORIZED,
                "The provided authorization grant is invalid, expired, or revoked"
                " (here: any API key that begins with SG. will do)",
            )
        return methods[request.method](request)

    def _send(self, request: Request) -> Response:
        if refusal := _unsupported(request):
            return refusal
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return failure(HTTPStatus.BAD_REQUEST, "Bad Request: the body isn't JSON")
        now_at = datetime.now(UTC)
        errors = [violation.as_json() for violation in self._violations(body, now_at)]
        if errors:
            return json_response(HTTPStatus.BAD_REQUEST, {"errors": errors})
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Response(HTTPStatus.OK)
        if not self._has_credits(body):
            return failure(HTTPStatus.UNAUTHORIZED, "Maximum credits exceeded")
        call = Call(body=body, request_id=secrets.token_urlsafe(16), received_at=now_at, url=self._url)
        self._outgoing.accept(call)
        return Response(HTTPStatus.ACCEPTED, headers={"X-Message-Id": call.request_id})

    def _violations(self, body: object, now_at: datetime) -> Iterator[Violation]:
        yield from violations(body, now_at=now_at, batch_ids=self._schedule.batch_ids)
        for index, email in refused_addresses(body, self._faults.refuse):
            yield Violation(f"{email} isn't taken here.", f"personalizations.{index}.to")

    def _has_credits(self, body: dict[str, Any]) -> bool:
        """Whether all recipients of the call are paid for; if so, their credits are used."""
        if self._faults.credits is None:
            return True
        needed = sum(len(each.get(kind, ())) for each in body["personalizations"] for kind in ("to", "cc", "bcc"))
        with self._lock:
            if self._credits_used + needed > self._faults.credits:
                return False
            self._credits_used += needed
        return True

    def _signing_key(self, request: Request) -> Response:
        if self._public_key is None:
            return failure(HTTPStatus.NOT_FOUND, "Invalid id provided.")
        webhook_id = request.path.removeprefix(_SIGNED).strip("/")
        return json_response(HTTPStatus.OK, {"id": webhook_id, "public_key": self._public_key})

    def _scopes(self, _: Request) -> Response:
        return json_response(HTTPStatus.OK, {"scopes": ["mail.send"]})


def _unsupported(request: Request) -> Response | None:
    """415 for a body that is not plain JSON in UTF-8."""
    content_type = Headers()
    content_type["Content-Type"] = request.headers.get("content-type", "")
    charset = content_type.get_content_charset("utf-8")
    if content_type.get_content_type() != "application/json" or charset not in ("utf-8", "us-ascii"):
        return failure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type should be application/json.")
    if "content-encoding" in request.headers:
        return failure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This account may not send compressed bodies.")
    try:
        request.body.decode("utf-8")
    except UnicodeDecodeError:
        return failure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body isn't UTF-8.")
    return None
