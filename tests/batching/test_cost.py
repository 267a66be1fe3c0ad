"""What an event costs."""

from __future__ import annotations

import pytest

from stream_detector.batching import EventCost


def test_the_estimate_follows_the_machine() -> None:
    """The first batch sets it, later ones move it, and it comes to rest at what batches really cost."""
    cost = EventCost()
    assert cost.seconds == 0.0
    cost.learn(1.0, 10)
    assert cost.seconds == pytest.approx(0.1)
    for _ in range(50):
        cost.learn(0.4, 20)
    assert cost.seconds == pytest.approx(0.02, rel=0.01)


def test_a_clock_set_back_is_no_gain() -> None:
    """Wall clocks jump; an estimate below zero would keep batches open for ever."""
    cost = EventCost()
    cost.learn(-5.0, 1)
    assert cost.seconds == 0.0
