"""How often reviewers agree with the model: precision by kind, event type and score, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from stream_detector.review.database import Database


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
        group: a kind, an event type, a model version, or a band of scores such as "0.90 to 0.95".
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
        raise NotImplementedError

    def reasons(self, *, within: timedelta | None = None) -> dict[str, int]:
        """How many cases were dismissed for each reason."""
        raise NotImplementedError
