"""A call that doesn't return ends the process."""

from __future__ import annotations

from stream_detector.streaming.watchdog import Watchdog


def test_only_an_overdue_call_ends_the_process() -> None:
    """In time, or between two calls, nothing happens; too late, the call is named."""
    now = 0.0
    hung: list[str] = []
    watchdog = Watchdog(hung.append, clock=lambda: now)
    with watchdog.limit(10, "committing"):
        now = 9.0
        watchdog.check()
        assert hung == []
        now = 11.0
        watchdog.check()
        assert hung == ["committing"]
    now = 100.0
    watchdog.check()
    assert hung == ["committing"]


def test_it_closes() -> None:
    """Its thread ends with it."""
    with Watchdog() as watchdog, watchdog.limit(60, "nothing"):
        pass
    assert not watchdog._thread.is_alive()
