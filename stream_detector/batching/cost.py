"""What an event costs here: measured while working, for nothing else knows the machine."""

from __future__ import annotations

from typing import Final

# Weight of the newest batch: old enough ones are forgotten within a dozen.
_NEWEST: Final = 0.2


class EventCost:
    """A running estimate of the seconds that one event takes, scoring and publishing together; 0 before the first batch."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def learn(self, seconds: float, events: int) -> None:
        """Take a batch into account; a clock that was set back counts as no time."""
        newest = max(0.0, seconds) / events
        self.seconds = newest if self.seconds == 0 else self.seconds + _NEWEST * (newest - self.seconds)
