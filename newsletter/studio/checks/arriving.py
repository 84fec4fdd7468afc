"""Slow work that gives its results one by one, for a page that shows each as it comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def arriving(work: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """What the iterator that `work` makes gives, as it comes. It is made and run in a thread of its own.

    When nobody waits for more (the page was closed), it ends with its next result. Raises what it raises.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue()
    stopped = threading.Event()

    def tell(what: tuple[T] | Exception | None) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(came.put_nowait, what)

    def run() -> None:
        try:
            for item in work():
                if stopped.is_set():
                    return
                tell((item,))
            tell(None)
        except Exception as error:
            tell(error)

    threading.Thread(target=run, name="arriving", daemon=True).start()
    try:
        while (got := await came.get()) is not None:
            if isinstance(got, Exception):
                raise got
            yield got[0]
    finally:
        stopped.set()
