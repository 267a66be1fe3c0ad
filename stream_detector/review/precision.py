"""How often reviewers agree with the model: precision by kind, event type and score, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select

from stream_detector.contracts import EventType, Kind
from stream_detector.review.cases import State
from stream_detector.review.conditions import score_ppb
from stream_detector.review.database import Database
from stream_detector.review.intervals import wilson
from stream_detector.review.reading import kinds_of
from stream_detector.review.schema import CaseRow

#: Bands of scores: finer where the calibrated probabilities of violations lie.
_BANDS: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


class Dimension(StrEnum):
    """What precision is split by."""

    KIND = "kind"
    EVENT_TYPE = "event_type"
    SCORE = "score"
    MODEL_VERSION = "model_version"


@dataclass(frozen=True, slots=True)
class PrecisionRow:
    """Precision of one group of decided cases.

    Attributes:
        group: a kind ("none" for cases without evidence), an event type, a model version, or a band of scores such as
            "0.90 to 0.95".
        precision, low, high: the share that was confirmed and its 95 % interval (Wilson 1927), between 0 and 1.
    """

    group: str
    confirmed: int
    dismissed: int
    precision: float
    low: float
    high: float


class Precision:
    """Precision from a store's published decisions; second opinions and golden cases are left out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by(self, dimension: Dimension, *, within: timedelta | None = None) -> tuple[PrecisionRow, ...]:
        """A row a group, of the decisions of the last so long; a case with two kinds counts for both."""
        column = _COLUMNS[dimension]
        query = select(column, CaseRow.state, func.count()).where(*decided(self._database.now_ms(), within))
        counts: Counter[tuple[str, str]] = Counter()
        with self._database.read() as connection:
            for value, state, number in connection.execute(query.group_by(column, CaseRow.state)):
                for group in _groups(dimension, value):
                    counts[group, state] += number
        return tuple(_rows(dimension, counts))

    def reasons(self, *, within: timedelta | None = None) -> Mapping[str, int]:
        """How many cases were dismissed for each reason."""
        query = (
            select(CaseRow.reason, func.count())
            .where(*decided(self._database.now_ms(), within), CaseRow.state == State.DISMISSED.value)
            .group_by(CaseRow.reason)
        )
        with self._database.read() as connection:
            return {reason: number for reason, number in connection.execute(query) if reason is not None}


def decided(now_ms: int, within: timedelta | None) -> list[ColumnElement[bool]]:
    """The conditions of a case whose decision, within a time, counts for statistics."""
    found = [CaseRow.origin == "live", CaseRow.decided_ms.is_not(None)]
    if within is not None:
        found.append(CaseRow.decided_ms >= now_ms - int(within.total_seconds() * 1000))
    return found


def _band() -> ColumnElement[int]:
    """The number of a score's band; SQL does the sorting, so that only so many rows come back."""
    steps = [(CaseRow.score_ppb < score_ppb(end), place) for place, end in enumerate(_BANDS[1:-1])]
    return case(*steps, else_=len(_BANDS) - 2)


_COLUMNS: Final[Mapping[Dimension, Any]] = {
    Dimension.KIND: CaseRow.kinds,
    Dimension.EVENT_TYPE: CaseRow.event_type,
    Dimension.SCORE: _band(),
    Dimension.MODEL_VERSION: CaseRow.model_version,
}


def _groups(dimension: Dimension, value: Any) -> Iterator[str]:
    match dimension:
        case Dimension.KIND:
            yield from [kind.value for kind in kinds_of(value)] or ["none"]
        case Dimension.SCORE:
            yield _name_of(value)
        case _:
            yield str(value)


def _name_of(band: int) -> str:
    return f"{_BANDS[band]:.2f} to {_BANDS[band + 1]:.2f}"


def _rows(dimension: Dimension, counts: Counter[tuple[str, str]]) -> Iterator[PrecisionRow]:
    there = {group for group, _ in counts}
    orders: dict[Dimension, list[str]] = {
        Dimension.KIND: [*Kind, "none"],
        Dimension.EVENT_TYPE: [*EventType],
        Dimension.SCORE: [_name_of(band) for band in range(len(_BANDS) - 1)],
        Dimension.MODEL_VERSION: sorted(there),
    }
    for group in map(str, orders[dimension]):
        confirmed, dismissed = counts[group, State.CONFIRMED.value], counts[group, State.DISMISSED.value]
        if confirmed + dismissed:
            low, high = wilson(confirmed, confirmed + dismissed)
            yield PrecisionRow(group, confirmed, dismissed, confirmed / (confirmed + dismissed), low, high)
