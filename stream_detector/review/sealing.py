"""The moment from which a decision stands: the time to undo it is over, and its reviews are written down to be published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.cases import State
from stream_detector.review.database import AnyRow
from stream_detector.review.schema import CaseRow, DecisionRow, OutboxRow, ViolationRow
from stream_detector.review.totals import shift

#: Decisions of one transaction.
_BATCH: Final = 200
_SYSTEM: Final = "console"
#: What a case's key is made unique by has so many bits in its first figures.
_KEY_BITS: Final = 32


def is_due(connection: Connection, now_ms: int) -> bool:
    """Whether there is anything to seal."""
    query = select(DecisionRow.decision_id).where(DecisionRow.state == "pending", DecisionRow.due_ms <= now_ms).limit(1)
    return connection.scalar(query) is not None


def seal(connection: Connection, now_ms: int, *, quality_share: float) -> int:
    """Seal decisions that are due; how many it was.

    Args:
        connection: of a transaction that writes.
        now_ms: the time.
        quality_share: share of decided cases that are shown to a second reviewer.
    """
    due = (
        select(DecisionRow.decision_id)
        .where(DecisionRow.state == "pending", DecisionRow.due_ms <= now_ms)
        .order_by(DecisionRow.due_ms, DecisionRow.decision_id)
        .limit(_BATCH)
        .with_for_update()
    )
    decision_ids = list(connection.scalars(due))
    if not decision_ids:
        return 0
    sealed = connection.execute(
        update(DecisionRow)
        .where(DecisionRow.decision_id.in_(decision_ids), DecisionRow.state == "pending")
        .values(state="sealed")
        .returning(
            DecisionRow.decision_id,
            DecisionRow.case_id,
            DecisionRow.revision,
            DecisionRow.decision,
            DecisionRow.reason,
            DecisionRow.reviewer,
            DecisionRow.decided_ms,
        )
    )
    changes: Counter[str] = Counter()
    deeds = []
    for row in sorted(sealed, key=lambda row: int(row.case_id)):
        case = _settle(connection, row)
        changes[State.PENDING.value] -= 1
        changes[row.decision] += 1
        reviews = 0
        if case.origin == "live":
            reviews = _to_outbox(connection, row)
            if row.revision == 1 and _is_sampled(case.case_key, quality_share):
                _ask_again(connection, row)
                changes[State.OPEN.value] += 1
        deeds.append(Deed(_SYSTEM, Action.SEALED, row.case_id, {"decision_id": row.decision_id, "reviews": reviews}))
    shift(connection, changes)
    log(connection, now_ms, *deeds)
    return len(deeds)


def _settle(connection: Connection, decision: AnyRow) -> AnyRow:
    return connection.execute(
        update(CaseRow)
        .where(CaseRow.case_id == decision.case_id)
        .values(
            state=decision.decision,
            decision_id=decision.decision_id,
            revision=decision.revision,
            decided_ms=decision.decided_ms,
            reason=decision.reason,
        )
        .returning(CaseRow.case_id, CaseRow.origin, CaseRow.case_key)
    ).one()


def _to_outbox(connection: Connection, decision: AnyRow) -> int:
    """A review for each violation of the case, in the order of their ids."""
    query = select(ViolationRow.violation_id).where(ViolationRow.case_id == decision.case_id).order_by(ViolationRow.violation_id)
    rows = [{"decision_id": decision.decision_id, "violation_id": violation_id} for violation_id in connection.scalars(query)]
    if rows:
        connection.execute(insert(OutboxRow), rows)
    return len(rows)


def _is_sampled(case_key: str, share: float) -> bool:
    """By the key, which nobody outside can foretell, and not by chance: a case that is opened again is no new draw."""
    return int(case_key[: _KEY_BITS // 4], 16) < share * (1 << _KEY_BITS)


def _ask_again(connection: Connection, decision: AnyRow) -> None:
    copy_case(connection, decision.case_id, origin="second", name=f"second-{decision.decision_id}", excluded=decision.reviewer)


#: What a copy shares with its case. How many violations there are is among them: a copy shows the same ones.
_COPIED: Final = (
    "event_type", "partner_id", "listing_id", "kinds", "score_ppb", "priority", "threshold", "top_contributor", "excerpt",
    "violations", "model_code", "model_version", "first_detected_ms", "last_detected_ms",
)  # fmt: skip


def copy_case(connection: Connection, case_id: int, *, origin: str, name: str, excluded: str | None) -> int:
    """Put a case into the queue once more, under a number of its own; its violations stay with the first one."""
    columns: Sequence[Any] = [getattr(CaseRow, column) for column in _COPIED]
    values = dict(connection.execute(select(*columns).where(CaseRow.case_id == case_id)).one()._mapping)  # noqa: SLF001 - public
    copied = connection.execute(
        insert(CaseRow)
        .values(
            **values,
            case_key=name,
            origin=origin,
            shadow_of=case_id,
            excluded_reviewer=excluded,
            state=State.OPEN.value,
            claimed_by=None,
            claim_until_ms=None,
            revision=0,
            decision_id=None,
            decided_ms=None,
            reason=None,
        )
        .returning(CaseRow.case_id)
    )
    return int(copied.scalar_one())
