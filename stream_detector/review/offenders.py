"""Repeat offenders, as the aggregation reported them on its topic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from stream_detector.review.cases import State
from stream_detector.review.database import AnyRow, Database, moment
from stream_detector.review.schema import CaseRow, OffenderRecord


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
        query = select(OffenderRecord, _OPEN).order_by(OffenderRecord.points.desc(), OffenderRecord.partner_id).limit(size)
        if window is not None:
            query = query.where(OffenderRecord.window_length == window)
        with self._database.read() as connection:
            return tuple(map(_row_of, connection.execute(query)))

    def windows(self) -> tuple[str, ...]:
        """The lengths of windows that there are reports for."""
        with self._database.read() as connection:
            return tuple(connection.scalars(select(OffenderRecord.window_length).distinct().order_by(OffenderRecord.window_length)))

    def of(self, partner_id: str) -> tuple[OffenderRow, ...]:
        """A partner's rows, the newest report first."""
        query = (
            select(OffenderRecord, _OPEN)
            .where(OffenderRecord.partner_id == partner_id)
            .order_by(OffenderRecord.reported_ms.desc(), OffenderRecord.window_length)
        )
        with self._database.read() as connection:
            return tuple(map(_row_of, connection.execute(query)))


_OPEN: Final = (
    select(func.count())
    .where(CaseRow.partner_id == OffenderRecord.partner_id, CaseRow.state == State.OPEN.value, CaseRow.origin == "live")
    .correlate(OffenderRecord)
    .scalar_subquery()
    .label("open")
)


def _row_of(row: AnyRow) -> OffenderRow:
    return OffenderRow(
        partner_id=row.partner_id,
        window=row.window_length,
        level=row.level,
        points=row.points,
        violations=row.violations,
        listings=row.listings,
        contacts=row.contacts,
        window_start=moment(row.window_start_ms),
        window_end=moment(row.window_end_ms),
        reported_at=moment(row.reported_ms),
        open=row.open,
    )
