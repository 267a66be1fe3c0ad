"""Lag from librdkafka's statistics."""

from __future__ import annotations

import pytest

from stream_detector.streaming.subscription import _lag


@pytest.mark.parametrize(
    ("end", "taken", "read", "queued", "expected"),
    [
        (-1001, -1001, 0, 0, -1),  # nothing known yet
        (100, 40, 80, 40, 60),  # taken to 40; what lies in the client's queue isn't taken
        (100, 100, 100, 0, 0),
        (100, 97, 100, 0, 0),  # the last three are transaction markers
        (100, -1001, 30, 0, 70),  # nothing taken since the assignment at 30
        (100, -1001, 50, 20, 70),
    ],
)
def test_lag_is_what_is_not_taken(end: int, taken: int, read: int, queued: int, expected: int) -> None:
    """The lag that autoscaling looks at, with and without transactions in the input."""
    figures = {"ls_offset": end, "app_offset": taken, "next_offset": read, "fetchq_cnt": queued}
    assert _lag(figures) == expected
