"""Ends the process when a call into librdkafka doesn't return.

After a broker was killed, `send_offsets_to_transaction` has been seen to hang for good, whatever its time-out. A process
that hangs holds its partitions; one that ends is started again by its supervisor, and its transaction is aborted.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import structlog

from stream_detector.errors import START_AGAIN

_CHECK_EVERY_S = 0.5

_log = structlog.get_logger()


def end_process(doing: str) -> None:
    """Leave at once: the thread that hangs can't be reached by any gentler means."""
    _log.critical("kafka call hangs, ending the process", call=doing, remedy="let a supervisor start the worker again")
    os._exit(START_AGAIN)


class Watchdog:
    """Watches one call at a time, from a thread of its own."""

    def __init__(self, on_hang: Callable[[str], None] = end_process, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_hang = on_hang
        self._clock = clock
        self._watched: tuple[float, str] | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        """Start watching."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._closed.set()
        self._thread.join()

    @contextmanager
    def limit(self, seconds: float, doing: str) -> Iterator[None]:
        """Give the body so much time."""
        self._watched = (self._clock() + seconds, doing)
        try:
            yield
        finally:
            self._watched = None

    def check(self) -> None:
        """Act if the watched call is overdue."""
        watched = self._watched
        if watched is not None and self._clock() > watched[0]:
            self._on_hang(watched[1])

    def _run(self) -> None:
        while not self._closed.wait(_CHECK_EVERY_S):
            self.check()
