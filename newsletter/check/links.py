"""Whether the web links of an issue answer. It is asked on demand only: it takes a while, and others see it."""

from __future__ import annotations

import queue
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote

from markdown_it import MarkdownIt
from pydantic import BaseModel

from newsletter.check.content import Route, strings
from newsletter.check.guarded import LATER, Guarded, NoAnswer, Resolve, Target, addresses_of
from newsletter.errors import Location, Problem, Severity, in_reading_order
from newsletter.fields import SLOT, Kind
from newsletter.source import Source

MAX_REDIRECTS = 5
GAP = 0.25
"""Seconds between two requests to one host."""
UNSURE = frozenset({401, 403, 407, 429, 999})
"""Statuses by which websites keep programs out. People may well get in, so they make no Problem."""

_REDIRECTS = {301, 302, 303, 307, 308}
_LASTING = {301, 308}
_SHOWN, _COPIED = 100, 500
"""Characters of an address that a website came up with: to recognise it, and at most to copy it."""
_GONE = {404: "isn't there", 410: "was taken away"}
_MASK = re.compile("zq((?:[0-9a-f]{2})+)qz")
_END = "open it in a browser, and use the address that you end at"
_MEND = "open it in a browser; mend the address, or take the link out"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its author wrote it, slots and all, and where it stands."""

    url: str
    location: Location | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it differs from reader to reader, so that there is nothing to ask."""
        return SLOT.search(self.url) is not None

    @property
    def is_asked(self) -> bool:
        """Whether it is a web link that is the same for everybody."""
        return self.url.lower().startswith(("http://", "https://")) and not self.is_personal


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a link: `final_url` is where it leads in the end; its `status` is None when no answer came."""

    link: Link
    status: int | None
    final_url: str
    problem: Problem | None

    @property
    def is_unsure(self) -> bool:
        """Whether the website keeps programs out, so that only a person can tell."""
        return self.status in UNSURE


def links_of(model: BaseModel, source: Source, route: Route = ()) -> list[Link]:
    """The links of `model` (an Issue, or what stands at `route` of the source): in fields, Markdown and raw HTML."""
    found: list[Link] = []
    for place, value, kind in strings(model, route):
        if kind is Kind.URL:
            found.append(Link(value, source.locate(place)))
        elif kind in (Kind.MARKDOWN, Kind.HTML):
            masked = SLOT.sub(lambda slot: f"zq{slot[0].encode().hex()}qz", value)  # a word, whatever comes to read it
            for url in _in_markdown(masked) if kind is Kind.MARKDOWN else _in_html(masked):
                written = _MASK.sub(lambda mask: bytes.fromhex(mask[1]).decode(), url)
                found.append(Link(written, _place(source, place, written)))
    return list(dict.fromkeys(found))


class _Parser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        """As it is written, to be found again."""
        return url


def _in_markdown(text: str) -> list[str]:
    tokens = [child for token in _Parser("commonmark").parse(text) for child in token.children or ()]
    return [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.urls += [value.strip() for name, value in attrs if name == "href" and value]


def _in_html(text: str) -> list[str]:
    reader = _Anchors()
    reader.feed(text)
    return reader.urls


def _place(source: Source, route: Route, url: str) -> Location:
    """Where `url` stands in a text; with what is around it first, as another address may begin the same."""
    for before, after in ("()", "( ", "<>", '""', "''", ("", "")):
        place = source.locate_snippet(route, before + url + after, (len(before), len(url)))
        if place != source.locate(route):
            return place
    return place


def check_links(
    links: Iterable[Link],
    *,
    workers: int = 8,
    timeout: float = 10.0,
    gap: float = GAP,
    allow_private: bool = False,
    resolve: Resolve = addresses_of,
    report: Callable[[Answer], None] = lambda _: None,
) -> list[Problem]:
    """The Problems of `links`, all of them warnings, in reading order. `report` is told each Answer; see `ask`."""
    problems = []
    for answer in ask(links, workers=workers, timeout=timeout, gap=gap, allow_private=allow_private, resolve=resolve):
        report(answer)
        problems += [answer.problem] if answer.problem else []
    return in_reading_order(problems)


def ask(
    links: Iterable[Link],
    *,
    workers: int = 8,
    timeout: float = 10.0,
    gap: float = GAP,
    allow_private: bool = False,
    resolve: Resolve = addresses_of,
) -> Iterator[Answer]:
    """An Answer for each of `links` that `is_asked`, in the order in which they come.

    An address is asked once, however many links have it. `workers` hosts are asked at a time, each for one address at
    a time with a `gap`; `timeout` is in seconds, for all that one request takes. `allow_private` is for tests.
    """
    by_target: dict[Target, list[Link]] = defaultdict(list)
    for link in links:
        if link.is_asked:
            try:
                by_target[Target.of(link.url)].append(link)
            except NoAnswer as fault:
                yield _Outcome(None, None, fault.code, fault.words, fault.hint).answer(link)
    by_host: dict[str, list[Target]] = defaultdict(list)
    for target in by_target:
        by_host[target.host].append(target)
    todo: queue.SimpleQueue[list[Target]] = queue.SimpleQueue()
    for targets in by_host.values():
        todo.put(targets)
    web = Guarded(timeout=timeout, gap=gap, allow_private=allow_private, resolve=resolve)
    found: queue.SimpleQueue[tuple[Target, _Outcome | Exception]] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                for target in todo.get_nowait():
                    if stopped.is_set():
                        return
                    try:
                        found.put((target, _follow(target, web)))
                    except Exception as error:
                        found.put((target, error))

    for _ in range(min(max(workers, 1), len(by_host))):
        threading.Thread(target=work, name="asking", daemon=True).start()
    try:
        for _ in by_target:
            target, outcome = found.get()
            if isinstance(outcome, Exception):
                raise outcome
            for link in by_target[target]:
                yield outcome.answer(link)
    finally:
        stopped.set()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of an address, whichever links have it. `words` and `hint` say what is wrong, if anything is."""

    status: int | None
    final_url: str | None
    """None without a redirect."""
    code: str = ""
    words: str = ""
    hint: str = ""

    def answer(self, link: Link) -> Answer:
        problem = None
        if self.words:
            problem = Problem(self.code, f"`{link.url}` {self.words}", link.location, self.hint, Severity.WARNING)
        return Answer(link, self.status, self.final_url or link.url, problem)


