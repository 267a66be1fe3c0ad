"""Do reviewers agree with each other, and with what is known? Second opinions, and golden cases put among the others.

Both are cases that look like any other: a second opinion is a decided case shown once more to somebody else, a golden one is
a copy of a decided case that a lead chose. What is decided about them is never published.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.orm import aliased

from stream_detector.contracts import Decision, Reason
from stream_detector.errors import UnknownCaseError, VerdictError
from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.cases import State
from stream_detector.review.database import AnySelect, Database, moment
from stream_detector.review.decisions import check_reason
from stream_detector.review.intervals import kappa, wilson
from stream_detector.review.schema import CaseRow, DecisionRow, GoldenRow
from stream_detector.review.sealing import copy_case
from stream_detector.review.totals import shift

_DECIDED: Final = (State.CONFIRMED.value, State.DISMISSED.value)


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
    """A planted case. `answer` is what was decided, None until somebody has; `right` whether it is what was expected."""

    case_id: int
    planted_from: int
    expected: Decision
    reason: Reason | None
    planted_by: str
    planted_at: datetime
    answer: Decision | None
    reviewer: str | None
    right: bool | None


class Quality:
    """The quality sample of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def agreement(self, *, within: timedelta | None = None) -> Agreement:
        """How often two people decided alike, by the time of the second decision."""
        query = _pairs(self._since(within)).subquery()
        counted = select(query.c.first, query.c.second, func.count()).group_by(query.c.first, query.c.second)
        waiting = select(func.count()).where(CaseRow.origin == "second", CaseRow.state.not_in(_DECIDED))
        with self._database.read() as connection:
            pairs = {(Decision(first), Decision(second)): number for first, second, number in connection.execute(counted)}
            left = connection.scalar(waiting) or 0
        total = sum(pairs.values())
        agreed = sum(number for (first, second), number in pairs.items() if first is second)
        low, high = wilson(agreed, total) if total else (None, None)
        return Agreement(left, total, agreed, agreed / total if total else None, low, high, kappa(pairs))

    def disagreements(self, *, size: int = 50) -> tuple[Disagreement, ...]:
        """Where they didn't, newest first."""
        query = _pairs(None).subquery()
        differing = select(query).where(query.c.first != query.c.second).order_by(query.c.decided_ms.desc()).limit(size)
        with self._database.read() as connection:
            return tuple(
                Disagreement(
                    case_id=row.case_id,
                    first=Decision(row.first),
                    first_reviewer=row.first_reviewer,
                    second=Decision(row.second),
                    second_reviewer=row.second_reviewer,
                    decided_at=moment(row.decided_ms),
                )
                for row in connection.execute(differing)
            )

    def reviewers(self, *, within: timedelta | None = None) -> tuple[ReviewerRow, ...]:
        """A row a reviewer, by name. A pair counts for both of them."""
        since_ms = self._since(within)
        numbers: dict[str, Counter[str]] = defaultdict(Counter)
        with self._database.read() as connection:
            for reviewer, number in _decided_by(connection, since_ms):
                numbers[reviewer]["decided"] = number
            for row in connection.execute(_pairs(since_ms)):
                for reviewer in (row.first_reviewer, row.second_reviewer):
                    numbers[reviewer]["pairs"] += 1
                    numbers[reviewer]["agreed"] += row.first == row.second
            for row in connection.execute(_golden(since_ms, answered=True)):
                numbers[row.reviewer]["golden"] += 1
                numbers[row.reviewer]["golden_right"] += row.answer == row.expected
        columns = ("decided", "pairs", "agreed", "golden", "golden_right")
        return tuple(ReviewerRow(name, *(numbers[name][column] for column in columns)) for name in sorted(numbers))

    def plant(self, case_id: int, *, expected: Decision, reason: Reason | None = None, by: str) -> GoldenCase:
        """Put a copy of a decided case into the queue as a golden one; whoever plants it is not shown it.

        Raises:
            UnknownCaseError: there is no such case.
            VerdictError: it isn't decided, or a reason is missing or too much.
        """
        check_reason(expected, reason)
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            row = connection.execute(select(CaseRow.state, CaseRow.origin).where(CaseRow.case_id == case_id)).one_or_none()
            if row is None:
                raise UnknownCaseError(f"case {case_id}: there is no such case")
            if row.state not in _DECIDED or row.origin != "live":
                raise VerdictError(f"case {case_id} isn't decided, so that nobody knows what it is; decide it first")
            number = connection.scalar(select(func.count()).where(CaseRow.shadow_of == case_id)) or 0
            planted = copy_case(connection, case_id, origin="golden", name=f"golden-{case_id}-{number}-{now_ms}", excluded=by)
            connection.execute(
                insert(GoldenRow).values(
                    case_id=planted,
                    expected=expected.value,
                    reason=reason.value if reason else None,
                    planted_by=by,
                    planted_ms=now_ms,
                )
            )
            shift(connection, Counter({State.OPEN.value: 1}))
            # Under the number of its origin: a line under its own would give it away to whoever sees a case's history.
            log(connection, now_ms, Deed(by, Action.PLANTED, case_id, {"expected": expected.value}))
        return GoldenCase(planted, case_id, expected, reason, by, moment(now_ms), None, None, None)

    def golden(self, *, size: int = 50) -> tuple[GoldenCase, ...]:
        """The golden cases, newest first. For leads: reviewers must not see which they are."""
        query = _golden(None, answered=False).order_by(GoldenRow.planted_ms.desc(), GoldenRow.case_id.desc()).limit(size)
        with self._database.read() as connection:
            return tuple(map(_golden_of, connection.execute(query)))

    def _since(self, within: timedelta | None) -> int | None:
        return None if within is None else self._database.now_ms() - int(within.total_seconds() * 1000)


