"""CSV files that were dropped on the import page: kept under `.newsletter/` while they are looked at and imported.

A file is tried before it is imported: what was tried is what can be imported, and nothing else.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

from newsletter.errors import NewsletterError, StoreError
from newsletter.store.csv_look import CsvLook, look_at_csv
from newsletter.store.import_csv import ImportProgress, ImportReport
from newsletter.studio.people.import_job import Job, Matching, do_job

FOLDER = "imports"
"""In the workspace's own folder."""
_OLD = 24 * 3600
"""Seconds after which a folder that another Studio left behind is removed."""
_LONGEST_NAME = 100


class _Stopped(Exception):
    """Raised in an import that somebody stopped."""


class Run:
    """An import, or a trial of one: under way until `report`, `failure` or `stopped` says how it ended."""

    def __init__(self, matching: Matching, *, trial: bool) -> None:
        self.matching = matching
        self.trial = trial
        self.progress: ImportProgress | None = None
        self.report: ImportReport | None = None
        self.failure: str | None = None
        self.stopped = False
        self._stop = threading.Event()

    @property
    def is_over(self) -> bool:
        return self.report is not None or self.failure is not None or self.stopped

    def stop(self) -> None:
        """Have it end after the rows that it has in its hands."""
        self._stop.set()

    async def go(self, database_url: str, path: Path, report_file: Path) -> None:
        """Do it, in a thread."""
        job = Job(database_url, path, self.matching, report_file, self.trial)
        try:
            self.report = await asyncio.to_thread(do_job, job, self._tell)
        except _Stopped:
            self.stopped = True
        except NewsletterError as error:
            self.failure = f"{error}; {error.hint}" if error.hint else str(error)
        finally:
            if not self.is_over:
                self.failure = "it failed in a way that nobody thought of; the log of the Studio says more"

    def _tell(self, progress: ImportProgress) -> None:
        self.progress = progress
        if self._stop.is_set():
            raise _Stopped


class Upload:
    """A file that is here, and what has been done with it. `run` is the newest trial or import."""

    def __init__(self, key: str, path: Path) -> None:
        self.key = key
        self.path = path
        self.look: CsvLook | None = None
        self.failure: str | None = None
        self.run: Run | None = None
        self.pages = 0
        """Pages that show it."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def refused_file(self) -> Path:
        """Where the rows are that weren't taken."""
        return self.path.parent / f"{self.path.stem}.refused.csv"

    @property
    def is_busy(self) -> bool:
        return self.run is not None and not self.run.is_over

    @property
    def tried(self) -> Run | None:
        """The trial that ended well, when nothing has come after it."""
        return self.run if self.run is not None and self.run.trial and self.run.report is not None else None

    async def look_inside(self, names_columns: bool | None = None) -> None:
        """Read the beginning, into `look`, or say in `failure` why that can't be."""
        try:
            self.look = await asyncio.to_thread(look_at_csv, self.path, names_columns=names_columns)
        except StoreError as error:
            self.failure = f"{error}; {error.hint}" if error.hint else str(error)

    def try_out(self, matching: Matching) -> Run:
        """What would come of it; `go` does it."""
        return self._start(Run(matching, trial=True))

    def take_in(self) -> Run:
        """An import of what was tried; `go` does it. Raises ValueError when nothing was."""
        if self.tried is None:
            raise ValueError("nothing is imported that wasn't tried before")
        return self._start(Run(self.tried.matching, trial=False))

    def _start(self, run: Run) -> Run:
        if self.is_busy:
            raise ValueError("it is under way already")
        self.run = run
        return run


class Uploads:
    """The files that are here, in a folder that nobody else can read."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._known: dict[str, Upload] = {}

    def get(self, key: str) -> Upload | None:
        """The upload of a key, if it is still here."""
        return self._known.get(key)

    async def receive(self, name: str, content: AsyncIterator[bytes]) -> Upload:
        """Write a file as it comes in. Raises OSError, e.g. when the disk is full."""
        await asyncio.to_thread(self._remove_old)
        key = secrets.token_urlsafe(9)
        folder = self._folder / key
        folder.mkdir(parents=True, mode=0o700)
        upload = Upload(key, folder / file_name(name))
        try:
            upload.path.touch(mode=0o600)
            with upload.path.open("wb") as file:
                async for block in content:
                    await asyncio.to_thread(file.write, block)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._known[key] = upload
        return upload

    def leave(self, upload: Upload) -> None:
        """A page doesn't show it any more: it goes with the last one, unless it is being imported."""
        upload.pages -= 1
        self.tidy(upload)

    def tidy(self, upload: Upload) -> None:
        """Remove it when no page shows it and nothing is done with it."""
        if upload.pages <= 0 and not upload.is_busy:
            self._known.pop(upload.key, None)
            shutil.rmtree(upload.path.parent, ignore_errors=True)

    def close(self) -> None:
        """Stop what is under way, and remove all files."""
        for upload in list(self._known.values()):
            if upload.run is not None:
                upload.run.stop()
            shutil.rmtree(upload.path.parent, ignore_errors=True)
        self._known.clear()

    def _remove_old(self) -> None:
        for folder in self._folder.glob("*") if self._folder.is_dir() else ():
            if folder.name not in self._known and time.time() - folder.stat().st_mtime > _OLD:
                shutil.rmtree(folder, ignore_errors=True)


def file_name(given: str) -> str:
    """A name for a file that somebody sent: without folders, and with nothing that isn't a letter to see."""
    name = given.replace("\\", "/").rpartition("/")[2].strip().lstrip(".")
    name = "".join(letter for letter in name if letter.isprintable())[-_LONGEST_NAME:]
    return name or "people.csv"
