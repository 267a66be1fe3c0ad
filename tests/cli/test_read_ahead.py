"""Reading ahead keeps order, memory and errors in hand."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from stream_detector.cli.read_ahead import ReadAhead


def test_items_come_in_order() -> None:
    """A thread in between changes nothing about the sequence."""
    with ReadAhead(range(1000), depth=3) as ahead:
        assert list(ahead) == list(range(1000))


def test_batches_hold_all_items_in_order() -> None:
    """Batches are never longer than asked for and lose nothing, at the end either."""
    with ReadAhead(range(1000), depth=128) as ahead:
        batches = list(ahead.batches(64))
    assert [item for batch in batches for item in batch] == list(range(1000))
    assert max(map(len, batches)) <= 64
    assert all(batches)


def test_a_slow_source_gives_small_batches() -> None:
    """A lone item isn't kept waiting for others: a program at the other end of a pipe may wait for its answer."""
    source: queue.Queue[int | None] = queue.Queue()
    with ReadAhead(iter(source.get, None), depth=8) as ahead:
        batches = ahead.batches(64)
        for item in range(3):
            source.put(item)
            assert next(batches) == [item]
        source.put(None)
        assert list(batches) == []


def test_error_of_the_source_is_raised_after_its_items() -> None:
    """Nothing that was read before a fault is lost, and the fault itself isn't either."""

    def source() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with ReadAhead(source(), depth=8) as ahead:
        batches = ahead.batches(64)
        assert next(batches) == [1]
        with pytest.raises(ZeroDivisionError):
            next(batches)


def test_memory_is_bounded() -> None:
    """The source isn't read further ahead than `depth`."""
    read: list[int] = []
    enough = threading.Event()

    def source() -> Iterator[int]:
        for item in range(100):
            read.append(item)
            if len(read) == 5:
                enough.set()
            yield item

    with ReadAhead(source(), depth=4):
        assert enough.wait(10)
        assert not threading.Event().wait(0.1)
        assert len(read) == 5


def test_closing_ends_the_thread() -> None:
    """A reader that goes away doesn't leave a thread behind that waits for room."""
    ahead = ReadAhead(range(100), depth=1)
    ahead.close()
    ahead._thread.join(5)
    assert not ahead._thread.is_alive()
