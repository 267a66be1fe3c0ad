"""When refusals become too many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.errors import DeadLetterLimitError
from stream_detector.settings import Settings
from stream_detector.streaming.dead_letter_limit import DeadLetterLimit


def test_consecutive_refusals_reach_the_limit() -> None:
    """So many in a row, over batches, and not one less; a good record in between starts the count again."""
    limit = DeadLetterLimit(max_consecutive=5, max_ratio=1.0).after([True] * 4).after([False]).after([True] * 4)
    assert limit.consecutive == 4
    with pytest.raises(DeadLetterLimitError, match="5 records in a row"):
        limit.after([True])


def test_a_batch_that_is_thrown_away_is_not_counted() -> None:
    """An aborted batch is read again: its refusals count once."""
    limit = DeadLetterLimit(max_consecutive=5, max_ratio=1.0)
    for _ in range(3):
        limit.after([True] * 4)
    assert limit.consecutive == 0


def test_the_share_counts_from_a_thousand_records_on() -> None:
    """Half of the last 1,000 may be refused, one more may not; fewer records are too few to say."""
    limit = DeadLetterLimit(max_consecutive=0, max_ratio=0.5).after([True, False] * 499)
    limit = limit.after([True, False])
    with pytest.raises(DeadLetterLimitError, match="501 of the last 1000"):
        limit.after([True] * 2)


@given(st.lists(st.booleans(), max_size=3000), st.integers(1, 50))
def test_batches_do_not_matter(refusals: list[bool], size: int) -> None:
    """The count is the same however the records were cut into batches."""
    whole = DeadLetterLimit(max_consecutive=0, max_ratio=1.0).after(refusals)
    pieces = DeadLetterLimit(max_consecutive=0, max_ratio=1.0)
    for start in range(0, len(refusals), size):
        pieces = pieces.after(refusals[start : start + size])
    assert pieces == whole
    assert whole.window.bit_count() == sum(refusals[-1000:])


def test_zero_switches_the_run_off() -> None:
    """A limit of 0 in a row means never."""
    settings = Settings(dead_letter_limit_consecutive=0, dead_letter_limit_ratio=1.0)
    assert DeadLetterLimit.of(settings).after([True] * 5000).consecutive == 5000
