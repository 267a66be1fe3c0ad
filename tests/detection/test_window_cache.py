"""The window cache: each window is read once, whoever asks and however often."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from stream_detector.batching import CostModel
from stream_detector.detection.window_cache import WindowCache
from stream_detector.inference.backend import WindowOutput
from stream_detector.observability import Metrics


class _Held:
    """Answers when it is told to; a window's logit is its first token."""

    name = "held"
    costs = CostModel()
    seconds_left = 0.0

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], Future[WindowOutput]]] = []

    def measure(self, longest: int, *, budget_s: float) -> None:
        """Nothing to time."""

    def submit(self, tokens: Sequence[int], *, deadline: float | None = None) -> Future[WindowOutput]:
        """Remember who asked for what."""
        self.asked.append((tuple(tokens), Future()))
        return self.asked[-1][1]

    def answer(self) -> None:
        """Answer all that is open."""
        for tokens, future in self.asked:
            if not future.done():
                future.set_result(WindowOutput(float(tokens[0]), np.ones((len(tokens), 8), dtype=np.float32)))

    def close(self) -> None:
        """Nothing to release."""


def _cache(backend: _Held, max_bytes: int = 100_000, metrics: Metrics | None = None) -> WindowCache:
    return WindowCache(backend, lambda logit: logit > 10, max_bytes, metrics or Metrics())


def test_a_window_is_asked_for_once() -> None:
    """While it is being read those who ask join; afterwards they get what was kept."""
    backend, metrics = _Held(), Metrics()
    cache = _cache(backend, metrics=metrics)
    first, second = cache.read([5, 6]), cache.read([5, 6])
    assert (first.fresh, second.fresh) == (True, False)
    assert len(backend.asked) == 1
    backend.answer()
    third = cache.read([5, 6])
    assert [read.output.result(1).logit for read in (first, second, third)] == [5.0, 5.0, 5.0]
    assert len(backend.asked) == 1
    assert {result: metrics.window_cache_requests.labels(result)._value.get() for result in ("hit", "miss")} == {
        "hit": 2,
        "miss": 1,
    }


def test_windows_are_told_apart_by_every_token() -> None:
    """Order and length count, and no two lists of numbers run into each other."""
    backend = _Held()
    cache = _cache(backend)
    for tokens in ([1, 2], [2, 1], [1], [1, 2, 0], [258], [0, 1]):
        cache.read(tokens)
    assert len(backend.asked) == 6


def test_tags_are_kept_of_offending_windows_only() -> None:
    """Nobody asks for the others, and they are the most of it."""
    backend = _Held()
    cache = _cache(backend)
    for tokens in ([50] * 100, [5] * 100):
        cache.read(tokens)
    backend.answer()
    assert cache.read([50] * 100).output.result(1).tags.shape == (100, 8)
    assert cache.read([5] * 100).output.result(1).tags.size == 0
    assert 100 * 8 * 4 < cache.held_bytes < 2 * 100 * 8 * 4


def test_a_failure_is_not_kept() -> None:
    """Those who joined hear of it; who asks later has it tried again."""
    backend = _Held()
    cache = _cache(backend)
    first, second = cache.read([5]), cache.read([5])
    backend.asked[0][1].set_exception(ZeroDivisionError())
    for read in (first, second):
        with pytest.raises(ZeroDivisionError):
            read.output.result(1)
    assert cache.read([5]).fresh
    assert len(backend.asked) == 2


def test_a_cancelled_window_is_not_kept() -> None:
    """As when the backend is closed while it waits."""
    backend = _Held()
    cache = _cache(backend)
    cache.read([5])
    assert backend.asked[0][1].cancel()
    assert cache.read([5]).fresh


def test_it_is_bounded() -> None:
    """However many windows there are, what is kept stays within its bytes."""
    backend = _Held()
    cache = _cache(backend, max_bytes=20_000)
    for number in range(200):
        cache.read([50 + number] * 50)
        backend.answer()
    assert cache.held_bytes <= 20_000
    assert not cache.read([249] * 50).fresh
    assert cache.read([50] * 50).fresh


def test_threads_may_share_it() -> None:
    """Threads that ask for the same few windows, while another answers, all get the right ones."""
    backend = _Held()
    cache = _cache(backend)
    over = threading.Event()

    def answer() -> None:
        while not over.wait(0.001):
            backend.answer()

    def ask(seed: int) -> bool:
        return all(cache.read([(seed + step) % 7]).output.result(30).logit == (seed + step) % 7 for step in range(300))

    answering = threading.Thread(target=answer)
    answering.start()
    with ThreadPoolExecutor(4) as threads:
        right = list(threads.map(ask, range(4)))
    over.set()
    answering.join()
    assert all(right)
    assert len(backend.asked) == 7
