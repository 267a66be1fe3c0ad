"""Repeat offenders, as the aggregation reported them on its topic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stream_detector.review.database import Database


@dataclass(frozen=True, slots=True)
class OffenderRow:
    """The newest report on a partner for windows of one length.

    Attributes:
        window: the length, such as "7d".
        level: which level was crossed, by its name.
        points: the weighted sum that crossed it.
        violations, listings, contacts: distinct ones in the window.
        open: the partner's open cases in this store.
    """

    partner_id: str
    window: str
    level: str
    points: float
    violations: int
    listings: int
    contacts: int
    window_start: datetime
    window_end: datetime
    reported_at: datetime
    open: int


class Offenders:
    """The repeat offenders in a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def top(self, *, window: str | None = None, size: int = 50) -> tuple[OffenderRow, ...]:
        """Those with the most points first; of one length of windows, or of all."""
        raise NotImplementedError

    def of(self, partner_id: str) -> tuple[OffenderRow, ...]:
        """A partner's rows, the shortest window first."""
        raise NotImplementedError
