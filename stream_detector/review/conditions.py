"""From what a reviewer wants to see to conditions on the table of cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, and_, literal_column, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from stream_detector.contracts import Evidence, Kind
from stream_detector.detection.fingerprints import fingerprints
from stream_detector.review import words
from stream_detector.review.cases import CaseFilter, Order, State
from stream_detector.review.schema import CaseRow, ContactRow, ViolationRow, has_kind

#: Scores are kept in billionths.
SCORE_UNITS: Final = 1_000_000_000

_HOUR_MS: Final = 3_600_000
#: Of `CaseRow.priority`: leaves room for a score.
_PRIORITY_UNITS: Final = 1 << 30

#: What a case is ordered by. All but the last go down.
POSITIONS: Final[dict[Order, InstrumentedAttribute[int]]] = {
    Order.PRIORITY: CaseRow.priority,
    Order.CERTAINTY: CaseRow.score_ppb,
    Order.NEWEST: CaseRow.last_detected_ms,
    Order.OLDEST: CaseRow.last_detected_ms,
}

#: Kinds that a person may look for by typing a contact.
_CONTACT_KINDS: Final = (Kind.PHONE, Kind.EMAIL, Kind.URL, Kind.HANDLE, Kind.PAYMENT)
_LONGEST_SEARCH: Final = 512


def priority_of(detected_ms: int, score_ppb: int) -> int:
    """Where a case stands in the default order: the newest hour first, in it the most certain."""
    return detected_ms // _HOUR_MS * _PRIORITY_UNITS + score_ppb


def conditions(
    wanted: CaseFilter, state: State, *, viewer: str, now_ms: int, key: bytes, dialect: str, order: Order | None = None
) -> list[Any]:
    """What cases of one state must meet; `order` is that of the query, if it has one."""
    # SQLite keeps no statistics unless asked, and would take the wrong index: for a search that of the state, though what was found
    # is few; for a range of scores that of the scores, and then sort all that is in it. A plus before a column keeps its index out.
    guided = dialect == "sqlite"
    search = wanted.search.strip()
    found: list[Any] = [(literal_column("+cases.state") if guided and search else CaseRow.state) == state.value]
    if state in (State.OPEN, State.PENDING):
        # Whoever decided a case must not meet it again as a second opinion.
        found.append(or_(CaseRow.excluded_reviewer.is_(None), CaseRow.excluded_reviewer != viewer))
    else:
        found.append(CaseRow.origin == "live")
    score: Any = CaseRow.score_ppb
    if guided and order not in (None, Order.CERTAINTY):
        score = literal_column("+cases.score_ppb", BigInteger())
    if wanted.min_score is not None:
        found.append(score >= score_ppb(wanted.min_score))
    if wanted.max_score is not None:
        found.append(score <= score_ppb(wanted.max_score))
    found += [*_narrowed(wanted), *_in_time(wanted, now_ms), *_claimed(wanted, now_ms)]
    if search:
        found.append(CaseRow.case_id.in_(_searched(search[:_LONGEST_SEARCH], key, dialect)))
    return found


def free(reviewer: str, now_ms: int) -> ColumnElement[bool]:
    """That a case is under no live claim of another one, and may be decided by this one."""
    return and_(
        or_(CaseRow.claimed_by.is_(None), CaseRow.claimed_by == reviewer, CaseRow.claim_until_ms <= now_ms),
        or_(CaseRow.excluded_reviewer.is_(None), CaseRow.excluded_reviewer != reviewer),
    )


def _narrowed(wanted: CaseFilter) -> Iterator[Any]:
    if wanted.kinds:
        yield or_(*map(has_kind, wanted.kinds)) if len(wanted.kinds) > 1 else has_kind(wanted.kinds[0])
    if wanted.event_types:
        yield CaseRow.event_type.in_([kind.value for kind in wanted.event_types])
    if wanted.partner_id is not None:
        yield CaseRow.partner_id == wanted.partner_id
    if wanted.listing_id is not None:
        yield CaseRow.listing_id == wanted.listing_id
    if wanted.model_version is not None:
        yield CaseRow.model_version == wanted.model_version


def score_ppb(score: float) -> int:
    """A probability in billionths."""
    return round(score * SCORE_UNITS)


def _in_time(wanted: CaseFilter, now_ms: int) -> Iterator[Any]:
    # The hours bound the index of the default order as well, which knows no more of time.
    if wanted.newer_than is not None:
        since = max(0, now_ms - int(wanted.newer_than.total_seconds() * 1000))
        yield CaseRow.last_detected_ms >= since
        yield CaseRow.priority >= priority_of(since, 0)
    if wanted.older_than is not None:
        until = max(0, now_ms - int(wanted.older_than.total_seconds() * 1000))
        yield CaseRow.last_detected_ms <= until
        yield CaseRow.priority <= priority_of(until, SCORE_UNITS)


def _claimed(wanted: CaseFilter, now_ms: int) -> Iterator[Any]:
    if wanted.claimed_by is not None:
        yield CaseRow.claimed_by == wanted.claimed_by
        yield CaseRow.claim_until_ms > now_ms
    elif wanted.claimed is True:
        yield CaseRow.claimed_by.is_not(None)
        yield CaseRow.claim_until_ms > now_ms
    if wanted.claimed is False:
        yield or_(CaseRow.claimed_by.is_(None), CaseRow.claim_until_ms <= now_ms)


def _searched(search: str, key: bytes, dialect: str) -> Any:
    """Ids of the cases that a search names: by an id, by a contact, by words."""
    queries: list[Any] = [
        select(CaseRow.case_id).where(CaseRow.partner_id == search),
        select(CaseRow.case_id).where(CaseRow.listing_id == search),
        select(ViolationRow.case_id).where(or_(ViolationRow.violation_id == search, ViolationRow.event_id == search)),
    ]
    if prints := _prints(search, key):
        queries.append(select(ContactRow.case_id).where(ContactRow.fingerprint.in_(prints)))
    by_words = words.matching(dialect, search)
    if by_words is not None:
        queries.append(select(by_words.columns(CaseRow.case_id).subquery().c.case_id))
    return union_all(*queries)


def _prints(search: str, key: bytes) -> set[str]:
    evidence = [Evidence(attribute="", start=0, end=len(search), kind=kind, surface="") for kind in _CONTACT_KINDS]
    return {found.value for item in evidence for found in fingerprints({"": search}, [item], key)}
