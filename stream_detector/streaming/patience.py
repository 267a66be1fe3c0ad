"""How long the worker goes on trying while Kafka fails, and how long it rests between two tries."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from stream_detector.errors import DeliveryError, GaveUpError

#: How long Kafka may answer with failures and without a success in between. After that the worker ends: a new one may do
#: better, and if not, a person must know. While Kafka doesn't answer at all, trying again is all that anybody could do.
GIVE_UP_S: Final = 120.0
_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Patience:
    """Counts failures in a row.

    Args:
        wait: sleeps for some seconds.
        clock: seconds, from any start.
    """

    def __init__(self, wait: Callable[[float], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait = wait
        self._clock = clock
        self._since: float | None = None
        self._failures = 0

    def failed(self, error: DeliveryError) -> None:
        """Rest before the next try.

        Raises:
            GaveUpError: it has been failing for too long, and not because Kafka was away.
        """
        now = self._clock()
        self._since = now if self._since is None or error.away else self._since
        if now - self._since > GIVE_UP_S:
            raise GaveUpError(f"{error}; gave up after {now - self._since:.0f} s and {self._failures + 1} failures")
        self._wait(_BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)])
        self._failures += 1

    def succeeded(self) -> None:
        """Forget the failures."""
        self._since = None
        self._failures = 0
