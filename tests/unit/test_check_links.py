"""Links are asked as a careful visitor would: gently, never inside the network, and what is wrong is said in plain words."""

from __future__ import annotations

import datetime
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from newsletter.check import guarded
from newsletter.check.guarded import is_public
from newsletter.check.links import Answer, Link, ask, check_links, links_of
from newsletter.errors import Location, Severity
from newsletter.workspace import Edition, Workspace

Page = Callable[["Visit"], None]


class Site(ThreadingHTTPServer):
    """Serves `pages` by path; 404 for what it hasn't. `asked` has the method, path and headers of each request."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Visit)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def url(self, path: str, host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def requests(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.asked]

    def handle_error(self, *_: Any) -> None:
        """A visitor who goes away is no fault."""


class Visit(BaseHTTPRequestHandler):
    server: Site

    def answer(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        self.server.pages.get(self.path, status(404))(self)

    do_GET = do_HEAD = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def send(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def drip(self, piece: bytes) -> None:
        """Send `piece` again and again, until nobody takes it any more; in the end, that visitors lose patience fails."""
        for _ in range(500):
            self.wfile.write(piece)
            self.server.over.wait(0.01)


def status(code: int, **headers: str) -> Page:
    return lambda visit: visit.send(code, {"Content-Length": "0", **headers})


def to(location: str, code: int = 302) -> Page:
    return status(code, Location=location)


def on_head(page: Page, otherwise: int = 200) -> Page:
    return lambda visit: (page if visit.command == "HEAD" else status(otherwise))(visit)


def drips_its_head(visit: Visit) -> None:
    visit.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    visit.drip(b"x")


def drips_answers(visit: Visit) -> None:
    visit.wfile.write(b"HTTP/1.1 ")
    visit.drip(b"100 Continue\r\n\r\nHTTP/1.1 ")


def never_ends(visit: Visit) -> None:
    visit.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        visit.wfile.write(b"x" * 65536)


def waits(visit: Visit) -> None:
    visit.server.over.wait(10)


def hangs_up(visit: Visit) -> None:
    visit.close_connection = True


def resets(visit: Visit) -> None:
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.connection.close()


def says(raw: bytes) -> Page:
    return lambda visit: visit.wfile.write(raw) and None  # type: ignore[func-returns-value]


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    with site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            site.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as served:
        yield served


NAMES = {"site.test": ["127.0.0.1"], "other.test": ["127.0.0.1"], "www.site.test": ["127.0.0.1"]}


def asked(*urls: str, **options: Any) -> list[Answer]:
    """What becomes of `urls`, whose hosts are all at 127.0.0.1; without pauses, and with little patience."""
    options = {"allow_private": True, "resolve": lambda _: ["127.0.0.1"], "gap": 0.0, "timeout": 5.0, **options}
    return list(ask([Link(url) for url in urls], **options))


def problem(answer: Answer) -> tuple[str, str] | None:
    return (answer.problem.code, answer.problem.message) if answer.problem else None


# What is a link, and where it stands

FIELDS = """\
blocks:
  - type: story
    headline: One
    url: https://example.org/story
    image: {src: https://img.example.org/a.png, alt: "A picture"}
    body: |
      See [the page](https://example.org/page_(one)) or [its front](https://example.org/),
      [me]({{ subscriber.site or "https://example.org/" }}) and
      [you](https://example.org/?who={{ subscriber.email }}&a=b), <https://example.org/auto>,
      [by name][n], [über](https://example.org/über), [mail](mailto:a@example.org), `[not](https://example.org/code)`.

      [n]: https://example.org/named
  - type: links
    items:
      - {label: Call us, url: "tel:+441234"}
      - {label: Again, url: https://example.org/story}
  - type: columns
    columns:
      - blocks: [{type: button, label: Deep, url: https://example.org/deep}]
      - blocks: [{type: text, body: "[two](https://example.org/two)"}]
  - type: html
    html: |
      <p>https://example.org/no-link <a class="x" href="https://example.org/raw?a=1">raw</a></p>
"""


def test_the_links_of_an_issue_are_those_of_fields_markdown_and_html_each_with_its_place(
    edition: Callable[..., Edition],
) -> None:
    made = edition(FIELDS)
    assert made.issue is not None
    assert made.source is not None
    links = links_of(made.issue, made.source)
    lines = made.source.lines
    seen = {}
    for link in links:
        place = link.location
        assert place is not None
        rest = lines[place.line - 1][place.column - 1 :]
        seen[link.url] = rest[: place.length].strip('"')
        assert rest[place.length :][:1] in set(')>,}"') | {""}, "an address that only begins the same"
    assert seen == {url: url for url in seen}
    assert [link.url for link in links if link.is_asked] == [
        "https://example.org/story",
        "https://example.org/page_(one)",
        "https://example.org/",
        "https://example.org/auto",
        "https://example.org/named",
        "https://example.org/über",
        "https://example.org/story",
        "https://example.org/deep",
        "https://example.org/two",
        "https://example.org/raw?a=1",
    ]
    assert [link.url for link in links if link.is_personal] == [
        '{{ subscriber.site or "https://example.org/" }}',
        "https://example.org/?who={{ subscriber.email }}&a=b",
    ]
    assert {"mailto:a@example.org", "tel:+441234"} <= set(seen)


def test_the_publications_own_links_are_found_in_the_settings(workspace_folder: Path) -> None:
    workspace = Workspace.open(workspace_folder)
    [link] = links_of(workspace.settings.publication, workspace.source, ("publication",))
    assert (link.url, str(link.location)) == ("https://www.example.org", "newsletter.yaml:3:8")


def test_personal_links_and_other_kinds_are_not_asked(site: Site) -> None:
    assert asked(site.url("/?who={{ subscriber.email }}"), "mailto:a@example.org", "tel:+441234", "nonsense") == []
    assert site.asked == []


# What the answers mean


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        (200, None, ""),
        (204, None, ""),
        (404, "dead-link", "isn't there (404)"),
        (410, "dead-link", "was taken away (410)"),
        (418, "dead-link", "is answered with an error (418)"),
        (500, "unreachable-link", "has a fault at the moment (500)"),
        (503, "unreachable-link", "has a fault at the moment (503)"),
        (304, "unreachable-link", "sends visitors on, but doesn't say where to (304)"),
    ],
)
def test_a_status_is_told_in_words(site: Site, code: int, expected: str | None, words: str) -> None:
    site.pages["/page"] = status(code)
    [answer] = asked(site.url("/page"))
    assert answer.status == code
    assert problem(answer) == (expected and (expected, f"`{site.url('/page')}` {words}"))
    assert answer.problem is None or (answer.problem.severity, bool(answer.problem.hint)) == (Severity.WARNING, True)


@pytest.mark.parametrize("code", [401, 403, 407, 429, 999])
def test_a_website_that_keeps_programs_out_is_no_problem_but_unsure(site: Site, code: int) -> None:
    site.pages |= {"/closed": status(code), "/open": status(200)}
    by_status = {answer.status: answer for answer in asked(site.url("/closed"), site.url("/open"))}
    assert by_status[code].problem is None
    assert by_status[code].is_unsure
    assert not by_status[200].is_unsure


@pytest.mark.parametrize("code", [400, 403, 404, 405, 500, 501])
def test_what_head_is_refused_get_may_have(site: Site, code: int) -> None:
    site.pages["/page"] = on_head(status(code))
    [answer] = asked(site.url("/page"))
    assert (answer.status, answer.problem) == (200, None)
    assert site.requests == ["HEAD /page", "GET /page"]


@pytest.mark.parametrize("page", [hangs_up, resets, waits, says(b"nonsense\r\n\r\n")])
def test_a_server_that_can_not_do_head_is_asked_with_get(site: Site, page: Page) -> None:
    site.pages["/page"] = on_head(page)
    [answer] = asked(site.url("/page"), timeout=4.0)
    assert (answer.status, answer.problem) == (200, None)


@pytest.mark.parametrize("code", [200, 429])
def test_head_is_enough_when_it_went_well_or_less_is_wanted(site: Site, code: int) -> None:
    site.pages["/page"] = status(code)
    asked(site.url("/page"))
    assert site.requests == ["HEAD /page"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (drips_its_head, "gave no answer within 0.4 seconds"),
        (drips_answers, "gave no answer within 0.4 seconds"),
        (waits, "gave no answer within 0.4 seconds"),
        (resets, "broke off, or gave no proper answer"),
        (hangs_up, "broke off, or gave no proper answer"),
        (says(b"SSH-2.0-OpenSSH\r\n"), "broke off, or gave no proper answer"),
        (says(b"HTTP/1.1 20"), "broke off, or gave no proper answer"),
        (says(b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 70_000 + b"\r\n\r\n"), "broke off, or gave no proper answer"),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 500 + b"\r\n"), "broke off, or gave no proper answer"),
    ],
    ids=["drips", "continues", "waits", "resets", "hangs-up", "other-protocol", "cut", "big-header", "many-headers"],
)
def test_a_server_that_gives_no_answer_is_left(site: Site, page: Page, words: str) -> None:
    site.pages["/page"] = page
    [answer] = asked(site.url("/page"), timeout=0.4 if "0.4" in words else 5.0)
    assert answer.status is None
    assert problem(answer) == ("unreachable-link", f"`{site.url('/page')}` {words}")


def test_a_page_without_an_end_is_not_read_to_its_end(site: Site) -> None:
    site.pages["/page"] = lambda visit: (status(405) if visit.command == "HEAD" else never_ends)(visit)
    [answer] = asked(site.url("/page"))
    assert (answer.status, answer.problem) == (200, None)


def test_a_port_where_nobody_listens_can_not_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    [answer] = asked(f"http://site.test:{port}/")
    assert problem(answer) == ("unreachable-link", f"`http://site.test:{port}/` can't be reached")


def test_a_host_of_several_addresses_is_reached_at_the_one_that_works(site: Site) -> None:
    site.pages["/page"] = status(200)
    [answer] = asked(site.url("/page"), resolve=lambda _: ["::1", "127.0.0.1"])
    assert answer.problem is None


def fails(error: Exception) -> Callable[[str], list[str]]:
    def resolve(_: str) -> list[str]:
        raise error

    return resolve


@pytest.mark.parametrize(
    ("resolve", "words"),
    [
        (fails(socket.gaierror(socket.EAI_NONAME, "?")), "leads nowhere: there is no website `gone.test`"),
        (fails(UnicodeError("label too long")), "leads nowhere: there is no website `gone.test`"),
        (lambda _: [], "leads nowhere: there is no website `gone.test`"),
        (
            fails(socket.gaierror(socket.EAI_AGAIN, "?")),
            "can't be found at the moment: nobody tells where `gone.test` is",
        ),
        (lambda _: time.sleep(1), "gave no answer within 0.2 seconds"),
    ],
    ids=["no-name", "no-such-name", "no-address", "not-now", "slow"],
)
def test_a_name_that_can_not_be_looked_up_is_told(resolve: Any, words: str) -> None:
    [answer] = asked("http://gone.test/", resolve=resolve, timeout=0.2 if "0.2" in words else 5.0)
    assert problem(answer) == ("unreachable-link", f"`http://gone.test/` {words}")


def test_a_mistake_of_ours_is_raised_and_not_taken_for_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        asked("http://site.test/", resolve=fails(ZeroDivisionError()))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://site.test:25/", "names port 25, which no website has"),
        ("http://site.test:0/", "names port 0, which no website has"),
        ("http://site.test:99999/", "is no address that can be asked"),
        ("http://[::1/", "is no address that can be asked"),
        ("http:///page", "is no address of a website"),
    ],
)
def test_an_address_that_is_none_is_not_asked(url: str, words: str) -> None:
    [answer] = asked(url, resolve=fails(AssertionError()))
    assert problem(answer) == ("unreachable-link", f"`{url}` {words}")


# Redirects


def test_redirects_are_followed_five_times_and_no_more(site: Site) -> None:
    site.pages |= {f"/{number}": to(f"/{number + 1}") for number in range(6)} | {"/6": status(200)}
    [short] = asked(site.url("/1"))
    assert (short.status, short.final_url, short.problem) == (200, site.url("/6"), None)
    site.asked.clear()
    [long] = asked(site.url("/0"))
    assert problem(long) == ("unreachable-link", f"`{site.url('/0')}` sends visitors on more than 5 times")
    assert len(site.asked) == 6


def test_a_circle_is_left(site: Site) -> None:
    site.pages |= {"/a": to("/b", 301), "/b": to("/a", 308)}
    [answer] = asked(site.url("/a"))
    assert problem(answer) == ("unreachable-link", f"`{site.url('/a')}` sends visitors on more than 5 times")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_page_behind_a_redirect_that_is_not_there_is_named(site: Site, code: int) -> None:
    site.pages["/page"] = to("gone", code)
    [answer] = asked(site.url("/page"))
    assert (answer.status, answer.final_url) == (404, site.url("/gone"))
    words = f"`{site.url('/page')}` leads on to `{site.url('/gone')}`, which isn't there (404)"
    assert problem(answer) == ("dead-link", words)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("mailto:a@example.org", "is no address of a website"),
        ("file:///etc/passwd", "is no address of a website"),
        ("ftp://site.test/", "is no address of a website"),
        ("http://[bad/", "is no address of a website"),
        ("http://site.test:6a/", "is no address that can be asked"),
        ("http://site.test:22/", "names port 22, which no website has"),
    ],
)
def test_a_redirect_to_something_else_is_not_followed(site: Site, location: str, words: str) -> None:
    site.pages["/page"] = to(location)
    [answer] = asked(site.url("/page"))
    expected = f"`{site.url('/page')}` sends visitors on to something that {words}"
    assert (answer.status, problem(answer)) == (None, ("unreachable-link", expected))


def test_a_redirect_puts_nothing_but_plain_characters_on_the_screen(site: Site) -> None:
    site.pages["/page"] = to("/\x1b[31m\xc3\xa4" + "x" * 500)
    [answer] = asked(site.url("/page"))
    [(_, message)] = [problem(answer)]  # type: ignore[list-item]
    assert f"`{site.url('/%1B%5B31m%C3%A4xxx')}" in message
    assert len(message) < 250


@pytest.mark.parametrize(
    ("pages", "start", "new"),
    [
        ({"/a": ("/b", 301)}, "/a", "http://site.test/b"),
        ({"/a": ("/b", 308)}, "/a#part", "http://site.test/b"),
        ({"/a": ("http://other.test/a", 301)}, "/a", "http://other.test/a"),
        ({"/": ("http://other.test/", 301)}, "/", "http://other.test/"),
        ({"/a": ("/b", 301), "/b": ("/c", 301)}, "/a", "http://site.test/c"),
        ({"/a": ("/b", 301), "/b": ("/c", 302)}, "/a", "http://site.test/b"),
        ({"/a": ("/b", 302)}, "/a", None),
        ({"/a": ("/b", 302), "/b": ("/c", 301)}, "/a", None),
        ({"/a": ("/a/", 301)}, "/a", None),
        ({"/a": ("/a?session=1", 301)}, "/a", None),
        ({"/a": ("http://www.site.test/a", 301)}, "/a", None),
        ({"/": ("/en/start", 301)}, "/", None),
        ({"/%7Ea": ("/~a", 301)}, "/%7Ea", None),
    ],
)  # fmt: skip
def test_a_page_that_has_moved_for_good_is_told_with_its_new_address(
    site: Site, pages: dict[str, tuple[str, int]], start: str, new: str | None
) -> None:
    def here(url: str) -> str:
        return re.sub(r"(\.test)", rf"\1:{site.port}", url)

    def redirect(page: Page) -> Page:
        """Only on the first host: a page of the same path on another one has arrived."""
        return lambda visit: (page if visit.headers["Host"].startswith("site") else status(200))(visit)

    site.pages |= {path: redirect(to(here(location), code)) for path, (location, code) in pages.items()}
    for path in ("/b", "/c", "/a/", "/a?session=1", "/en/start", "/~a"):
        site.pages.setdefault(path, status(200))
    [answer] = asked(site.url(start))
    assert answer.status == 200
    if new is None:
        assert answer.problem is None
    else:
        assert problem(answer) == ("moved-link", f"`{site.url(start)}` has moved for good")
        assert f"`{here(new)}`" in str(answer.problem and answer.problem.hint)


def test_a_new_address_that_is_endless_is_not_repeated(site: Site) -> None:
    new = "/" + "x" * 9_000
    site.pages |= {"/page": to(new, 301), new: status(200)}
    [answer] = asked(site.url("/page"))
    assert answer.problem is not None
    assert answer.problem.code == "moved-link"
    assert "xxx" not in answer.problem.message + str(answer.problem.hint)


# Whom this machine talks to

PRIVATE = {
    "unspecified": "0.0.0.0", "this-network": "0.1.2.3", "ten": "10.0.0.1", "cgnat": "100.64.0.1", "cgnat-end": "100.127.255.255",
    "loopback": "127.0.0.1", "loopback-other": "127.9.9.9", "link-local": "169.254.169.254", "172": "172.16.0.1",
    "172-end": "172.31.255.255", "192": "192.168.1.1", "ietf": "192.0.0.8", "documentation": "192.0.2.1", "documentation-2": "198.51.100.1",
    "documentation-3": "203.0.113.1", "relays": "192.88.99.1", "benchmarks": "198.18.0.1", "multicast": "224.0.0.1", "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255", "6-unspecified": "::", "6-loopback": "::1", "6-unique-local": "fd00::1",
    "6-link-local": "fe80::1", "6-link-local-zone": "fe80::1%lo", "6-site-local": "fec0::1", "6-multicast": "ff02::1",
    "6-documentation": "2001:db8::1", "6-documentation-2": "3fff::1", "6-discard": "100::1", "6-orchid": "2001:20::1",
    "6-benchmarks": "2001:2::1", "6-reserved": "4000::1", "mapped": "::ffff:10.0.0.1", "mapped-hex": "::ffff:7f00:1",
    "compatible": "::7f00:1", "6to4": "2002:7f00:1::1", "6to4-cgnat": "2002:6440:1::1", "nat64": "64:ff9b::a00:1",
    "nat64-metadata": "64:ff9b::169.254.169.254", "nat64-local": "64:ff9b:1::808:808",
    "teredo-client": "2001:0:808:808:0:0:f5ff:fffe", "teredo-server": "2001:0:a00:1:0:0:f7f7:f7f7",
}  # fmt: skip
PUBLIC = {
    "8": "8.8.8.8", "beside-cgnat": "100.128.0.1", "beside-172": "172.32.0.1", "beside-192": "192.167.255.255", "last": "223.255.255.255",
    "6": "2606:4700::1111", "6-other": "2a00:1450::1", "mapped": "::ffff:8.8.8.8", "nat64": "64:ff9b::808:808",
    "6to4": "2002:808:808::1", "teredo": "2001:0:808:808:0:0:f7f7:f7f7",
}  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE.values(), ids=PRIVATE)
def test_a_link_to_an_address_that_is_not_public_is_refused(site: Site, address: str) -> None:
    assert not is_public(address)
    url = site.url("/page")
    for found in ([address], ["8.8.8.8", address], [address, "2606:4700::1111"]):
        [answer] = asked(url, allow_private=False, resolve=lambda _, found=found: found)
        assert problem(answer) == ("private-link", f"`{url}` leads to a private address")
    assert site.asked == []


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_an_address_of_the_internet_at_large_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
     "[::ffff:7f00:1]", "１２７.0.0.1", "127.0.0.1.", "a@127.0.0.1", "site.test@localhost"],
)  # fmt: skip
def test_no_spelling_of_this_machine_gets_through(site: Site, host: str) -> None:
    """With the system's own look-up, which understands all of these."""
    [answer] = list(ask([Link(site.url("/page", host))], gap=0.0))
    assert answer.problem is not None
    assert answer.problem.code == "private-link"
    assert site.asked == []


@pytest.fixture
def here_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 127.0.0.1 were a public address, so that a first redirect can come from somewhere."""
    monkeypatch.setattr(guarded, "is_public", lambda address: address == "127.0.0.1")


@pytest.mark.usefixtures("here_is_public")
@pytest.mark.parametrize(
    ("location", "final"),
    [
        ("http://inside.test/", "http://inside.test/"),
        ("//inside.test/", "http://inside.test/"),
        ("http://169.254.169.254/latest", "http://169.254.169.254/latest"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_redirect_to_a_private_address_is_refused(site: Site, location: str, final: str) -> None:
    site.pages["/page"] = to(location)
    names = {"site.test": ["127.0.0.1"], "inside.test": ["10.0.0.1"]}
    [answer] = asked(site.url("/page"), allow_private=False, resolve=names.__getitem__)
    words = f"`{site.url('/page')}` leads on to `{final}`, which leads to a private address"
    assert (answer.status, problem(answer)) == (None, ("private-link", words))


@pytest.mark.usefixtures("here_is_public")
def test_a_name_that_changes_its_address_is_looked_up_once_for_each_request(site: Site) -> None:
    """The second look-up of a name that rebinds would lead inside; it happens for the next hop only, and is checked."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
    site.pages |= {"/page": on_head(status(405)), "/on": to("/page")}
    [answer] = asked(site.url("/page"), allow_private=False, resolve=lambda _: next(answers))
    assert (answer.status, site.requests) == (200, ["HEAD /page", "GET /page"])
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    [answer] = asked(site.url("/on"), allow_private=False, resolve=lambda _: next(answers))
    assert answer.problem is not None
    assert answer.problem.code == "private-link"


def test_nothing_is_sent_that_says_who_asks(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine site.test login ada password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages |= {"/a": status(302, Location="/b", **{"Set-Cookie": "one=1"}), "/b": status(200)}
    [answer] = asked(f"http://ada:secret@site.test:{site.port}/a#part")
    assert answer.problem is None
    assert site.requests == ["HEAD /a", "HEAD /b"]
    expected = {"Host": f"site.test:{site.port}", "User-Agent": "newsletter-link-check", "Accept": "*/*"}
    for _, _, headers in site.asked:
        assert headers == {**expected, "Accept-Encoding": "identity", "Connection": "close"}


def test_other_scripts_go_out_as_browsers_write_them(site: Site) -> None:
    looked_up: list[str] = []
    path = "/k%C3%A4se/a%20b?q=%E2%82%AC&r=a+b"
    site.pages[path] = status(200)

    def resolve(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    [answer] = asked(site.url("/käse/a%20b?q=€&r=a+b", "Bücher.straße.test"), resolve=resolve)
    assert answer.problem is None
    assert looked_up == ["xn--bcher-kva.xn--strae-oqa.test"]
    assert site.asked[0][2]["Host"] == f"xn--bcher-kva.xn--strae-oqa.test:{site.port}"


# Manners


def test_an_address_is_asked_once_and_answered_for_each_link(site: Site) -> None:
    site.pages["/page"] = status(200)
    urls = [site.url("/page"), site.url("/page#one"), site.url("/page#two"), site.url("/page"), site.url("/gone")]
    answers = asked(*urls)
    assert sorted(answer.link.url for answer in answers) == sorted(urls)
    assert sorted(site.requests) == ["GET /gone", "HEAD /gone", "HEAD /page"]


def test_a_host_gets_one_request_at_a_time_also_by_way_of_redirects(site: Site) -> None:
    alone = threading.Lock()
    crowded: list[str] = []

    def page(visit: Visit) -> None:
        if not alone.acquire(blocking=False):
            crowded.append(visit.path)
            return
        visit.server.over.wait(0.02)
        alone.release()
        status(200)(visit)

    site.pages |= {f"/{number}": page for number in range(5)}
    site.pages |= {f"/to/{number}": to(site.url(f"/{number}")) for number in range(3)}
    answers = asked(
        *[site.url(f"/{number}") for number in range(5)],
        *[site.url(f"/to/{number}", f"host{number}.test") for number in range(3)],
    )
    assert [answer.status for answer in answers] == [200] * 8
    assert crowded == []


def test_different_hosts_are_asked_side_by_side_up_to_the_number_of_workers(site: Site) -> None:
    """Nobody gets an answer before two are there; with one worker alone there never are."""
    there: set[str] = set()
    together = threading.Event()

    def page(visit: Visit) -> None:
        there.add(visit.headers["Host"])
        if len(there) == 2:
            together.set()
        status(200 if together.wait(patience) else 503)(visit)

    site.pages["/page"] = page
    urls = [site.url("/page", f"host{number}.test") for number in range(2)]
    patience = 10.0
    assert [answer.status for answer in asked(*urls, workers=2, timeout=30.0)] == [200, 200]
    there.clear()
    together.clear()
    patience = 0.05
    assert [answer.status for answer in asked(*urls, workers=1)] == [503, 200]


def test_who_stops_listening_stops_the_asking(site: Site) -> None:
    site.pages |= {"/0": status(200), "/1": waits}
    answers = ask(
        [Link(site.url(f"/{number}")) for number in range(5)], allow_private=True, gap=0.0, resolve=NAMES.__getitem__
    )
    assert next(answers).status == 200
    answers.close()  # type: ignore[attr-defined]
    site.over.set()
    for thread in threading.enumerate():
        if thread.name == "asking":
            thread.join(10)
    assert {path for _, path, _ in site.asked} <= {"/0", "/1"}


def test_problems_come_in_reading_order_and_each_answer_is_reported(site: Site) -> None:
    site.pages["/fine"] = status(200)
    links = [
        Link(site.url("/fine"), Location("a.yaml", 1)),
        Link(site.url("/gone"), Location("a.yaml", 9)),
        Link(site.url("/gone", "other.test"), Location("a.yaml", 2)),
        Link(site.url("/gone"), Location("a.yaml", 5)),
        Link(site.url("/gone", "www.site.test")),
    ]
    seen: list[Answer] = []
    found = check_links(links, allow_private=True, gap=0.0, resolve=NAMES.__getitem__, report=seen.append)
    assert [one.location and one.location.line for one in found] == [2, 5, 9, None]
    assert {one.severity for one in found} == {Severity.WARNING}
    assert {answer.link for answer in seen} == set(links)


def test_nothing_to_ask_is_no_problem() -> None:
    assert check_links([]) == []


# Certificates


def certificate(folder: Path, name: str, days: tuple[int, int]) -> Path:
    """A certificate with its key for `name`, good from and until so many days from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days[0]))
        .not_valid_after(now + datetime.timedelta(days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return file


@pytest.mark.parametrize(
    ("name", "days", "trusted", "words"),
    [
        ("site.test", (-1, 1), True, None),
        (
            "site.test",
            (-1, 1),
            False,
            "has a certificate that comes from nobody who is trusted here, so browsers warn of it",
        ),
        ("site.test", (-9, -1), True, "has a certificate that has expired, so browsers warn of it"),
        ("site.test", (1, 9), True, "has a certificate that isn't valid yet, so browsers warn of it"),
        ("other.test", (-1, 1), True, "has a certificate that was made for another website, so browsers warn of it"),
    ],
    ids=["good", "untrusted", "expired", "early", "other-name"],
)
def test_a_secure_website_has_to_prove_its_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    days: tuple[int, int],
    trusted: bool,
    words: str | None,
) -> None:
    file = certificate(tmp_path, name, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    named: list[str | None] = []
    tls.sni_callback = lambda _, host, __: named.append(host)
    with serving(Site(tls)) as site:
        site.pages["/page"] = status(200)
        url = site.url("/page").replace("http:", "https:")
        [answer] = asked(url)
        assert problem(answer) == (words and ("unreachable-link", f"`{url}` {words}"))
        assert set(named) == {"site.test"}
        assert [path for _, path, _ in site.asked] == ([] if words else ["/page"])


def test_a_website_without_tls_offers_no_secure_connection(site: Site) -> None:
    url = site.url("/page").replace("http:", "https:")
    [answer] = asked(url)
    assert problem(answer) == ("unreachable-link", f"`{url}` offers no secure connection")


# The command


def test_the_command_asks_only_when_it_is_told_to(workspace_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine here: every link leads to a private address, and so is not asked."""
    from newsletter.cli.main import newsletter

    settings = workspace_folder / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8").replace("https://www.example.org", "http://10.0.0.1/"), "utf-8")
    text = "subject: A\npreheader: B\nblocks:\n  - {type: button, label: Read it all, url: http://127.0.0.1:8025/}\n"
    more = '  - {type: button, label: For you, url: "http://127.0.0.1/{{ subscriber.email }}"}\n'
    (workspace_folder / "issues" / "one.yaml").write_text(text + more, "utf-8")
    monkeypatch.chdir(workspace_folder)

    plain = CliRunner().invoke(newsletter, ["check", "--format", "json"])
    assert json.loads(plain.stdout) == []
    told = CliRunner().invoke(newsletter, ["check", "one", "--links", "--format", "json"])
    assert told.exit_code == 0
    assert [(each["code"], each["file"], each["line"]) for each in json.loads(told.stdout)] == [
        ("private-link", "issues/one.yaml", 4),
        ("private-link", "newsletter.yaml", 3),
    ]
    assert "personal, not asked: http://127.0.0.1/{{ subscriber.email }}" in told.stderr