def _follow(target: Target, web: Guarded) -> _Outcome:
    """What becomes of somebody who opens `target`."""
    here = moved = target
    lasting = True
    for _ in range(MAX_REDIRECTS + 1):
        final_url = here.url if here != target else None
        way = f"leads on to `{here.url[:_SHOWN]}`, which " if final_url else ""
        try:
            status, location = web.status_of(here)
            if location is None or status not in _REDIRECTS:
                return _judged(status, final_url, way) or _moved(target, moved, status, final_url)
            here = here.onward(location)
        except NoAnswer as fault:
            return _Outcome(None, final_url, fault.code, way + fault.words, fault.hint)
        lasting = lasting and status in _LASTING
        moved = here if lasting else moved
    words = f"sends visitors on more than {MAX_REDIRECTS} times"
    return _Outcome(None, None, "unreachable-link", words, _END)


def _judged(status: int, final_url: str | None, way: str) -> _Outcome | None:
    """What is wrong with a page by its `status`, if anything is."""
    if status < 300 or status in UNSURE:
        return None
    if status < 400:
        words = f"{way}sends visitors on, but doesn't say where to ({status})"
        return _Outcome(status, final_url, "unreachable-link", words, LATER)
    if status < 500:
        words = f"{way}{_GONE.get(status, 'is answered with an error')} ({status})"
        return _Outcome(status, final_url, "dead-link", words, _MEND)
    return _Outcome(status, final_url, "unreachable-link", f"{way}has a fault at the moment ({status})", LATER)


def _moved(target: Target, moved: Target, status: int, final_url: str | None) -> _Outcome:
    """A page that answers; with the address to write when the old one was given up for another host or path.

    Nothing is said of `http` become `https`, `www.`, a slash at the end, or the way from a front page to one inside:
    readers get there as well, and warnings about what costs nobody anything teach people to skip them.
    """
    old, new = (
        (each.host.removeprefix("www."), unquote(each.path.partition("?")[0]).rstrip("/")) for each in (target, moved)
    )
    if old == new or (old[0] == new[0] and not old[1]):
        return _Outcome(status, final_url)
    hint = f"if it is still the page you mean, write `{moved.url}`" if len(moved.url) <= _COPIED else _END
    return _Outcome(status, final_url, "moved-link", "has moved for good", hint)
