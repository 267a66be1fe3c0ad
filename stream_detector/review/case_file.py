"""All there is about one case: its violations, its partner, what is linked to it, and the clear text, which is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, func, select

from stream_detector.contracts import Kind, Violation
from stream_detector.detection.redaction import Redaction, Scorer, redact
from stream_detector.errors import UnknownCaseError
from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.cases import Case, Linked, PartnerHistory, State
from stream_detector.review.database import AnyRow, Database, moment
from stream_detector.review.reading import (
    DECIDED_COLUMNS,
    SUMMARY_COLUMNS,
    case_violation_of,
    decided_of,
    summary_of,
    texts_of,
    violation_in,
)
from stream_detector.review.schema import CaseRow, ContactRow, DecisionRow, OffenderRecord, ViolationRow

#: Violations of a case that are shown. The others have the same offending texts.
_SHOWN: Final = 50
#: Of cases with the same contact, so many are looked at: a shared address can have thousands.
_LOOKED_AT: Final = 500


class CaseFile:
    """The cases of a store, one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, case_id: int) -> Case:
        """A case whole, masked. Raises UnknownCaseError."""
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            row = _row(connection, case_id)
            violations = _violations(connection, row)
            decisions = connection.execute(
                select(*DECIDED_COLUMNS)
                .where(DecisionRow.case_id == case_id, DecisionRow.state != "undone")
                .order_by(DecisionRow.decision_id.desc())
            ).all()
        return Case(
            summary_of(row, now_ms),
            tuple(map(case_violation_of, violations)),
            tuple(decided_of(decision, now_ms) for decision in decisions),
        )

    def unmask(self, case_id: int, *, by: str) -> Mapping[str, Mapping[str, str]]:
        """The clear texts by violation id and attribute, of the violations that `get` shows.

        That it was done is in the audit log before this returns. Whether `by` may is the caller's to check.

        Raises:
            UnknownCaseError: there is no such case.
        """
        with self._database.write() as connection:
            violations = _violations(connection, _row(connection, case_id))
            detail = {"violations": [violation.violation_id for violation in violations]}
            log(connection, self._database.now_ms(), Deed(by, Action.UNMASKED, case_id, detail))
        return {violation.violation_id: texts_of(violation) for violation in violations}

    def redact(self, case_id: int, detector: Scorer) -> Redaction | None:
        """The texts of the newest violation without what made them Fraud, to be sent to their author; None without texts.

        The clear texts don't leave this call, but for what is left of them. Where that isn't clean, nothing is: `texts` is empty.

        Raises:
            UnknownCaseError: there is no such case.
        """
        with self._database.read() as connection:
            texts = texts_of(_violations(connection, _row(connection, case_id))[0])
        if not texts:
            return None
        redaction = redact(detector, texts)
        return redaction if redaction.clean else replace(redaction, texts={})

    def partner(self, partner_id: str, *, beside: int | None = None, size: int = 20) -> PartnerHistory:
        """A partner's history; the case `beside` which it is shown is left out of `recent`."""
        now_ms = self._database.now_ms()
        own = (CaseRow.partner_id == partner_id, CaseRow.origin == "live")
        with self._database.read() as connection:
            counted = connection.execute(select(CaseRow.state, func.count()).where(*own).group_by(CaseRow.state))
            states = dict(counted.all())
            listings, first_ms = connection.execute(
                select(func.count(CaseRow.listing_id.distinct()), func.min(CaseRow.first_detected_ms)).where(*own)
            ).one()
            offender = connection.execute(
                select(OffenderRecord.window_length, OffenderRecord.level).where(OffenderRecord.partner_id == partner_id)
            )
            levels = dict(offender.all())
            hidden = _family(connection, beside) if beside is not None else []
            recent = connection.execute(
                select(*SUMMARY_COLUMNS)
                .where(*own, CaseRow.case_id.not_in(hidden))
                .order_by(CaseRow.last_detected_ms.desc(), CaseRow.case_id.desc())
                .limit(size)
            ).all()
        return PartnerHistory(
            partner_id=partner_id,
            open=states.get(State.OPEN.value, 0) + states.get(State.PENDING.value, 0),
            confirmed=states.get(State.CONFIRMED.value, 0),
            dismissed=states.get(State.DISMISSED.value, 0),
            listings=listings,
            first_seen=None if first_ms is None else moment(first_ms),
            offender=levels,
            recent=tuple(summary_of(row, now_ms) for row in recent),
        )

    def linked(self, case_id: int, *, size: int = 20) -> tuple[Linked, ...]:
        """Other cases with the same contact, newest first."""
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            case = _row(connection, case_id)
            own = select(ContactRow.fingerprint).where(ContactRow.case_id == (case.shadow_of or case_id))
            shared = connection.execute(
                select(ContactRow.case_id, ContactRow.kind)
                .where(ContactRow.fingerprint.in_(own), ContactRow.case_id.not_in(_family(connection, case_id)))
                .order_by(ContactRow.case_id.desc())
                .limit(_LOOKED_AT)
            ).all()
            kinds: dict[int, set[str]] = defaultdict(set)
            for row in shared:
                kinds[row.case_id].add(row.kind)
            rows = connection.execute(
                select(*SUMMARY_COLUMNS)
                .where(CaseRow.case_id.in_(list(kinds)))
                .order_by(CaseRow.last_detected_ms.desc(), CaseRow.case_id.desc())
                .limit(size)
            ).all()
        return tuple(
            Linked(
                summary_of(row, now_ms),
                tuple(kind for kind in Kind if kind.value in kinds[row.case_id]),
                row.partner_id == case.partner_id,
            )
            for row in rows
        )


def _row(connection: Connection, case_id: int) -> AnyRow:
    row = connection.execute(select(*SUMMARY_COLUMNS, CaseRow.shadow_of).where(CaseRow.case_id == case_id)).one_or_none()
    if row is None:
        raise UnknownCaseError(f"case {case_id}: there is no such case")
    return row


def _violations(connection: Connection, case: AnyRow) -> list[Violation]:
    query = (
        select(ViolationRow.document)
        .where(ViolationRow.case_id == (case.shadow_of or case.case_id))
        .order_by(ViolationRow.detected_ms.desc(), ViolationRow.violation_id)
        .limit(_SHOWN)
    )
    return list(map(violation_in, connection.scalars(query)))


def _family(connection: Connection, case_id: int) -> list[int]:
    """A case and the one whose violations it shows: beside a second opinion, the first one must not be seen."""
    original = connection.scalar(select(CaseRow.shadow_of).where(CaseRow.case_id == case_id))
    return [case_id] if original is None else [case_id, original]
