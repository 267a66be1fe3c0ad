"""An iterator that runs in a thread of its own, some items ahead of who reads it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class _End:
    """What follows the last item: nothing, or the error that ended the source."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class ReadAhead(Generic[Item]):
    """Takes items from `source` in a thread, at most `depth` ahead; an error of the source is raised to the reader.

    The thread is a daemon: a source that waits for input doesn't keep the process from leaving.
    """

    def __init__(self, source: Iterable[Item], *, depth: int) -> None:
        self._source = source
        self._items: queue.Queue[Item | _End] = queue.Queue(depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        """The items, one by one."""
        for batch in self.batches(1):
            yield from batch

    def batches(self, size: int) -> Iterator[list[Item]]:
        """The items in lists of what has come: `size` at most from a fast source, single ones from a slow one."""
        while True:
            batch: list[Item] = []
            item = self._items.get()
            while not isinstance(item, _End):
                batch.append(item)
                if len(batch) == size or self._items.empty():
                    break
                item = self._items.get()
            if batch:
                yield batch
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return

    def close(self) -> None:
        """Take no more from the source."""
        self._closed.set()

    def __enter__(self) -> Self:
        """Close when left."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _fill(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._source:
                self._put(item)
                if self._closed.is_set():
                    return
        except BaseException as caught:  # noqa: BLE001 - raised again where the items are read
            error = caught
        self._put(_End(error))

    def _put(self, item: Item | _End) -> None:
        while not self._closed.is_set():
            try:
                self._items.put(item, timeout=0.2)
            except queue.Full:
                continue
            return
