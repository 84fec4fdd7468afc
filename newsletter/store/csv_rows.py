"""The rows of a CSV file as other programs write it: its encoding and separator found out, each row with its line.

A row that can't be read is told, and the next line is read as if it had not been there; a quotation mark that
nobody closed so costs its own line and not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from newsletter.errors import StoreError

_SEPARATORS = ",;\t|"
_BLOCK = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNREADABLE = re.compile("[\x00\udc80-\udcff]")
"""A zero byte, which PostgreSQL doesn't store, and what stands for bytes that are nothing in the file's encoding."""


class CsvRow(NamedTuple):
    """One row: `line` is the first it stands on, from 1; `text` how it is written, for as many lines as it takes.

    `fault` says why it can't be read; `values` are empty then.
    """

    line: int
    text: str
    values: Sequence[str]
    fault: str | None = None


class CsvRows:
    """An open CSV file: its `header` names, and its rows, once, by iterating. Use it with `with`.

    `is_header` chooses between the possible separators: the one by which it accepts the first line is taken, else the
    one that makes the most of it. Raises StoreError when the file can't be read.
    """

    def __init__(self, path: Path, is_header: Callable[[Sequence[str]], bool]) -> None:
        try:
            self.size = path.stat().st_size
            self.encoding = _encoding(path)
            self._bytes = path.open("rb")
        except OSError as error:
            raise StoreError(f"can't read {path}: {error.strerror}") from None
        errors = "replace" if self.encoding.startswith("utf-16") else "surrogateescape"
        self._file = TextIOWrapper(self._bytes, encoding=self.encoding, errors=errors, newline="")
        self._pushed_back: list[str] = []
        self._taken: list[str] = []
        self._line = 0
        self._header: list[str] = []
        self.separator = ","
        self.header = self._read_header(is_header)

    def __enter__(self) -> CsvRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def header_is_row(self) -> None:
        """Read the first line as a row too: the file doesn't name its columns. To be said before any row is read."""
        self._pushed_back = [*self._header, *self._pushed_back]
        self._line -= len(self._header)

    @property
    def bytes_read(self) -> int:
        """How far the file has been read; it is read in blocks."""
        return self._bytes.tell()

    def __iter__(self) -> Iterator[CsvRow]:
        taken, unreadable = self._taken, _UNREADABLE.search
        reader = self._reader()
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                # What was swallowed after the row's first line may well be rows.
                self._pushed_back = [*taken[1:], *self._pushed_back]
                del taken[1:]
                reader = self._reader()
                yield self._row(taken[0], (), _in_words(error))
                continue
            if values is None:
                return
            text = taken[0] if len(taken) == 1 else "".join(taken)
            if unreadable(text):
                yield self._row(
                    text, (), f"it has bytes that aren't text in {self.encoding}, as the rest of the file is"
                )
            else:
                yield self._row(text, values, None)

    def _row(self, text: str, values: Sequence[str], fault: str | None) -> CsvRow:
        row = CsvRow(self._line + 1, text, values, fault)
        self._line += len(self._taken)
        self._taken.clear()
        return row

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self.separator, strict=True)

    def _lines(self) -> Iterator[str]:
        """The lines from here on; each is noted as taken."""
        take = self._taken.append
        while self._pushed_back:
            line = self._pushed_back.pop(0)
            take(line)
            yield line
        for line in self._file:
            take(line)
            yield line

    def _read_header(self, is_header: Callable[[Sequence[str]], bool]) -> list[str]:
        separators = _SEPARATORS
        lines = [self._file.readline()]
        if re.fullmatch(r"sep=.\r?\n?", lines[0]):
            # Excel's own way to say it.
            separators = lines[0][4]
            self._line += 1
            lines = [self._file.readline()]
        readings: list[tuple[list[str], str, int]] = []
        for self.separator in separators:
            self._pushed_back = lines.copy()
            try:
                names = next(self._reader(), [])
            except csv.Error:
                names = []
            # A heading may go over several lines.
            lines = [*self._taken, *self._pushed_back]
            reading = (names, self.separator, len(self._taken))
            self._taken.clear()
            if is_header(names):
                break
            readings.append(reading)
        else:
            reading = max(readings, key=lambda each: len(each[0]))
        names, self.separator, taken = reading
        self._header, self._pushed_back = lines[:taken], lines[taken:]
        self._line += taken
        return names


def _encoding(path: Path) -> str:
    """UTF-8, UTF-16 or Windows-1252, whichever most of the lines are in."""
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                return encoding
        if len(start) > 1 and 0 in start[:2]:
            return "utf-16-le" if start[1] == 0 else "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
            return _likelier(file)
    return "utf-8"


def _likelier(lines: Iterator[bytes]) -> str:
    balance = 0
    for line in lines:
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                balance -= 1
            else:
                balance += 1
    return "utf-8" if balance > 0 else "cp1252"


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end" in said:
        return "a quotation mark is never closed"
    if "expected after" in said:
        return "something follows a closing quotation mark, or one was never closed"
    if "field limit" in said:
        return "a value is too long, or a quotation mark was never closed"
    return said
