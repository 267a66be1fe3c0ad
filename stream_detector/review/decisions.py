"""Decisions: confirm or dismiss, one or many; taken back within a few seconds, published after that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from stream_detector.contracts import Decision, Reason, ReviewedSpan
from stream_detector.errors import DecidedError, UnknownCaseError, VerdictError
from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.bulk import Preview, cases_of, preview_of
from stream_detector.review.cases import CaseFilter, Decided, State
from stream_detector.review.claims import refusal
from stream_detector.review.conditions import free
from stream_detector.review.database import AnyRow, Database
from stream_detector.review.queue import Queue
from stream_detector.review.reading import DECIDED_COLUMNS, decided_of, spans_document, texts_of, violation_in
from stream_detector.review.schema import CaseRow, DecisionRow, ViolationRow
from stream_detector.review.totals import shift

__all__ = ["Decisions", "Preview", "Verdict"]

_LONGEST_NOTE: Final = 4000
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer decides.

    Attributes:
        reason: needed to dismiss; there is none to confirm.
        spans: all that offends, if the evidence was wrong; None leaves it as it is. Checked against the text.
        note: for colleagues; stays in the store.
    """

    decision: Decision
    reason: Reason | None = None
    spans: tuple[ReviewedSpan, ...] | None = None
    note: str = ""


