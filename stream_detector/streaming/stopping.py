"""The wish to stop, told to the worker from outside."""

from __future__ import annotations

from stream_detector.streaming.clock import Clock, SystemClock


class StopFlag:
    """Set once, from any thread or signal handler.

    Not a threading.Event: a signal handler runs in the thread that it interrupts, and would wait forever for the event's
    lock if that thread just holds it.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.is_set = False
        self._clock = clock or SystemClock()

    def set(self) -> None:
        """Ask to stop."""
        self.is_set = True

    def wait(self, seconds: float) -> None:
        """Sleep, but wake up soon after the flag is set."""
        end = self._clock.monotonic() + seconds
        while not self.is_set and (left := end - self._clock.monotonic()) > 0:
            self._clock.sleep(min(left, 0.05))
