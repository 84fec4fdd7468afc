"""Pictures of an issue in the browser: taken in, listed, and shown small. Only files of the workspace are read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from newsletter.errors import NewsletterError
from newsletter.render import ImageFolder
from newsletter.render.images import ImageError
from newsletter.studio.compose.picture_files import MAX_BYTES, PictureError, keep_picture, small_picture
from newsletter.studio.desk import Desk

MOST = 400
"""How many pictures are offered to choose from."""

_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif")
_LEFT_OUT = {"templates", "out", "node_modules", "__pycache__"}


def add_routes(app: FastAPI, desk: Desk) -> None:
    """Add what pages fetch: `/pictures/{stem}`, the workspace's pictures as the issue would name them, and
    `/picture/{stem}`, one of them in small, or, by POST, a new one to keep beside the issue."""

    @app.get("/pictures/{stem}")
    async def listing(stem: str) -> Response:
        issue = desk.issue_path(stem)
        return JSONResponse(await asyncio.to_thread(pictures_of, desk.root, issue) if issue else [])

    @app.get("/picture/{stem}")
    async def small(stem: str, src: str, request: HttpRequest) -> Response:
        issue = desk.issue_path(stem)
        try:
            if issue is None:
                return Response(status_code=404)
            file = await asyncio.to_thread(_folder(desk.root, issue).find, src)
            tag = f'"{file.path.stat().st_mtime_ns:x}"'
            headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers=headers)
            media_type, data = await asyncio.to_thread(small_picture, file.path, file.path.stat().st_mtime_ns)
        except (ImageError, PictureError, OSError, ValueError):
            return Response(status_code=404)
        return Response(data, media_type=media_type, headers=headers)

    @app.post("/picture/{stem}")
    async def upload(stem: str, name: str, request: HttpRequest) -> Response:
        issue = desk.issue_path(stem)
        if issue is None:
            return _refused(f"there is no issue {stem}")
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > MAX_BYTES:
                return _refused(f"{name} has more than {MAX_BYTES // 1_000_000} MB; choose a smaller version")
        try:
            src = await asyncio.to_thread(keep_picture, bytes(data), name, issue.parent, desk.root)
        except NewsletterError as error:
            return _refused(error.message + (f"; {error.hint}" if error.hint else ""))
        except OSError as error:
            return _refused(f"{name} can't be stored: {error.strerror}")
        return JSONResponse({"src": src})


def _refused(why: str) -> Response:
    return JSONResponse({"message": why}, status_code=422)


def _folder(root: Path, issue: Path) -> ImageFolder:
    return ImageFolder((issue.parent, root), root)


def pictures_of(root: Path, issue: Path) -> list[dict[str, Any]]:
    """The pictures that an issue could show, newest first: `src` as the issue would name it, and the size in pixels."""
    folder = _folder(root, issue)
    newest = sorted(_files(root), key=lambda path: -path.stat().st_mtime_ns)
    found = []
    for path in newest[:MOST]:
        src = name_for(path, root, issue.parent)
        try:
            file = folder.find(src)
        except (ImageError, OSError):
            continue
        found.append({"src": src, "width": file.width, "height": file.height})
    return found


def name_for(path: Path, root: Path, folder: Path) -> str:
    """The shortest name by which an issue in `folder` finds the file at `path` of the workspace at `root`."""
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    name = path.relative_to(root)
    return Path(os.path.relpath(path, folder)).as_posix() if (folder / name).is_file() else name.as_posix()


def _files(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
        yield from (Path(place, name) for name in names if name.lower().endswith(_SUFFIXES) and name[0] != ".")
