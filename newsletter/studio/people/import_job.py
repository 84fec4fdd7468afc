"""An import as a job: a short file is read in this process, a long one in a process of its own. Reading a million rows
keeps an interpreter busy for a minute, and the pages of the Studio share one.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from newsletter.errors import NewsletterError
from newsletter.store import open_store
from newsletter.store.csv_columns import CsvColumn
from newsletter.store.import_csv import ImportProgress, ImportReport, import_csv

_SHORT = 1_000_000
"""Bytes of a file that is read quicker than a process starts."""

Tell = Callable[[ImportProgress], None]
"""Told how far it is; what it raises ends the import."""


@dataclass(frozen=True)
class Matching:
    """What each column of a file means, whether its first line names them, and the list that its people join."""

    columns: tuple[CsvColumn, ...]
    names_columns: bool
    list_name: str


@dataclass(frozen=True)
class Job:
    """What to import, from where to where, and where refused rows are written. A `trial` changes nothing."""

    database_url: str
    path: Path
    matching: Matching
    report_file: Path
    trial: bool


def do_job(job: Job, tell: Tell) -> ImportReport:
    """Do it; what has been told is stored, unless it is a trial. Raises NewsletterError, and what `tell` raises."""
    return _here(job, tell) if job.path.stat().st_size <= _SHORT else _apart(job, tell)


def _here(job: Job, tell: Tell) -> ImportReport:
    with open_store(job.database_url) as store:
        return import_csv(
            store,
            job.path,
            job.matching.list_name,
            now=datetime.now(UTC),
            columns=job.matching.columns,
            names_columns=job.matching.names_columns,
            report_file=job.report_file,
            dry_run=job.trial,
            progress=tell,
        )


def _apart(job: Job, tell: Tell) -> ImportReport:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(job, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            match ours.recv():
                case ImportProgress() as progress:
                    tell(progress)
                case ImportReport() as report:
                    return report
                case message, hint:
                    raise NewsletterError(message, hint=hint)
    except EOFError:
        raise NewsletterError(
            "the process of the import ended", hint="import it again: nothing is done twice"
        ) from None
    finally:
        # Whatever was not committed is undone by the database.
        process.kill()
        process.join()
        ours.close()


def _work(job: Job, theirs: Connection) -> None:
    """What the process does."""
    try:
        theirs.send(_here(job, theirs.send))
    except NewsletterError as error:
        theirs.send((error.message, error.hint))
