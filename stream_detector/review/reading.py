"""From rows to what pages show."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from stream_detector.contracts import Decision, EventType, Kind, Reason, ReviewedSpan, Violation, decode
from stream_detector.review.cases import CaseSummary, CaseViolation, Claim, Decided, State
from stream_detector.review.conditions import SCORE_UNITS
from stream_detector.review.database import AnyRow, moment
from stream_detector.review.masked_texts import masked_evidence, masked_texts
from stream_detector.review.schema import KIND_BITS, CaseRow, DecisionRow

#: A violation carries up to an event's texts and evidence on them; whatever the topic allowed was stored.
_LARGEST_DOCUMENT = 1 << 30

#: What `summary_of` needs.
SUMMARY_COLUMNS = (
    CaseRow.case_id,
    CaseRow.state,
    CaseRow.event_type,
    CaseRow.partner_id,
    CaseRow.listing_id,
    CaseRow.kinds,
    CaseRow.score_ppb,
    CaseRow.top_contributor,
    CaseRow.excerpt,
    CaseRow.violations,
    CaseRow.model_code,
    CaseRow.model_version,
    CaseRow.first_detected_ms,
    CaseRow.last_detected_ms,
    CaseRow.claimed_by,
    CaseRow.claim_until_ms,
)


def summary_of(row: AnyRow, now_ms: int) -> CaseSummary:
    """A case's line."""
    return CaseSummary(
        case_id=row.case_id,
        state=State(row.state),
        event_type=EventType(row.event_type),
        partner_id=row.partner_id,
        listing_id=row.listing_id,
        kinds=kinds_of(row.kinds),
        score=row.score_ppb / SCORE_UNITS,
        top_contributor=row.top_contributor,
        excerpt=row.excerpt,
        violations=row.violations,
        model_code=row.model_code,
        model_version=row.model_version,
        first_detected_at=moment(row.first_detected_ms),
        last_detected_at=moment(row.last_detected_ms),
        claim=claim_of(row, now_ms),
    )


def claim_of(row: AnyRow, now_ms: int) -> Claim | None:
    """The live claim on a case, if there is one."""
    if row.claimed_by is None or row.claim_until_ms <= now_ms:
        return None
    return Claim(row.case_id, row.claimed_by, moment(row.claim_until_ms))


def kinds_of(bits: int) -> tuple[Kind, ...]:
    """The kinds whose bits are set."""
    return tuple(kind for kind, bit in KIND_BITS.items() if bits & bit)


def violation_in(document: bytes) -> Violation:
    """A violation out of the store."""
    return decode(Violation, document, max_bytes=_LARGEST_DOCUMENT)


def case_violation_of(violation: Violation) -> CaseViolation:
    """A violation as pages show it: masked."""
    return CaseViolation(
        violation_id=violation.violation_id,
        event_id=violation.event_id,
        source=violation.source,
        score=float(violation.probability_score),
        threshold=violation.score_details.threshold,
        top_contributor=violation.top_contributor,
        model_code=violation.model_code,
        model_version=violation.model_version,
        refresh_version=violation.refresh_version,
        occurred_at=violation.occurred_at,
        detected_at=violation.detected_at,
        evidence=masked_evidence(violation),
        texts=masked_texts(violation),
    )


DECIDED_COLUMNS = (
    DecisionRow.decision_id,
    DecisionRow.case_id,
    DecisionRow.revision,
    DecisionRow.decision,
    DecisionRow.reason,
    DecisionRow.spans,
    DecisionRow.note,
    DecisionRow.reviewer,
    DecisionRow.decided_ms,
    DecisionRow.due_ms,
    DecisionRow.state,
)


def decided_of(row: AnyRow, now_ms: int) -> Decided:
    """A decision as pages show it."""
    return Decided(
        decision_id=row.decision_id,
        case_id=row.case_id,
        revision=row.revision,
        decision=Decision(row.decision),
        reason=Reason(row.reason) if row.reason else None,
        spans=spans_in(row.spans),
        note=row.note,
        reviewer=row.reviewer,
        decided_at=moment(row.decided_ms),
        undo_until=moment(row.due_ms) if row.state == "pending" and row.due_ms > now_ms else None,
    )


def spans_in(document: str | None) -> tuple[ReviewedSpan, ...] | None:
    """Corrected spans out of the store."""
    return None if document is None else tuple(map(ReviewedSpan.model_validate, orjson.loads(document)))


def spans_document(spans: tuple[ReviewedSpan, ...] | None) -> str | None:
    """Corrected spans as the store keeps them."""
    return None if spans is None else orjson.dumps([span.model_dump(by_alias=True) for span in spans]).decode()


def texts_of(violation: Violation) -> Mapping[str, str]:
    """The texts in the clear; empty if the violation carries none."""
    return violation.attributes or {}
