"""Do reviewers agree with each other, and with what is known? Second opinions, and golden cases put among the others.

Both are cases that look like any other: a second opinion is a decided case shown once more to somebody else, a golden one is
a decided case that a lead chose. What is decided about them is never published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stream_detector.contracts import Decision, Reason
from stream_detector.review.database import Database


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two people decided alike.

    Attributes:
        waiting: second opinions that nobody has given yet.
        pairs: cases decided by two.
        share, low, high: those decided alike, with the 95 % interval; None without pairs.
        kappa: Cohen's kappa (1960), agreement beyond chance: 1 is full, 0 is chance; None where chance alone explains all.
    """

    waiting: int
    pairs: int
    agreed: int
    share: float | None
    low: float | None
    high: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A case that two people decided differently: a lead looks at it and may open it again."""

    case_id: int
    first: Decision
    first_reviewer: str
    second: Decision
    second_reviewer: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewerRow:
    """One reviewer: how much they decided, how often they agreed with a second one, and how they did on golden cases."""

    reviewer: str
    decided: int
    pairs: int
    agreed: int
    golden: int
    golden_right: int


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A planted case. `answered` and `right` count those who decided it."""

    case_id: int
    planted_from: int
    expected: Decision
    reason: Reason | None
    planted_by: str
    planted_at: datetime
    answered: int
    right: int


class Quality:
    """The quality sample of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def agreement(self, *, within: timedelta | None = None) -> Agreement:
        """How often two people decided alike."""
        raise NotImplementedError

    def disagreements(self, *, size: int = 50) -> tuple[Disagreement, ...]:
        """Where they didn't, newest first."""
        raise NotImplementedError

    def reviewers(self, *, within: timedelta | None = None) -> tuple[ReviewerRow, ...]:
        """A row a reviewer, by name."""
        raise NotImplementedError

    def plant(self, case_id: int, *, expected: Decision, reason: Reason | None = None, by: str) -> GoldenCase:
        """Put a copy of a decided case into the queue as a golden one.

        Raises:
            UnknownCaseError: there is no such case.
            VerdictError: it isn't decided, or a reason is missing or too much.
        """
        raise NotImplementedError

    def golden(self, *, size: int = 50) -> tuple[GoldenCase, ...]:
        """The golden cases, newest first. For leads: reviewers must not see which they are."""
        raise NotImplementedError
