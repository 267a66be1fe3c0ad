"""Bulk decisions: nobody decides what they haven't seen counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from stream_detector.errors import VerdictError
from stream_detector.review.cases import CaseFilter, CaseSummary, Count, Cursor, State
from stream_detector.review.queue import Queue

#: Most cases of one bulk decision.
BULK_LIMIT: Final = 2000
_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk decision would decide.

    Attributes:
        count: how many cases; where it isn't exact there are too many for one decision.
        token: what `Decisions.decide_all` needs. It names the cases: if they are others by then, nothing is decided.
        examples: the first few.
    """

    count: Count
    token: str
    examples: tuple[CaseSummary, ...]


def preview_of(queue: Queue, wanted: CaseFilter, reviewer: str) -> Preview:
    """The open cases of a filter that this reviewer may decide now."""
    cases = _free(queue, wanted, reviewer)
    return Preview(Count(min(len(cases), BULK_LIMIT), exact=len(cases) <= BULK_LIMIT), _token(cases), tuple(cases[:_EXAMPLES]))


def cases_of(queue: Queue, wanted: CaseFilter, reviewer: str, token: str) -> list[int]:
    """The cases that a preview counted.

    Raises:
        VerdictError: there are too many, or they aren't those that were counted.
    """
    # What came in since the preview stands behind its newest case: it is left for the next time.
    newest = _newest(token)
    cases = [case for case in _free(queue, wanted, reviewer, beyond=newest) if case.case_id <= newest]
    if len(cases) > BULK_LIMIT:
        raise VerdictError(f"cases: there are more than {BULK_LIMIT:,}; narrow the filter")
    if not cases or _token(cases) != token:
        raise VerdictError("cases: they have changed since you counted them; look at the preview again")
    return [case.case_id for case in cases]


def _free(queue: Queue, wanted: CaseFilter, reviewer: str, *, beyond: int | None = None) -> list[CaseSummary]:
    wanted = replace(wanted, states=(State.OPEN,))
    cases: list[CaseSummary] = []
    after: Cursor | None = None
    while True:
        page = queue.page(wanted, viewer=reviewer, after=after, size=500)
        cases += [
            case
            for case in page.cases
            if (case.claim is None or case.claim.reviewer == reviewer) and (beyond is None or case.case_id <= beyond)
        ]
        after = page.next
        if after is None or len(cases) > BULK_LIMIT:
            return cases


def _token(cases: list[CaseSummary]) -> str:
    ids = sorted(case.case_id for case in cases)
    return f"{ids[-1] if ids else 0}.{hashlib.sha256(repr(ids).encode()).hexdigest()[:32]}"


def _newest(token: str) -> int:
    newest, _, _ = token.partition(".")
    if not newest.isdecimal():
        raise VerdictError("token: is none of a preview's; look at the preview again")
    return int(newest)
