"""The Studio is closed to everything but the browser that opened its address."""

from __future__ import annotations

import http.client

import pytest
from playwright.sync_api import Page
from running_studio import RunningStudio

pytestmark = pytest.mark.browser


def ask(
    studio: RunningStudio, method: str = "GET", path: str = "/", **headers: str
) -> tuple[int, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


def test_the_address_lets_a_browser_in_and_another_site_cannot(studio: RunningStudio, page: Page) -> None:
    token = studio.address.partition("token=")[2]
    status, headers = ask(studio, path=f"/?token={token}")
    assert status == 303
    assert headers["Location"] == "/"  # the token doesn't stay in the address
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=strict" in headers["Set-Cookie"]
    own = f"http://127.0.0.1:{studio.port}"

    assert ask(studio, Cookie=cookie)[0] == 200
    assert ask(studio)[0] == 403  # no token
    assert ask(studio, path="/?token=guess")[0] == 403
    assert ask(studio, Cookie=cookie, Host=f"evil.example.org:{studio.port}")[0] == 403  # DNS rebinding
    assert ask(studio, Cookie=cookie, Origin="https://evil.example.org")[0] == 403
    assert ask(studio, Cookie=cookie, Origin="null")[0] == 403
    assert ask(studio, Cookie=cookie, Origin="http://127.0.0.1:1")[0] == 403  # another server of this machine
    assert ask(studio, "POST", Cookie=cookie)[0] == 403  # a form that doesn't say where it comes from
    assert ask(studio, Cookie=cookie, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(studio, Cookie=cookie, Origin=own)[0] == 200
    for path in (
        "/static/studio.css",
        "/thumbnail/x",
        "/images/x.png",
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
    ):
        assert ask(studio, path=path)[0] == 403, path

    page.goto(studio.address)
    page.get_by_role("heading", name="Issues").wait_for()
    forged = page.context.new_page()
    forged.route("https://evil.example.org/**", lambda route: route.fulfill(content_type="text/html", body="<p>hello"))
    forged.goto("https://evil.example.org/")
    answers = forged.evaluate(
        """async (own) => {
          const post = await fetch(own + "/", {method: "POST", mode: "no-cors", credentials: "include"})
            .then((answer) => answer.type, () => "refused");
          const framed = await new Promise((done) => {
            const frame = document.createElement("iframe");
            frame.onload = () => done("loaded"); frame.src = own + "/"; document.body.append(frame);
            setTimeout(() => done("never"), 3000);
          });
          const socket = await new Promise((done) => {
            const ws = new WebSocket(own.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket");
            ws.onopen = () => done("open"); ws.onerror = () => done("refused");
          });
          return [post, framed, socket];
        }""",
        own,
    )
    assert answers[2] == "refused"
    assert "Issues" not in "".join(frame.content() for frame in forged.frames[1:])
