"""A list as a CSV file to be downloaded: written while it is read, however long it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from urllib.parse import quote

from nicegui import app
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from newsletter.errors import NewsletterError
from newsletter.store import Store
from newsletter.store.export_csv import exported_csv
from newsletter.store.subscribers import need_list
from newsletter.studio.desk import Desk


def add_pages(desk: Desk) -> None:
    """Add `/subscribers/lists/{name}.csv`."""

    @app.get("/subscribers/lists/{name:path}.csv")
    async def export(name: str) -> Response:
        try:
            await asyncio.to_thread(_need, desk, name)
        except NewsletterError as error:
            return PlainTextResponse(f"{error}\n", status_code=404)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}.csv"}
        return StreamingResponse(_stream(desk.store, name), media_type="text/csv; charset=utf-8", headers=headers)


def _need(desk: Desk, name: str) -> None:
    with desk.store.read() as connection:
        need_list(connection, name)


async def _stream(store: Store, name: str) -> AsyncIterator[str]:
    """The parts of the file; the reading ends when nobody takes them any more."""
    parts = _parts(store, name)
    try:
        while (part := await run_in_threadpool(next, parts, None)) is not None:
            yield part
    finally:
        parts.close()


def _parts(store: Store, name: str) -> Generator[str]:
    with store.read() as connection:
        yield from exported_csv(connection, name)
