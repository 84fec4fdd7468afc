"""The provider's v3 endpoints: who may call, what is refused, what is answered."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message as Headers
from http import HTTPStatus

import orjson

from newsletter.sandbox.connection import Request, Response, failure, json_response
from newsletter.sandbox.contract import violations
from newsletter.sandbox.mailbox import Mailbox
from newsletter.sandbox.message import Call

_AUTHORIZATION = re.compile(r"Bearer SG\.[!-~]+", re.IGNORECASE)

Endpoint = Callable[[Request], Response]


class Api:
    """Answers paths below `/v3/`. `url` is where the sandbox is served."""

    def __init__(self, mailbox: Mailbox, url: str) -> None:
        self._mailbox = mailbox
        self._url = url
        self._lock = threading.Lock()
        self._requests = 0
        self._batch_ids: set[str] = set()
        self._endpoints: dict[str, dict[str, Endpoint]] = {
            "/v3/mail/send": {"POST": self._send},
            "/v3/mail/batch": {"POST": self._new_batch},
            "/v3/scopes": {"GET": self._scopes},
        }

    @property
    def requests(self) -> int:
        """POSTs to /v3/mail/send so far, refused ones included."""
        with self._lock:
            return self._requests

    def answer(self, request: Request) -> Response:
        if request.path == "/v3/mail/send" and request.method == "POST":
            with self._lock:
                self._requests += 1
        methods = self._endpoints.get(request.path)
        if methods is None and request.path.startswith("/v3/mail/batch/"):
            methods = {"GET": self._known_batch}
        if methods is None:
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
        with self._lock:
            batch_ids = frozenset(self._batch_ids)
        if found := violations(body, now_at=now_at, batch_ids=batch_ids):
            return json_response(HTTPStatus.BAD_REQUEST, {"errors": [violation.as_json() for violation in found]})
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Response(HTTPStatus.OK)
        call = Call(body=body, request_id=secrets.token_urlsafe(16), received_at=now_at, url=self._url)
        self._mailbox.deliver(call)
        return Response(HTTPStatus.ACCEPTED, headers={"X-Message-Id": call.request_id})

    def _new_batch(self, _: Request) -> Response:
        batch_id = secrets.token_urlsafe(32)
        with self._lock:
            self._batch_ids.add(batch_id)
        return json_response(HTTPStatus.CREATED, {"batch_id": batch_id})

    def _known_batch(self, request: Request) -> Response:
        batch_id = request.path.removeprefix("/v3/mail/batch/")
        with self._lock:
            known = batch_id in self._batch_ids
        if not known:
            return failure(HTTPStatus.BAD_REQUEST, "invalid batch id")
        return json_response(HTTPStatus.OK, {"batch_id": batch_id})

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
