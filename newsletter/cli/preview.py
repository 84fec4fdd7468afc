"""`newsletter preview`: an issue in the browser, that reloads when something it is made of is saved."""

from __future__ import annotations

import html as escaping
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import click

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%(title)s</title><style>
:root{color-scheme:light dark}body{margin:0;font:14px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
header{display:flex;gap:1rem;align-items:baseline;padding:.6rem 1rem;border-bottom:1px solid #8884}header b{flex:1}
main{display:flex;gap:1.5rem;padding:1rem;align-items:flex-start;flex-wrap:wrap}iframe{border:1px solid #8884;border-radius:6px;background:#fff;height:calc(100vh - 6rem)}
pre{white-space:pre-wrap;max-width:76ch;margin:0}pre.problems{padding:.8rem 1rem;background:#fc02;border-bottom:1px solid #8884;max-width:none}</style>
<header><b>%(title)s</b><span>%(size)s</span></header>%(problems)s
<main><iframe title="Desktop" sandbox width="640" src="/email.html"></iframe><iframe title="Phone" sandbox width="375" src="/email.html"></iframe>
<pre>%(text)s</pre></main>
<script>new EventSource("/changes").onmessage=()=>location.reload()</script></html>"""


@click.command("preview")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option("--as", "email", metavar="EMAIL", help="Fill the personal parts as for this subscriber.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; any free one when left out.")
@click.option("--no-browser", is_flag=True, help="Don't open the browser.")
def preview_command(name: str | None, email: str | None, port: int, no_browser: bool) -> None:
    """Show an issue in the browser at two widths, with its plain text; it reloads when you save. Ctrl-C ends it.

    \b
    Examples:
      newsletter preview spring-tides
      newsletter preview spring-tides --as ada@example.org
    """
    from newsletter.cli.output import out
    from newsletter.workspace import Workspace

    workspace = Workspace.open()
    path = workspace.find(name)
    state = _State(workspace, path, email)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(state))
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=state.watch, daemon=True).start()
    out.print(f"{workspace.shown(path)} at {url}   Ctrl-C ends it")
    if not no_browser:
        webbrowser.open(url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        out.print("Ended.")
    finally:
        server.server_close()


class _State:
    """The last good rendering, the Problems of the newest one, and who waits for a change."""

    def __init__(self, workspace: Any, path: Any, email: str | None) -> None:
        self.workspace, self.path, self.email = workspace, path, email
        self.html = self.text = self.subject = self.problems = ""
        self.images: dict[str, tuple[str, bytes]] = {}
        self.changed = threading.Condition()
        self.version = 0
        self.refresh()

    def refresh(self) -> None:
        from newsletter.cli.output import problem_text
        from newsletter.eml import for_browser
        from newsletter.errors import NewsletterError
        from newsletter.issue import fill
        from newsletter.personalise import sample_values, variant_of

        problems, failure = [], ""
        try:
            edition = self.workspace.load(self.path)
            problems = edition.check()
            person = self.workspace.reader(self.email)
            rendered = edition.render(variant_of(edition.conditions, person))
            values = sample_values(rendered, person)
            self.html = for_browser(fill(rendered.html, values), rendered.images, "/images/")
            self.text, self.subject = fill(rendered.text, values), fill(rendered.subject, values)
            self.images = {image.filename: (image.media_type, image.data) for image in rendered.images}
        except NewsletterError as error:
            failure = f"{error.message}: this is the last good rendering\n\n"
        self.problems = failure + "\n".join(problem_text(problem, self.workspace.root).plain for problem in problems)

    def watch(self) -> None:
        from watchfiles import watch

        from newsletter.theme import builtin_templates

        folders = {self.workspace.root, self.path.parent, builtin_templates()}
        for changes in watch(*folders, step=30, debounce=60):
            if all("/.newsletter/" in file or "/.git/" in file for _, file in changes):
                continue
            self.refresh()
            with self.changed:
                self.version += 1
                self.changed.notify_all()


def _handler(state: _State) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Host", "").partition(":")[0] not in ("127.0.0.1", "localhost"):
                self.send_error(403)
                return
            path = urlsplit(self.path).path
            if path == "/":
                values = {
                    "title": escaping.escape(state.subject or "newsletter"),
                    "size": f"{len(state.html.encode()):,} bytes",
                    "text": escaping.escape(state.text),
                    "problems": f'<pre class="problems">{escaping.escape(state.problems)}</pre>'
                    if state.problems
                    else "",
                }
                self._answer("text/html; charset=utf-8", (PAGE % values).encode())
            elif path == "/email.html":
                self._answer("text/html; charset=utf-8", state.html.encode())
            elif path == "/changes":
                self._changes()
            elif path.removeprefix("/images/") in state.images:
                self._answer(*state.images[path.removeprefix("/images/")])
            else:
                self.send_error(404)

        def _answer(self, media_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def _changes(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            seen = state.version
            try:
                while True:
                    with state.changed:
                        state.changed.wait(15)
                    self.wfile.write(b"data: changed\n\n" if state.version != seen else b": still here\n\n")
                    self.wfile.flush()
                    seen = state.version
            except OSError:
                return  # the page was closed

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the console is the author's."""

    return Handler
