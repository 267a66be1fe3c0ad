"""Scores batches beside the loop, one after the other, so that the group hears from a worker whose batch takes long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Aside(Protocol):
    """Does things beside the loop: a thread, or a stand-in in tests."""

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Have something done; in the order of the calls."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...


class ScoringThread:
    """One thread. It is a daemon: a model that hangs must not keep the process from ending."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        Thread(target=self._run, name="scoring", daemon=True).start()

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Have something done."""
        future: Future[Result] = Future()
        self._work.put((work, future))
        return future

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._work.put(None)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, future = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)