def _pairs(since_ms: int | None) -> AnySelect:
    """Both decisions on each case that has a second opinion."""
    first, second, copy = aliased(DecisionRow), aliased(DecisionRow), aliased(CaseRow)
    # The first revision is what the second person was asked about, whatever a lead made of the case since.
    query = (
        select(
            copy.shadow_of.label("case_id"),
            first.decision.label("first"),
            first.reviewer.label("first_reviewer"),
            second.decision.label("second"),
            second.reviewer.label("second_reviewer"),
            second.decided_ms,
        )
        .join(second, second.decision_id == copy.decision_id)
        .join(first, (first.case_id == copy.shadow_of) & (first.revision == 1) & (first.state == "sealed"))
        .where(copy.origin == "second", copy.decided_ms.is_not(None))
    )
    return query if since_ms is None else query.where(copy.decided_ms >= since_ms)


def _decided_by(connection: Connection, since_ms: int | None) -> Iterable[tuple[str, int]]:
    query = select(DecisionRow.reviewer, func.count()).where(DecisionRow.state == "sealed").group_by(DecisionRow.reviewer)
    if since_ms is not None:
        query = query.where(DecisionRow.decided_ms >= since_ms)
    return connection.execute(query)


def _golden(since_ms: int | None, *, answered: bool) -> AnySelect:
    query = (
        select(
            GoldenRow.case_id,
            CaseRow.shadow_of,
            GoldenRow.expected,
            GoldenRow.reason,
            GoldenRow.planted_by,
            GoldenRow.planted_ms,
            DecisionRow.decision.label("answer"),
            DecisionRow.reviewer,
        )
        .join(CaseRow, CaseRow.case_id == GoldenRow.case_id)
        .join(DecisionRow, DecisionRow.decision_id == CaseRow.decision_id, isouter=not answered)
    )
    return query if since_ms is None else query.where(CaseRow.decided_ms >= since_ms)


def _golden_of(row: Any) -> GoldenCase:
    return GoldenCase(
        case_id=row.case_id,
        planted_from=row.shadow_of,
        expected=Decision(row.expected),
        reason=Reason(row.reason) if row.reason else None,
        planted_by=row.planted_by,
        planted_at=moment(row.planted_ms),
        answer=Decision(row.answer) if row.answer else None,
        reviewer=row.reviewer,
        right=None if row.answer is None else row.answer == row.expected,
    )