class Decisions:
    """The decisions of a store.

    Args:
        database: where they are.
        queue: what a bulk decision selects from.
        undo_seconds: how long one can be taken back.
        lease_seconds: how long a case is its reviewer's again after that.
    """

    def __init__(self, database: Database, queue: Queue, *, undo_seconds: float, lease_seconds: float) -> None:
        self._database = database
        self._queue = queue
        self._undo_ms = int(undo_seconds * 1000)
        self._lease_ms = int(lease_seconds * 1000)

    def decide(self, case_id: int, verdict: Verdict, *, reviewer: str) -> Decided:
        """Decide a case; takes a free one, so that it needs no claim before.

        Raises:
            ClaimedError: somebody else has it.
            DecidedError: it isn't open.
            VerdictError: a reason is missing or too much, or a span is not in the text.
            UnknownCaseError: there is no such case.
        """
        check_reason(verdict.decision, verdict.reason)
        if len(verdict.note) > _LONGEST_NOTE:
            raise VerdictError(f"note: {len(verdict.note):,} characters, more than the {_LONGEST_NOTE:,} allowed; shorten it")
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            if verdict.spans is not None:
                _check_spans(connection, case_id, verdict.spans)
            taken = self._take(connection, [case_id], reviewer, now_ms)
            if not taken:
                raise refusal(connection, case_id, reviewer, now_ms)
            (decided,) = self._write(connection, taken, verdict, reviewer, now_ms)
            log(connection, now_ms, Deed(reviewer, Action.DECIDED, case_id, _detail(decided)))
        return decided

    def undo(self, decision_id: int, *, reviewer: str) -> Decided:
        """Take a decision back: the case is open again, and this reviewer's.

        Raises:
            DecidedError: it can't be undone any more, or was undone; or it is somebody else's.
            UnknownCaseError: there is no such decision.
        """
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            rows = self._undo(connection, [decision_id], reviewer, now_ms)
            if not rows:
                raise _why_not(connection, decision_id, reviewer)
        return decided_of(rows[0], now_ms)

    def preview(self, wanted: CaseFilter, *, reviewer: str) -> Preview:
        """What deciding all that are wanted, open, and not claimed by others would decide."""
        return preview_of(self._queue, wanted, reviewer)

    def decide_all(self, wanted: CaseFilter, verdict: Verdict, *, token: str, reviewer: str) -> tuple[Decided, ...]:
        """Decide what a preview counted, in one transaction. The verdict has no spans.

        Raises:
            VerdictError: the token isn't that of this filter, the cases have changed since, or there are more than
                `BULK_LIMIT`; look at the preview again.
        """
        check_reason(verdict.decision, verdict.reason)
        if verdict.spans is not None:
            raise VerdictError("spans: differ from case to case; correct them one by one")
        case_ids = cases_of(self._queue, wanted, reviewer, token)
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            taken = self._take(connection, sorted(case_ids), reviewer, now_ms)
            if len(taken) < len(case_ids):
                raise VerdictError("cases: some of them were taken or decided since you counted them; look at the preview again")
            decided = self._write(connection, taken, verdict, reviewer, now_ms)
            summary = {"cases": len(decided), "decision": verdict.decision.value}
            deeds = [Deed(reviewer, Action.DECIDED, one.case_id, _detail(one) | {"bulk": True}) for one in decided]
            log(connection, now_ms, Deed(reviewer, Action.BULK_DECIDED, None, summary), *deeds)
        return decided

    def undo_all(self, decision_ids: Sequence[int], *, reviewer: str) -> int:
        """Take back all of these that still can be; how many it was."""
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            return len(self._undo(connection, decision_ids, reviewer, now_ms))

    def reopen(self, case_id: int, *, by: str, note: str = "") -> None:
        """Open a case whose decision was published, to decide it again under the next revision. For leads.

        Raises:
            DecidedError: it is open, or its decision can still be undone.
            UnknownCaseError: there is no such case.
        """
        now_ms = self._database.now_ms()
        decided = (State.CONFIRMED.value, State.DISMISSED.value)
        with self._database.write() as connection:
            state = connection.scalar(select(CaseRow.state).where(CaseRow.case_id == case_id))
            opened = connection.execute(
                update(CaseRow)
                .where(CaseRow.case_id == case_id, CaseRow.state == state, CaseRow.state.in_(decided), CaseRow.origin == "live")
                .values(state=State.OPEN.value, claimed_by=None, claim_until_ms=None, decided_ms=None, reason=None)
            )
            if state is None:
                raise UnknownCaseError(f"case {case_id}: there is no such case")
            if not opened.rowcount:
                raise DecidedError(f"case {case_id} is {state} and can't be opened again; undo its decision, or decide it")
            shift(connection, Counter({state: -1, State.OPEN.value: 1}))
            log(connection, now_ms, Deed(by, Action.REOPENED, case_id, {"was": state, "noted": bool(note)}))

    def recent(self, reviewer: str, *, size: int = 20) -> tuple[Decided, ...]:
        """What a reviewer decided last, newest first."""
        query = (
            select(*DECIDED_COLUMNS)
            .where(DecisionRow.reviewer == reviewer)
            .order_by(DecisionRow.decided_ms.desc(), DecisionRow.decision_id.desc())
            .limit(size)
        )
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            return tuple(decided_of(row, now_ms) for row in connection.execute(query))

    @staticmethod
    def _take(connection: Connection, case_ids: Sequence[int], reviewer: str, now_ms: int) -> list[AnyRow]:
        """Make open, free cases pending; those that were, in the order of their ids."""
        taken: list[AnyRow] = []
        for start in range(0, len(case_ids), _CHUNK):
            chunk = case_ids[start : start + _CHUNK]
            if connection.dialect.name == "postgresql":
                # In the order of ids, so that two who take many don't wait for each other.
                connection.execute(
                    select(CaseRow.case_id).where(CaseRow.case_id.in_(chunk)).order_by(CaseRow.case_id).with_for_update()
                )
            taken += connection.execute(
                update(CaseRow)
                .where(CaseRow.case_id.in_(chunk), CaseRow.state == State.OPEN.value, free(reviewer, now_ms))
                .values(state=State.PENDING.value, claimed_by=None, claim_until_ms=None)
                .returning(CaseRow.case_id, CaseRow.revision)
            )
        return sorted(taken, key=lambda row: int(row.case_id))

    def _write(
        self, connection: Connection, taken: Sequence[AnyRow], verdict: Verdict, reviewer: str, now_ms: int
    ) -> tuple[Decided, ...]:
        rows = [
            {
                "case_id": case.case_id,
                "revision": case.revision + 1,
                "decision": verdict.decision.value,
                "reason": verdict.reason.value if verdict.reason else None,
                "spans": spans_document(verdict.spans),
                "note": verdict.note,
                "reviewer": reviewer,
                "decided_ms": now_ms,
                "due_ms": now_ms + self._undo_ms,
                "state": "pending",
            }
            for case in taken
        ]
        written = connection.execute(insert(DecisionRow).returning(*DECIDED_COLUMNS, sort_by_parameter_order=True), rows)
        decided = tuple(decided_of(row, now_ms) for row in written)
        shift(connection, Counter({State.OPEN.value: -len(rows), State.PENDING.value: len(rows)}))
        return decided

    def _undo(self, connection: Connection, decision_ids: Sequence[int], reviewer: str, now_ms: int) -> list[AnyRow]:
        undone: list[AnyRow] = []
        for start in range(0, len(decision_ids), _CHUNK):
            undone += connection.execute(
                update(DecisionRow)
                .where(
                    DecisionRow.decision_id.in_(decision_ids[start : start + _CHUNK]),
                    DecisionRow.reviewer == reviewer,
                    DecisionRow.state == "pending",
                    DecisionRow.due_ms > now_ms,
                )
                .values(state="undone")
                .returning(*DECIDED_COLUMNS)
            )
        if undone:
            case_ids = sorted(row.case_id for row in undone)
            connection.execute(
                update(CaseRow)
                .where(CaseRow.case_id.in_(case_ids))
                .values(state=State.OPEN.value, claimed_by=reviewer, claim_until_ms=now_ms + self._lease_ms)
            )
            shift(connection, Counter({State.OPEN.value: len(undone), State.PENDING.value: -len(undone)}))
            log(
                connection,
                now_ms,
                *(Deed(reviewer, Action.UNDONE, row.case_id, {"decision_id": row.decision_id}) for row in undone),
            )
        return undone


