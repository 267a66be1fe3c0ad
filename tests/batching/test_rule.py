"""When a batch is closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.batching import BatchCost, BatchLimits, CloseReason, Supply, close_reason

LIMITS = BatchLimits(max_events=8, max_bytes=1000, seconds_per_event=0.01)


@pytest.mark.parametrize(
    ("events", "deadline", "supply", "expected"),
    [
        (0, None, Supply.IDLE, None),
        (0, None, Supply.CLOSED, None),
        (1, 1.0, Supply.CLOSED, CloseReason.DRAIN),
        (8, 1.0, Supply.MORE, CloseReason.FULL),
        (8, None, Supply.MORE, CloseReason.FULL),
        (8, -1.0, Supply.MORE, CloseReason.BACKLOG),
        (1, 1.0, Supply.IDLE, CloseReason.IDLE),
        (1, None, Supply.IDLE, CloseReason.IDLE),
        (3, -1.0, Supply.IDLE, CloseReason.BACKLOG),
        (3, -1.0, Supply.MORE, None),
        (3, 1.0, Supply.MORE, None),
        # Three take 0.03 s; a fourth would end at 0.04, after the deadline.
        (3, 0.035, Supply.MORE, CloseReason.DEADLINE),
        (3, 0.045, Supply.MORE, None),
    ],
)
def test_each_reason(events: int, deadline: float | None, supply: Supply, expected: CloseReason | None) -> None:
    """Every reason, and the cases beside it in which another one or none holds."""
    assert close_reason(events, 0, deadline, LIMITS, supply, now=0.0) is expected


@pytest.mark.parametrize(("payload_bytes", "expected"), [(999, None), (1000, CloseReason.FULL)])
def test_a_few_huge_records_fill_a_batch(payload_bytes: int, expected: CloseReason | None) -> None:
    """Scoring 64 texts of a megabyte takes longer than a consumer may stay away; the batch would be done again for ever."""
    assert close_reason(2, payload_bytes, 1.0, LIMITS, Supply.MORE, now=0.0) is expected


@pytest.mark.parametrize(
    ("payload_bytes", "deadline", "expected"),
    [
        (100, 1.0, None),
        # With one more: 0.36 s of scoring and 0.05 of publishing.
        (300, 0.4, CloseReason.DEADLINE),
        # Scoring takes eight times as long as publishing: the first must not wait for more.
        (350, 2.0, CloseReason.FULL),
        (340, 2.0, None),
        # Late anyway: it goes for throughput.
        (350, -1.0, None),
    ],
)
def test_size_decides_not_number(payload_bytes: int, deadline: float, expected: CloseReason | None) -> None:
    """One giant text is the work of many small ones: what a batch takes follows from its bytes, and publishing costs extra."""
    limits = BatchLimits(max_events=100, max_bytes=1000, seconds_per_byte=0.001, publish_seconds=0.05)
    assert close_reason(5, payload_bytes, deadline, limits, Supply.MORE, now=0.0) is expected


def test_costs_are_learnt() -> None:
    """From what batches took, each part by itself; a batch without bytes (tombstones) says nothing about scoring."""
    cost = BatchCost()
    assert cost.limits(8, 1000).seconds(5, 500) == 0
    cost.scored(1000, 0.5)
    cost.scored(0, 0.0)
    cost.published(0.01)
    assert cost.limits(8, 1000).seconds(5, 500) == pytest.approx(0.26)
    for _ in range(50):
        cost.scored(100, 0.2)
        cost.published(0.03)
    assert cost.limits(8, 1000).seconds(5, 500) == pytest.approx(1.03, rel=0.01)


events = st.integers(0, 100)
deadlines = st.none() | st.floats(-10, 10)
limits = st.builds(BatchLimits, max_events=st.integers(1, 64), max_bytes=st.integers(1, 100), seconds_per_event=st.floats(0, 1))


@given(events, deadlines, limits, st.sampled_from(Supply), st.floats(-10, 10))
def test_a_batch_ends(count: int, deadline: float | None, limits: BatchLimits, supply: Supply, now: float) -> None:
    """A batch that holds something is closed when it is full or nothing more is to be had; an empty one never is."""
    reason = close_reason(count, 0, deadline, limits, supply, now=now)
    if count == 0:
        assert reason is None
    elif count >= limits.max_events or supply is not Supply.MORE:
        assert reason is not None


@given(events.filter(bool), st.floats(-10, 10), limits, st.floats(-10, 10))
def test_only_a_deadline_that_can_be_kept_closes(count: int, deadline: float, limits: BatchLimits, now: float) -> None:
    """`deadline` is only a reason for what can still be in time: the late go for throughput."""
    if close_reason(count, 0, deadline, limits, Supply.MORE, now=now) is CloseReason.DEADLINE:
        assert now + limits.seconds_per_event <= deadline
