"""The cost model: what it is fitted to, what it learns, and what it must never say."""

from __future__ import annotations

from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.batching import CostModel, RunningMean, Timing

POINTS = [(1, 16), (1, 64), (1, 128), (4, 64), (8, 128)]


def _cpu(rows: int, length: int) -> float:
    return 0.0003 + rows * (0.0001 + 60e-6 * length + 1e-7 * length**2)


def _accelerator(rows: int, length: int) -> float:
    return 0.004 + rows * 2e-6 * length


def _timings(curve: object, points: list[tuple[int, int]] = POINTS) -> list[Timing]:
    assert callable(curve)
    return [Timing(rows, length, curve(rows, length)) for rows, length in points]


@pytest.mark.parametrize("curve", [_cpu, _accelerator])
def test_a_few_points_foretell_the_others(curve: object) -> None:
    """Both kinds of hardware are of the model's form, so what lies between and beyond the points comes out."""
    assert callable(curve)
    costs = CostModel()
    costs.fit(_timings(curve))
    for rows, length in [(1, 32), (2, 100), (16, 128), (8, 256)]:
        assert costs.seconds(rows, length) == pytest.approx(curve(rows, length), rel=0.02)


def test_noise_is_borne() -> None:
    """With a tenth of noise on every run the median error of what is foretold stays below that."""
    rng = Random(5)
    costs = CostModel()
    costs.fit([Timing(r, n, _cpu(r, n) * rng.gauss(1, 0.1)) for r, n in POINTS])
    errors = []
    for _ in range(500):
        length = rng.randint(5, 128)
        errors.append(costs.learn(Timing(1, length, _cpu(1, length) * max(0.5, rng.gauss(1, 0.1)))))
    assert median(errors) < 0.1


def test_it_follows_a_machine_that_slows_down() -> None:
    """A neighbour takes half of the processor: within some dozen runs that is known, for every length."""
    costs = CostModel()
    costs.fit(_timings(_cpu))
    rng = Random(3)
    for _ in range(80):
        length = rng.randint(5, 128)
        costs.learn(Timing(1, length, 2 * _cpu(1, length)))
    for length in (16, 128):
        assert costs.seconds(1, length) == pytest.approx(2 * _cpu(1, length), rel=0.1)


def test_a_hiccup_is_forgiven() -> None:
    """One run that was held up a hundredfold hardly moves what is foretold."""
    costs = CostModel()
    costs.fit(_timings(_cpu))
    costs.learn(Timing(1, 64, 100 * _cpu(1, 64)))
    assert costs.seconds(1, 64) == pytest.approx(_cpu(1, 64), rel=0.05)


def test_a_changed_shape_is_learnt() -> None:
    """Timed alone, run beside others: where longer windows suffer more, the terms move, not only the speed."""
    costs = CostModel()
    costs.fit(_timings(_cpu))
    rng = Random(1)
    for _ in range(2000):
        length = rng.randint(5, 128)
        costs.learn(Timing(1, length, 0.002 + 2e-5 * length))
    for length in (10, 60, 120):
        assert costs.seconds(1, length) == pytest.approx(0.002 + 2e-5 * length, rel=0.05)


def test_without_timing_the_first_run_sets_the_scale() -> None:
    """A command that scores one text times nothing beforehand."""
    costs = CostModel()
    costs.learn(Timing(1, 128, 0.5))
    assert costs.seconds(1, 128) == pytest.approx(0.5)


def test_the_error_is_told() -> None:
    """Relative to what the run took: what the metric shows."""
    costs = CostModel()
    costs.fit(_timings(_accelerator))
    assert costs.learn(Timing(1, 64, 2 * _accelerator(1, 64))) == pytest.approx(0.5, rel=0.01)


def test_terms_are_in_seconds() -> None:
    """The planner reads them: fixed, a row, a token, a squared token."""
    costs = CostModel()
    costs.fit(_timings(_accelerator))
    fixed, row, token, squared = costs.terms
    assert (fixed, token) == (pytest.approx(0.004, rel=0.01), pytest.approx(2e-6, rel=0.01))
    assert (row, squared) == pytest.approx((0, 0), abs=1e-6)


runs = st.builds(Timing, st.integers(1, 64), st.integers(1, 512), st.floats(1e-6, 100))


@given(timings=st.lists(runs, max_size=6), learnt=st.lists(runs, max_size=80))
def test_it_never_foretells_less_for_more(timings: list[Timing], learnt: list[Timing]) -> None:
    """Whatever was measured: never negative, and neither more rows nor more tokens are ever cheaper."""
    costs = CostModel()
    if timings:
        costs.fit(timings)
    for timing in learnt:
        costs.learn(timing)
    assert 0 <= costs.seconds(1, 16) <= costs.seconds(1, 64) <= costs.seconds(2, 64) <= costs.seconds(2, 128)
    assert costs.seconds(2, 128) > 0


def test_a_running_mean_follows() -> None:
    """The first measurement sets it, later ones move it, and a clock that was set back is no gain."""
    mean = RunningMean()
    assert mean.seconds == 0.0
    mean.learn(0.1)
    assert mean.seconds == pytest.approx(0.1)
    for _ in range(50):
        mean.learn(0.02)
    assert mean.seconds == pytest.approx(0.02, rel=0.01)
    mean.learn(-5.0)
    assert mean.seconds < 0.02
