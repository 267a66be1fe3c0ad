"""Outputs by window: a window that was read before, in whatever text, is not read again, and one that is being read is joined."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import NamedTuple

import numpy as np

from stream_detector.detection.cache import BoundedCache
from stream_detector.inference.backend import Backend, WindowOutput
from stream_detector.observability import Metrics

_NO_TAGS = np.empty((0, 0), dtype=np.float32)


class Read(NamedTuple):
    """What the network says or will say of a window, and whether it was asked for the first time."""

    output: Future[WindowOutput]
    fresh: bool


class WindowCache:
    """Reads windows with a backend, each once.

    The key is the window's token numbers: they follow from the normalized text, and a cache belongs to one model.

    Args:
        backend: reads what isn't known.
        offends: whether a window with such a logit is a violation: only then are its tags kept, for nobody asks for the others.
        max_bytes: bound of what is kept.
        metrics: where look-ups are counted.
    """

    def __init__(self, backend: Backend, offends: Callable[[float], bool], max_bytes: int, metrics: Metrics) -> None:
        self._backend = backend
        self._offends = offends
        self._kept: BoundedCache[WindowOutput] = BoundedCache(max_bytes)
        self._running: dict[bytes, Future[WindowOutput]] = {}
        self._lock = Lock()
        self._requests = metrics.window_cache_requests

    @property
    def held_bytes(self) -> int:
        """What is kept takes so much."""
        return self._kept.held_bytes

    def read(self, tokens: Sequence[int], *, deadline: float | None = None) -> Read:
        """The output for a window of token numbers (without special ones), now or soon."""
        key = array("i", tokens).tobytes()
        with self._lock:
            known = self._kept.get(key)
            future = self._running.get(key)
            fresh = known is None and future is None
            if known is not None:
                future = Future()
                future.set_result(known)
            elif future is None:
                future = self._running[key] = self._backend.submit(tokens, deadline=deadline)
        self._requests.labels("miss" if fresh else "hit").inc()
        if fresh:
            # Outside the lock: an output that is there already is kept in this very call.
            future.add_done_callback(partial(self._keep, key))
        return Read(future, fresh)

    def _keep(self, key: bytes, future: Future[WindowOutput]) -> None:
        with self._lock:
            del self._running[key]
            if future.cancelled() or future.exception() is not None:
                return  # what failed is tried again when it is asked for again
            output = future.result()
            # A copy: the network's array holds the rows of the whole run.
            tags = output.tags.copy() if self._offends(output.logit) else _NO_TAGS
            self._kept.put(key, WindowOutput(output.logit, tags), size=tags.nbytes + 250)
