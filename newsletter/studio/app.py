"""The Studio as a web application, and the server that runs it on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.errors import WorkspaceError
from newsletter.studio import issues
from newsletter.studio.checks import page as checks
from newsletter.studio.compose import page as compose
from newsletter.studio.compose import pictures
from newsletter.studio.desk import Desk
from newsletter.studio.guard import Guard, workspace_token
from newsletter.studio.people import exporting, importing, person
from newsletter.studio.people import page as subscribers
from newsletter.studio.rendering import IMAGES
from newsletter.studio.sandbox import page as sandbox_mail
from newsletter.studio.sandbox.reading import EMAIL_POLICY
from newsletter.studio.sending import page as sending
from newsletter.studio.sending import report, testing
from newsletter.workspace import STATE, Workspace

STATIC = Path(__file__).parent / "static"


def create_app(desk: Desk) -> FastAPI:
    """The application for a desk: its pages, and what they fetch. It has to stand behind a `Guard`."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching, warming = asyncio.create_task(desk.watch()), asyncio.create_task(desk.warm())
        try:
            yield
        finally:
            warming.cancel()
            desk.close()
            await watching

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get(IMAGES + "{name}")
    async def image(name: str) -> Response:
        if name not in desk.images:
            return Response(status_code=404)
        media_type, data = desk.images[name]
        return Response(data, media_type=media_type, headers={"Cache-Control": "private, max-age=31536000, immutable"})

    @app.get("/thumbnail/{stem}")
    async def thumbnail(stem: str) -> Response:
        html = await issues.thumbnail(desk, stem)
        return HTMLResponse(html, headers={"Content-Security-Policy": EMAIL_POLICY, "Cache-Control": "no-cache"})

    pictures.add_routes(app, desk)
    for module in (
        issues,
        compose,
        sending,
        report,
        checks,
        testing,
        sandbox_mail,
        subscribers,
        person,
        importing,
        exporting,
    ):
        module.add_pages(desk)
    ui.run_with(
        app, title="newsletter", favicon=STATIC / "icon.svg", dark=None, language="en-GB", tailwind=False,
        reconnect_timeout=30, show_welcome_message=False,
    )  # fmt: skip
    return app


class _Calm:
    """`app`, without the traceback that Starlette makes of a browser that went away before it was answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except RuntimeError as error:
            if str(error) != "No response returned.":
                raise


def serve(
    workspace: Workspace, *, port: int, path: str = "/", browser: bool = True, say: Callable[[str], None] = print
) -> None:
    """Run the Studio for a workspace on 127.0.0.1 until it is interrupted; `port` 0 is any free one.

    The address, which holds the token, is given to `say`, and opened at `path` in the browser when `browser`. Raises
    WorkspaceError when the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen()  # who opens the address before the pages are ready waits, and isn't refused
        except OSError:
            hint = "is the Studio running already? Or choose another with --port"
            raise WorkspaceError(f"the port {port} is taken", hint=hint) from None
        port = listening.getsockname()[1]
        token = workspace_token(workspace.root / STATE)
        address = f"http://127.0.0.1:{port}{path}?token={token}"
        guarded = Guard(_Calm(create_app(Desk(workspace.root))), token, port)
        config = uvicorn.Config(guarded, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=3)
        say(address)
        if browser:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
        sys.stdout.flush()
