"""The dispatcher: every window its own answer, whatever the company, the shape and the threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from random import Random

import pytest

from stream_detector.batching import RunLimits, Shape
from stream_detector.inference.backend import WindowOutput
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.observability import Metrics
from tests.inference.stand_in import POISON, SPECIAL, SumNetwork

BUCKETS = RunLimits(shapes=(Shape(4, 64), Shape(1, 128), Shape(4, 128), Shape(2, 256), Shape(1, 512)))
Make = Callable[..., Dispatcher]


@pytest.fixture
def make() -> Iterator[Make]:
    """Dispatchers that are closed after the test."""
    made = []

    def _make(network: SumNetwork, metrics: Metrics | None = None) -> Dispatcher:
        made.append(Dispatcher(network, special=SPECIAL, metrics=metrics))
        return made[-1]

    yield _make
    for dispatcher in made:
        dispatcher.close()


def _right(tokens: Sequence[int], output: WindowOutput) -> bool:
    return output.logit == sum(tokens) + sum(SPECIAL) and output.tags[:, 0].tolist() == list(tokens)


def _windows(count: int, longest: int) -> list[list[int]]:
    rng = Random(4)
    return [[rng.randrange(1, 500) for _ in range(rng.randint(1, longest))] for _ in range(count)]


@pytest.mark.parametrize("limits", [RunLimits(), RunLimits(max_rows=8), BUCKETS], ids=["alone", "together", "buckets"])
@pytest.mark.parametrize("sessions", [1, 3])
def test_each_window_gets_its_own_answer(make: Make, limits: RunLimits, sessions: int) -> None:
    """Whoever submits, from however many threads: futures stay with their windows, tags without special tokens and padding."""
    backend = make(SumNetwork(limits, sessions=sessions))
    windows = _windows(60, 500)

    def submit_all(_: int) -> list[Future[WindowOutput]]:
        return [backend.submit(tokens) for tokens in windows]

    with ThreadPoolExecutor(3) as callers:
        for futures in callers.map(submit_all, range(3)):
            assert all(map(_right, windows, [future.result(30) for future in futures]))
    assert backend.seconds_left == 0


def _held(make: Make, limits: RunLimits, metrics: Metrics | None = None) -> tuple[Dispatcher, SumNetwork, threading.Event]:
    """A dispatcher whose only session is busy with one window until the gate is opened."""
    gate = threading.Event()
    network = SumNetwork(limits, gate=gate)
    backend = make(network, metrics)
    backend.submit([1])
    assert network.entered.wait(30)
    return backend, network, gate


def test_what_comes_during_a_run_shares_the_next(make: Make) -> None:
    """Compiled shapes are filled with what waits, from different callers too; text and padding are counted."""
    metrics = Metrics()
    backend, network, gate = _held(make, RunLimits(shapes=(Shape(4, 64), Shape(4, 128))), metrics)
    windows = [[7] * length for length in (40, 100, 50, 60, 90, 30)]
    futures = [backend.submit(tokens) for tokens in windows]
    assert backend.seconds_left > 0
    gate.set()
    assert all(map(_right, windows, [future.result(30) for future in futures]))
    assert network.shapes == [(4, 64), (4, 64), (4, 128)]
    text = sum(len(tokens) + 2 for tokens in [[1], *windows])
    counted = {kind: metrics.tokens.labels(kind)._value.get() for kind in ("text", "padding")}
    assert counted == {"text": text, "padding": 2 * 4 * 64 + 4 * 128 - text}


def test_the_most_urgent_goes_first(make: Make) -> None:
    """A deadline overtakes what was submitted before it."""
    backend, network, gate = _held(make, RunLimits())
    first, second = backend.submit([1] * 10), backend.submit([1] * 20, deadline=backend._clock() + 0.1)
    gate.set()
    assert first.result(30)
    assert second.result(30)
    assert network.shapes == [(1, 3), (1, 22), (1, 12)]


def test_every_run_has_a_reason_and_an_error(make: Make) -> None:
    """What operators read: why runs held no more, and how far off the cost model is."""
    metrics = Metrics()
    backend, _, gate = _held(make, RunLimits(), metrics)
    futures = [backend.submit([1]), backend.submit([1])]
    gate.set()
    assert all(future.result(30) for future in futures)
    backend.close()
    counted = {reason: metrics.runs.labels(reason)._value.get() for reason in ("idle", "side_by_side")}
    assert counted == {"idle": 2, "side_by_side": 1}
    assert metrics.registry.get_sample_value("stream_detector_cost_error_ratio_count") == 3


def test_poison_fails_alone(make: Make) -> None:
    """A window on which the network fails costs those in the same run nothing."""
    backend, _, gate = _held(make, RunLimits(shapes=(Shape(4, 64),)))
    windows = [[1, 2], [POISON], [3]]
    futures = [backend.submit(tokens) for tokens in windows]
    gate.set()
    with pytest.raises(ZeroDivisionError):
        futures[1].result(30)
    assert _right(windows[0], futures[0].result(30))
    assert _right(windows[2], futures[2].result(30))


def test_what_fits_no_shape_is_refused(make: Make) -> None:
    """At once and to whoever submits it, not in a thread where nobody hears it."""
    with pytest.raises(ValueError, match="longer than every shape"):
        make(SumNetwork(BUCKETS)).submit([1] * 511)


def test_close_cancels_what_waits_and_finishes_what_runs(make: Make) -> None:
    """Nobody waits for ever, nothing can be submitted any more, and closing twice is fine."""
    backend, network, gate = _held(make, RunLimits())
    waiting = backend.submit([2])
    threading.Timer(0.05, gate.set).start()
    backend.close()
    backend.close()
    with pytest.raises(CancelledError):
        waiting.result(30)
    assert network.shapes == [(1, 3)]
    with pytest.raises(RuntimeError, match="closed"):
        backend.submit([3])


def test_a_cancelled_window_is_not_run(make: Make) -> None:
    """A caller who gave up costs nothing."""
    backend, network, gate = _held(make, RunLimits())
    given_up, wanted = backend.submit([1] * 5), backend.submit([1] * 6)
    assert given_up.cancel()
    gate.set()
    assert wanted.result(30)
    assert network.shapes == [(1, 3), (1, 8)]
