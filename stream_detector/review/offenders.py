"""Repeat offenders, as the aggregation reported them on its topic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stream_detector.review.database import Database


@dataclass(frozen=True, slots=True)
class OffenderRow:
    """The newest report on a partner for one window.

    Attributes:
        window_days: the window's length.
        level: which level was crossed, counted from 1.
        weight: the weighted sum that crossed it.
        violations, listings, contacts: distinct ones in the window.
        open: the partner's open cases in this store.
    """

    partner_id: str
    window_days: int
    level: int
    weight: float
    violations: int
    listings: int
    contacts: int
    reported_at: datetime
    open: int


class Offenders:
    """The repeat offenders in a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def top(self, *, window_days: int | None = None, size: int = 50) -> tuple[OffenderRow, ...]:
        """The worst first: by level, then by weight."""
        raise NotImplementedError

    def of(self, partner_id: str) -> tuple[OffenderRow, ...]:
        """A partner's rows, the shortest window first."""
        raise NotImplementedError
