"""Timing a network, with a clock of our own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream_detector.batching import CostModel, RunLimits, Shape, Timing
from stream_detector.inference.timing import time_network, timing_points
from tests.inference.stand_in import SPECIAL, SumNetwork


class _Clock:
    """Stands still but for the runs."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Slow(SumNetwork):
    """A run takes a millisecond and ten microseconds a token; the first of each shape ten times as long."""

    def __init__(self, limits: RunLimits, clock: _Clock) -> None:
        super().__init__(limits)
        self._clock = clock

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        seen = ids.shape in self.shapes
        self._clock.now += (0.001 + 1e-5 * ids.size) * (1 if seen else 10)
        return super().run(ids, mask)


@pytest.mark.parametrize(
    ("limits", "points"),
    [
        (RunLimits(), [(1, 16), (1, 48), (1, 80), (1, 128)]),
        (RunLimits(max_rows=64), [(1, 16), (1, 48), (1, 80), (1, 128), (8, 16), (8, 128)]),
        (RunLimits(shapes=(Shape(8, 64), Shape(4, 128))), [(8, 64), (4, 128)]),
    ],
)
def test_points(limits: RunLimits, points: list[tuple[int, int]]) -> None:
    """Alone and in company where there may be company; of a compiled model, the shapes that it has."""
    assert timing_points(limits, 128) == points


def test_it_keeps_to_the_budget() -> None:
    """The worker must be ready within seconds: a turn of all points takes what it takes, and no turn is begun after that."""
    clock = _Clock()
    time_network(_Slow(RunLimits(), clock), SPECIAL, 128, budget_s=0.1, clock=clock)
    assert 0.1 < clock.now < 0.12


def test_a_slow_network_is_timed_once() -> None:
    """However small the budget, each point has a figure."""
    clock = _Clock()
    found = time_network(_Slow(RunLimits(), clock), SPECIAL, 128, budget_s=0, clock=clock)
    assert found == [Timing(1, length, pytest.approx(0.001 + 1e-5 * length)) for length in (16, 48, 80, 128)]


def test_the_model_follows() -> None:
    """From the timings the cost model foretells a length that wasn't timed."""
    clock = _Clock()
    costs = CostModel()
    costs.fit(time_network(_Slow(RunLimits(max_rows=8), clock), SPECIAL, 128, budget_s=0.5, clock=clock))
    assert costs.seconds(3, 100) == pytest.approx(0.004, rel=0.01)
