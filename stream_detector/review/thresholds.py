"""What another threshold would have done on recent cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import case, func, select

from stream_detector.review.cases import State
from stream_detector.review.conditions import score_ppb
from stream_detector.review.database import Database
from stream_detector.review.intervals import wilson
from stream_detector.review.schema import CaseRow

_DAY_MS: Final = 86_400_000
#: Offered thresholds: dense at both ends, where the scores of a calibrated model lie.
_GRID: Final = (
    0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995,
)  # fmt: skip


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
        """A row a threshold, rising: those in `at`, or some twenty from the lowest that was in use.

        Cases of which nothing was detected within the time are left out.
        """
        now_ms = self._database.now_ms()
        since_ms = now_ms - int(within.total_seconds() * 1000)
        recent = (CaseRow.origin == "live", CaseRow.last_detected_ms >= since_ms)
        with self._database.read() as connection:
            lowest, oldest_ms = connection.execute(
                select(func.min(CaseRow.threshold), func.min(CaseRow.last_detected_ms)).where(*recent)
            ).one()
            if lowest is None:
                return ()
            thresholds = sorted({lowest, *(value for value in _GRID if value > lowest)} if at is None else set(at))
            if not thresholds:
                return ()
            # Each case falls between two thresholds: one pass over the cases, one number for each step and state.
            edges = [score_ppb(threshold) for threshold in thresholds]
            step = case(*((CaseRow.score_ppb >= edges[place], place) for place in reversed(range(len(edges)))), else_=-1)
            found = connection.execute(
                select(step.label("step"), CaseRow.state, func.count()).where(*recent).group_by("step", CaseRow.state)
            )
            counts = {(int(place), str(state)): int(number) for place, state, number in found}
        days = max(1.0, (now_ms - max(since_ms, oldest_ms)) / _DAY_MS)
        return tuple(_rows(thresholds, counts, days))

    def in_use(self) -> float | None:
        """The threshold of the newest case; None without one."""
        # The states one by one, for each has its own end of the index of times.
        columns = (CaseRow.last_detected_ms, CaseRow.threshold)
        with self._database.read() as connection:
            ends = [
                connection.execute(
                    select(*columns).where(CaseRow.state == state.value).order_by(CaseRow.last_detected_ms.desc()).limit(1)
                ).one_or_none()
                for state in State
            ]
        newest = max((row for row in ends if row is not None), key=lambda row: row.last_detected_ms, default=None)
        return None if newest is None else newest.threshold


def _rows(thresholds: Sequence[float], counts: dict[tuple[int, str], int], days: float) -> Iterator[ThresholdRow]:
    states = {state for _, state in counts}
    of_all = sum(number for (_, state), number in counts.items() if state == State.CONFIRMED.value)
    for place, threshold in enumerate(thresholds):
        above = {state: sum(counts.get((step, state), 0) for step in range(place, len(thresholds))) for state in states}
        sent = sum(above.values())
        confirmed, dismissed = above.get(State.CONFIRMED.value, 0), above.get(State.DISMISSED.value, 0)
        low, high = wilson(confirmed, confirmed + dismissed) if confirmed + dismissed else (None, None)
        yield ThresholdRow(
            threshold=threshold,
            sent=sent,
            sent_a_day=sent / days,
            confirmed=confirmed,
            dismissed=dismissed,
            missed=of_all - confirmed,
            precision=confirmed / (confirmed + dismissed) if confirmed + dismissed else None,
            low=low,
            high=high,
            kept=confirmed / of_all if of_all else None,
        )
