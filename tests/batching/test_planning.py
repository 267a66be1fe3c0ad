"""The planner's arithmetic, against cases that can be told by hand and against the simulator."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from benchmarks.scheduler_sim import PROMISE_S, Event, Hardware, deadline, play
from stream_detector.batching.planning import Demand, expect, replicas_for

STEADY = Demand.of([[0.01, 0.01]] * 10, publish_s=0.005)


def test_an_idle_worker_takes_what_the_event_takes() -> None:
    """Without a queue: two windows side by side, and publishing."""
    found = expect(STEADY, 0.001, 1, 2, 0.25)
    assert found.p50 == pytest.approx(0.02, rel=0.01)
    assert found.p99 == pytest.approx(0.02, rel=0.01)
    assert found.utilisation == pytest.approx(0.00001)


def test_what_can_not_keep_up_is_infinitely_late() -> None:
    """Two sessions do a hundred such events a second."""
    found = expect(STEADY, 101, 1, 2, 0.25)
    assert (found.p99, found.within) == (math.inf, 0.0)
    assert found.utilisation == pytest.approx(1.01)


def test_replicas_share_the_load() -> None:
    """Ten times the events on ten times the replicas are the same to each of them."""
    one, ten = expect(STEADY, 80, 1, 2, 0.25), expect(STEADY, 800, 10, 2, 0.25)
    assert (one.p99, one.utilisation, one.within) == pytest.approx((ten.p99, ten.utilisation, ten.within))


def test_the_fewest_that_keep_the_promise() -> None:
    """One fewer would break it or be too busy, and events without text ask for nothing."""
    found = replicas_for(Demand.of([[0.01, 0.01], []], 0.005), 2000, 2, 0.25)
    assert found is not None
    assert found.p99 <= 0.25
    fewer = expect(STEADY, 2000, found.replicas - 1, 2, 0.25)
    assert fewer.p99 > 0.25 or fewer.utilisation > 0.95


def test_a_promise_shorter_than_an_event_can_not_be_kept() -> None:
    """However many replicas: said, not tried for ever."""
    assert replicas_for(Demand.of([[0.3]] * 5, 0.005), 2000, 2, 0.25) is None


@pytest.mark.parametrize("sessions", [2, 8])
@pytest.mark.parametrize("utilisation", [0.5, 0.7, 0.85])
def test_it_agrees_with_the_simulator(sessions: int, utilisation: float) -> None:
    """Within a fifth of the scheduler's own behaviour on events of one to eight windows, at p50 and at p99."""
    hardware = Hardware("test", sessions, 0.0002, 50e-6, 1e-7, max_rows=1, peer_rows=1)
    rng = Random(9)
    lengths = [
        tuple(min(128, max(6, round(rng.lognormvariate(math.log(60), 0.7)))) for _ in range(rng.choice([1, 2, 3, 4, 8])))
        for _ in range(500)
    ]
    demand = Demand.of([[hardware.seconds(1, length) for length in event] for event in lengths], publish_s=0.0)
    rate = utilisation * sessions / float(demand.work.mean())
    now, events = 0.0, []
    for _ in range(6_000):
        now += rng.expovariate(rate)
        events.append(Event(now, now, rng.choice(lengths)))
    played = play(events, hardware, deadline(hardware))
    latencies = [end - event.occurred for event, end in zip(events, played.done, strict=True)]
    found = expect(demand, rate, 1, sessions, PROMISE_S)
    assert found.utilisation == pytest.approx(utilisation)
    assert found.p50 == pytest.approx(np.percentile(latencies, 50), rel=0.2)
    assert found.p99 == pytest.approx(np.percentile(latencies, 99), rel=0.2)
