"""The provider's endpoints about batches: `/v3/mail/batch` and `/v3/user/scheduled_sends`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson

from newsletter.sandbox.connection import Request, Response, failure, json_response
from newsletter.sandbox.schedule import Schedule, StatusError

_BATCH = "/v3/mail/batch"
_SENDS = "/v3/user/scheduled_sends"

Endpoint = Callable[[Request], Response]


class ScheduledSends:
    """Answers what concerns batches, from a Schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def endpoints(self, path: str) -> Mapping[str, Endpoint]:
        """What answers at `path`, by method; nothing for a path of somebody else."""
        if path == _BATCH:
            return {"POST": self._new_batch}
        if path == _SENDS:
            return {"GET": self._list, "POST": self._set}
        if path.startswith(f"{_BATCH}/"):
            return {"GET": self._known_batch}
        if path.startswith(f"{_SENDS}/"):
            return {"GET": self._get, "PATCH": self._update, "DELETE": self._delete}
        return {}

    def _new_batch(self, _: Request) -> Response:
        return json_response(HTTPStatus.CREATED, {"batch_id": self._schedule.new_batch()})

    def _known_batch(self, request: Request) -> Response:
        batch_id = _last_segment(request)
        if batch_id not in self._schedule.batch_ids:
            return failure(HTTPStatus.BAD_REQUEST, "invalid batch id")
        return json_response(HTTPStatus.OK, {"batch_id": batch_id})

    def _list(self, _: Request) -> Response:
        return json_response(HTTPStatus.OK, _as_json(self._schedule.statuses()))

    def _get(self, request: Request) -> Response:
        batch_id = _last_segment(request)
        if batch_id not in self._schedule.batch_ids:
            return failure(HTTPStatus.NOT_FOUND, "There is no such batch.", field="batch_id")
        statuses = self._schedule.statuses()
        # The provider answers with an array here, too.
        return json_response(HTTPStatus.OK, _as_json({batch_id: statuses[batch_id]} if batch_id in statuses else {}))

    def _set(self, request: Request) -> Response:
        body = _body(request)
        batch_id, status = body.get("batch_id"), body.get("status")
        if not isinstance(batch_id, str):
            return failure(HTTPStatus.BAD_REQUEST, "The batch_id parameter is required.", field="batch_id")
        if status not in ("pause", "cancel"):
            return _wrong_status()
        try:
            self._schedule.set_status(batch_id, status, datetime.now(UTC))
        except StatusError as error:
            return _refusal(error)
        return json_response(HTTPStatus.CREATED, {"batch_id": batch_id, "status": status})

    def _update(self, request: Request) -> Response:
        status = _body(request).get("status")
        if status not in ("pause", "cancel"):
            return _wrong_status()
        try:
            self._schedule.update_status(_last_segment(request), status, datetime.now(UTC))
        except StatusError as error:
            return _refusal(error)
        return Response(HTTPStatus.NO_CONTENT)

    def _delete(self, request: Request) -> Response:
        try:
            self._schedule.delete_status(_last_segment(request))
        except StatusError as error:
            return _refusal(error)
        return Response(HTTPStatus.NO_CONTENT)


def _body(request: Request) -> dict[str, Any]:
    """The request's JSON object; an empty one when it has none."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _last_segment(request: Request) -> str:
    return request.path.rpartition("/")[2]


def _as_json(statuses: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"batch_id": batch_id, "status": status} for batch_id, status in statuses.items()]


def _wrong_status() -> Response:
    return failure(HTTPStatus.BAD_REQUEST, "The status has to be one of: pause, cancel.", field="status")


def _refusal(error: StatusError) -> Response:
    status = HTTPStatus.NOT_FOUND if error.is_missing else HTTPStatus.BAD_REQUEST
    return failure(status, str(error), field=error.field)
