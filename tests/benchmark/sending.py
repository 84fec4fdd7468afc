"""Planning and sending at size: `python tests/benchmark/sending.py [PEOPLE]`. Ratios of one run; nothing is asserted.

The provider is `sink.py`, a process of its own that answers 202 after a fixed time and looks at nothing.
"""

from __future__ import annotations

import json
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from mailing import BATCH, SECRET, make_list_of, order

from newsletter.dispatch.plan import freeze
from newsletter.dispatch.send import Speed, send, start
from newsletter.esp import Accepted, Message, Recipient
from newsletter.esp.payload import PayloadWriter
from newsletter.esp.sendgrid import SendGrid
from newsletter.store import open_store

HERE = Path(__file__).parent
CONNECTIONS = 16
LATENCY = 100
"""Milliseconds."""
CALLS = 320
RUNS = 3
KEY = "SG.a-key-for-the-sink"


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{'':44} {'ours':>14} {'rival':>14} {'ratio':>8}  expected")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_list_of(folder / "list.db", people)
        _throughput(folder, people)
        _planning(folder, people)
        _memory(folder, people)


def _throughput(folder: Path, people: int) -> None:
    calls = min(CALLS, people // BATCH)
    message, recipients = _one_call(folder)
    body = PayloadWriter().write(message, recipients)
    rates: dict[str, list[float]] = {"ours": [], "raw": [], "helpers": []}
    for _ in range(RUNS):
        # Taken in turn, so that what else the machine does meets all of them.
        with sink(LATENCY) as port:
            rates["ours"].append(_send(folder, port, calls * BATCH, CONNECTIONS))
            rates["raw"].append(_raw(port, body, calls, CONNECTIONS))
            rates["helpers"].append(_helpers(port, message, recipients, calls // 8, CONNECTIONS))
    ours, raw, helpers = (median(rates[name]) for name in ("ours", "raw", "helpers"))
    what = f"recipients/s, {LATENCY} ms latency, {CONNECTIONS} connections"
    row(what, ours, raw, f"{ours / raw:.2f}", ">= 0.70 of raw prebuilt bytes")
    row("  against the SDK's Mail helper, 16 threads", ours, helpers, f"{ours / helpers:.1f}x", ">= 4x")
    with sink(0) as port:
        alone = _send(folder, port, calls * BATCH, 2)
        ceiling = _raw(port, body, calls, 1)
    row("recipients/s, no latency, claims and records", alone, ceiling, f"{alone / ceiling:.2f}", ">= 50,000/s")


def _one_call(folder: Path) -> tuple[Message, Sequence[Recipient]]:
    """What the engine hands to the provider for one batch."""
    seen: list[tuple[Message, Sequence[Recipient]]] = []

    class Noting:
        def send(self, message: Message, recipients: Sequence[Recipient]) -> Accepted:
            seen.append((message, recipients))
            return Accepted(None)

    _sent(folder, Noting(), BATCH, 1)
    return seen[0]


def _send(folder: Path, port: int, people: int, connections: int) -> float:
    with SendGrid(KEY, f"http://127.0.0.1:{port}") as provider:
        return people / _sent(folder, provider, people, connections)


def _sent(folder: Path, provider: Any, people: int, connections: int) -> float:
    """Seconds that a sending takes, claims and records included, the plan not."""
    path = _copy(folder, "sending.db")
    with open_store(f"sqlite:///{path}") as store:
        dispatch = freeze(store, order(people), now=datetime.now(UTC), secret=SECRET).dispatch
        assert dispatch is not None
        began = time.perf_counter()
        started = start(store, dispatch.id, now=datetime.now(UTC))
        done = send(store, provider, started, secret=SECRET, speed=Speed(connections))
        took = time.perf_counter() - began
    assert done.tally.accepted == people
    return took


def _raw(port: int, body: bytes, calls: int, connections: int) -> float:
    """Recipients/s of the same bytes, ready-made, over as many sockets that are kept open: the ceiling."""
    head = f"POST /v3/mail/send HTTP/1.1\r\nHost: sink\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    request = head + body

    def post(count: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for _ in range(count):
                connection.sendall(request)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    answer += connection.recv(4096)

    return _in_threads(post, calls, connections)


def _helpers(port: int, message: Message, recipients: Sequence[Recipient], calls: int, connections: int) -> float:
    """Recipients/s of what a user would write: the SDK's Mail helper, one call for a thousand."""
    from sendgrid import SendGridAPIClient
    from sendgrid.helpers.mail import Content, CustomArg, From, Header, Mail, Personalization, Substitution, To

    def build() -> Any:
        mail = Mail(From(message.from_email, message.from_name), subject=message.subject)
        mail.add_content(Content("text/plain", message.text))
        mail.add_content(Content("text/html", message.html))
        for recipient in recipients:
            personalization = Personalization()
            personalization.add_to(To(recipient.email, recipient.name))
            for token, value in recipient.substitutions.items():
                personalization.add_substitution(Substitution(token, value))
            for name, value in {**message.headers, **recipient.headers}.items():
                personalization.add_header(Header(name, value))
            for name, value in recipient.custom_args.items():
                personalization.add_custom_arg(CustomArg(name, value))
            mail.add_personalization(personalization)
        return mail

    def post(count: int) -> None:
        client = SendGridAPIClient(KEY, host=f"http://127.0.0.1:{port}")
        for _ in range(count):
            client.send(build())

    return _in_threads(post, calls, connections)


def _in_threads(post: Callable[[int], None], calls: int, connections: int) -> float:
    each = max(1, calls // connections)
    threads = [threading.Thread(target=post, args=(each,)) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * connections * BATCH / (time.perf_counter() - began)


def _planning(folder: Path, people: int) -> None:
    path = _copy(folder, "plan.db")
    with open_store(f"sqlite:///{path}") as store:
        began = time.perf_counter()
        freeze(store, order(), now=datetime.now(UTC), secret=SECRET)
        ours = time.perf_counter() - began
    rival = _bare_insert(path)
    row(f"plan for {people:,}, seconds", ours, rival, f"{ours / rival:.1f}x", "<= 6x of INSERT … SELECT", "{:,.1f}")


def _bare_insert(path: Path) -> float:
    """Seconds of copying the same rows into a table of the same shape, with the same indexes, in the same file."""
    with sqlite3.connect(path) as connection:
        made = connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'deliveries' AND sql IS NOT NULL")
        for (sql,) in made.fetchall():
            name = sql.split("INDEX ")[1].split(" ")[0] if "INDEX " in sql else None
            copied = sql.replace(name, f"copy_{name}", 1) if name else sql
            connection.execute(copied.replace("deliveries (", "copied (", 1).replace("ON deliveries", "ON copied", 1))
        connection.commit()
        began = time.perf_counter()
        connection.execute("INSERT INTO copied SELECT * FROM deliveries")
        connection.commit()
        return time.perf_counter() - began


def _memory(folder: Path, people: int) -> None:
    """Peak memory of planning and sending, in processes of their own."""
    sizes = [size for size in (10_000, 100_000, 1_000_000) if size <= people]
    peaks = {}
    for size in sizes:
        path = _copy(folder, "memory.db")
        with sink(0) as port:
            measured = subprocess.run(
                [sys.executable, __file__, "--child", str(path), str(port), str(size)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
        peaks[size] = json.loads(measured.stdout)["mb"]
    for size in sizes:
        expected = "" if size == sizes[0] else f"<= 1.5x of {sizes[0]:,}, <= 300 MB"
        ratio = peaks[size] / peaks[sizes[0]]
        row(f"peak memory, plan and send {size:,}, MB", peaks[size], None, f"{ratio:.2f}x", expected)


def child(path: str, port: str, people: str) -> None:
    with open_store(f"sqlite:///{path}") as store, SendGrid(KEY, f"http://127.0.0.1:{port}") as provider:
        dispatch = freeze(store, order(int(people)), now=datetime.now(UTC), secret=SECRET).dispatch
        assert dispatch is not None
        send(store, provider, start(store, dispatch.id, now=datetime.now(UTC)), secret=SECRET, speed=Speed(8))
    print(json.dumps({"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def _copy(folder: Path, name: str) -> Path:
    for old in folder.glob(f"{name}*"):
        old.unlink()
    return Path(shutil.copy(folder / "list.db", folder / name))


@contextmanager
def sink(latency: int) -> Iterator[int]:
    """A provider that answers after `latency` milliseconds; its port."""
    process = subprocess.Popen([sys.executable, HERE / "sink.py", str(latency)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def row(what: str, ours: float, rival: float | None, ratio: str, expected: str, form: str = "{:,.0f}") -> None:
    theirs = form.format(rival) if rival is not None else ""
    print(f"{what:44} {form.format(ours):>14} {theirs:>14} {ratio:>8}  {expected}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
