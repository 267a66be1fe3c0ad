"""What another threshold would have done on recent cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from stream_detector.review.database import Database


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One threshold. Cases, not violations.

    Attributes:
        sent: how many cases would have come.
        sent_a_day: the queue's size: the same a day.
        confirmed, dismissed: of those, what was decided; the rest is open.
        missed: confirmed cases that would not have come. Nothing below the threshold of the time ever came, so that what a
            lower one would have found is unknown: rows start at the lowest threshold that was in use.
        precision, low, high: the confirmed share of those decided with its 95 % interval; None without decisions.
        kept: the share of the confirmed cases that would still have come; None if nothing was confirmed.
    """

    threshold: float
    sent: int
    sent_a_day: float
    confirmed: int
    dismissed: int
    missed: int
    precision: float | None
    low: float | None
    high: float | None
    kept: float | None


class Thresholds:
    """Thresholds over a store's cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, *, within: timedelta = timedelta(days=30), at: Sequence[float] | None = None) -> tuple[ThresholdRow, ...]:
        """A row a threshold, rising: those in `at`, or some twenty spread over the scores that there are."""
        raise NotImplementedError

    def in_use(self) -> float | None:
        """The threshold of the newest violation; None without one."""
        raise NotImplementedError