def check_reason(decision: Decision, reason: Reason | None) -> None:
    """Refuse a dismissal without a reason, and a confirmation with one."""
    if decision is Decision.DISMISSED and reason is None:
        raise VerdictError(f"reason: a dismissed case needs one of {', '.join(Reason)}")
    if decision is Decision.CONFIRMED and reason is not None:
        raise VerdictError("reason: a confirmed case has none; leave it out")


def _check_spans(connection: Connection, case_id: int, spans: Sequence[ReviewedSpan]) -> None:
    owner = connection.scalar(select(CaseRow.shadow_of).where(CaseRow.case_id == case_id)) or case_id
    query = select(ViolationRow.document).where(ViolationRow.case_id == owner).order_by(ViolationRow.detected_ms.desc()).limit(1)
    document = connection.scalar(query)
    if document is None:
        raise UnknownCaseError(f"case {case_id}: there is no such case")
    texts = texts_of(violation_in(document))
    if not texts:
        raise VerdictError("spans: this violation carries no texts to mark (include_text is off); leave the evidence as it is")
    for span in spans:
        text = texts.get(span.attribute)
        if text is None or not span.start < span.end <= len(text):
            raise VerdictError(f"spans: {span.start} to {span.end} is no part of the text it names; mark it in the text shown")


def _why_not(connection: Connection, decision_id: int, reviewer: str) -> DecidedError | UnknownCaseError:
    row = connection.execute(
        select(DecisionRow.reviewer, DecisionRow.state).where(DecisionRow.decision_id == decision_id)
    ).one_or_none()
    if row is None:
        return UnknownCaseError(f"decision {decision_id}: there is no such decision")
    if row.reviewer != reviewer:
        return DecidedError(f"decision {decision_id} is {row.reviewer}'s; ask them, or a lead")
    if row.state == "undone":
        return DecidedError(f"decision {decision_id} was undone already")
    return DecidedError(f"decision {decision_id} can't be undone any more; a lead can open the case again")


def _detail(decided: Decided) -> dict[str, object]:
    return {
        "decision_id": decided.decision_id,
        "revision": decided.revision,
        "decision": decided.decision.value,
        "reason": decided.reason.value if decided.reason else None,
        "spans": None if decided.spans is None else len(decided.spans),
        "noted": bool(decided.note),
    }
