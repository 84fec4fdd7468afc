"""Dispatches and the renderings they own: made when planned, read again to resume, moved from state to state."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, insert, select, update

from newsletter.delivery import UNFINISHED, DispatchState
from newsletter.issue import InlineImage, Place, RenderedIssue, Slot
from newsletter.store.ids import part_ids
from newsletter.store.tables import attempts, batches, deliveries, dispatches, events, rendered_issues


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One sending of an issue. `audience` says how it was chosen, `envelope` what its messages carry besides content.

    `send_at` is when the provider was told to send (at once when None), `undo_until` until when that can be called
    off for sure.
    """

    id: int
    issue_slug: str
    list_name: str
    rehearsal: bool
    audience: Mapping[str, Any]
    envelope: Mapping[str, Any]
    send_at: datetime | None
    undo_until: datetime | None
    state: DispatchState
    stop_reason: str | None
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def add_dispatch(connection: Connection, dispatch: Dispatch) -> None:
    """Store a new dispatch."""
    values = {name: getattr(dispatch, name) for name in Dispatch.__slots__}
    connection.execute(insert(dispatches).values(values | {"state": dispatch.state.value}))


def add_rendering(connection: Connection, dispatch_id: int, rendered: RenderedIssue) -> None:
    """Store a variant as it will be sent."""
    images = [
        [image.content_id, image.filename, image.media_type, b64encode(image.data).decode()]
        for image in rendered.images
    ]
    connection.execute(
        insert(rendered_issues).values(
            dispatch_id=dispatch_id,
            variant=rendered.variant,
            digest=rendered.digest,
            subject=rendered.subject,
            preheader=rendered.preheader,
            html=rendered.html,
            text=rendered.text,
            conditions=list(rendered.conditions),
            slots=[[slot.token, slot.expression, slot.place.value] for slot in rendered.slots],
            images=orjson.dumps(images),
        )
    )


def renderings(connection: Connection, dispatch: Dispatch) -> dict[str, RenderedIssue]:
    """The frozen variants of a dispatch, by their names, byte for byte as planned."""
    query = select(rendered_issues).where(rendered_issues.c.dispatch_id == dispatch.id)
    return {row.variant: _rendered(row, dispatch.issue_slug) for row in connection.execute(query)}


def digests(connection: Connection, dispatch_id: int) -> dict[str, str]:
    """The hash of each variant of a dispatch."""
    query = select(rendered_issues.c.variant, rendered_issues.c.digest)
    return dict(connection.execute(query.filter_by(dispatch_id=dispatch_id)).all())


def dispatch_by_id(connection: Connection, dispatch_id: int) -> Dispatch | None:
    row = connection.execute(select(dispatches).where(dispatches.c.id == dispatch_id)).one_or_none()
    return _dispatch(row) if row else None


def dispatches_of(connection: Connection, issue_slug: str | None = None, *, rehearsal: bool = False) -> list[Dispatch]:
    """The dispatches of an issue, or of all issues, oldest first; rehearsals only when they are asked for."""
    query = select(dispatches).where(dispatches.c.rehearsal == rehearsal)
    if issue_slug is not None:
        query = query.where(dispatches.c.issue_slug == issue_slug)
    return [_dispatch(row) for row in connection.execute(query.order_by(dispatches.c.planned_at, dispatches.c.id))]


def unfinished_dispatch(connection: Connection, issue_slug: str, list_name: str) -> Dispatch | None:
    """The dispatch of an issue to a list that was started and can go on, if there is one."""
    found = [
        each
        for each in dispatches_of(connection, issue_slug)
        if each.list_name == list_name and each.state in UNFINISHED
    ]
    return found[-1] if found else None


def change_state(
    connection: Connection,
    dispatch_id: int,
    state: DispatchState,
    *,
    since: Collection[DispatchState],
    reason: str | None = None,
    **columns: Any,
) -> bool:
    """Move a dispatch to `state` when it is in one of `since`; False when it isn't (any more)."""
    changed = connection.execute(
        update(dispatches)
        .where(dispatches.c.id == dispatch_id, dispatches.c.state.in_([each.value for each in since]))
        .values(state=state.value, stop_reason=reason, **columns)
    )
    return changed.rowcount == 1


def discard_plan(connection: Connection, dispatch_id: int) -> bool:
    """Remove a plan that was never started; False, and nothing happens, when somebody has started it meanwhile."""
    # Whoever moves it first has it: the other one finds it in another state.
    if not change_state(connection, dispatch_id, DispatchState.CANCELLED, since={DispatchState.PLANNED}):
        return False
    discard_dispatch(connection, dispatch_id)
    return True


def discard_dispatch(connection: Connection, dispatch_id: int) -> None:
    """Remove a dispatch with all its rows, whatever became of it: for rehearsals."""
    own = part_ids(dispatch_id)
    connection.execute(delete(events).where(events.c.delivery_id.between(own.start, own.stop - 1)))
    connection.execute(delete(deliveries).where(deliveries.c.id.between(own.start, own.stop - 1)))
    connection.execute(delete(attempts).where(attempts.c.batch_id.between(own.start, own.stop - 1)))
    connection.execute(delete(batches).where(batches.c.id.between(own.start, own.stop - 1)))
    connection.execute(delete(rendered_issues).where(rendered_issues.c.dispatch_id == dispatch_id))
    connection.execute(delete(dispatches).where(dispatches.c.id == dispatch_id))


def _dispatch(row: Row[Any]) -> Dispatch:
    values = {name: getattr(row, name) for name in Dispatch.__slots__}
    return Dispatch(**(values | {"state": DispatchState(row.state)}))


def _rendered(row: Row[Any], slug: str) -> RenderedIssue:
    return RenderedIssue(
        slug=slug,
        subject=row.subject,
        preheader=row.preheader,
        html=row.html,
        text=row.text,
        variant=row.variant,
        conditions=tuple(row.conditions),
        slots=tuple(Slot(token, expression, Place(place)) for token, expression, place in row.slots),
        images=tuple(
            InlineImage(content_id, filename, media_type, b64decode(data))
            for content_id, filename, media_type, data in orjson.loads(row.images)
        ),
    )
