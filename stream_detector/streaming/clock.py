"""Time, as the worker sees it: injected, so that tests of time-outs neither sleep nor flake."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import Any, Protocol


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def time(self) -> float:
        """Seconds since the epoch: what events are dated by."""
        ...

    def monotonic(self) -> float:
        """Seconds from any start, never set back: what durations are measured by."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        ...

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Let time pass until the future is done, but no more than so much."""
        ...


class SystemClock:
    """The machine's own."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Wait for a future, and no longer than so much."""
        wait([future], seconds)
