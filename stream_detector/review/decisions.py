"""Decisions: confirm or dismiss, one or many; taken back within a few seconds, published after that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream_detector.contracts import Decision, Reason, ReviewedSpan
from stream_detector.review.cases import CaseFilter, CaseSummary, Count, Decided
from stream_detector.review.database import Database


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


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk decision would decide.

    Attributes:
        count: how many cases; where it isn't exact there are too many for one decision.
        token: what `Decisions.decide_all` needs, so that nobody decides what they haven't seen counted. It names the filter
            and the newest case at that time: what arrives later isn't decided.
        examples: the first few.
    """

    count: Count
    token: str
    examples: tuple[CaseSummary, ...]


class Decisions:
    """The decisions of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, case_id: int, verdict: Verdict, *, reviewer: str) -> Decided:
        """Decide a case; takes a free one, so that it needs no claim before.

        Raises:
            ClaimedError: somebody else has it.
            DecidedError: it isn't open.
            VerdictError: a reason is missing or too much, or a span is not in the text.
            UnknownCaseError: there is no such case.
        """
        raise NotImplementedError

    def undo(self, decision_id: int, *, reviewer: str) -> Decided:
        """Take a decision back: the case is open again, and this reviewer's.

        Raises:
            DecidedError: it can't be undone any more, or was undone; or it is somebody else's.
        """
        raise NotImplementedError

    def preview(self, wanted: CaseFilter, *, reviewer: str) -> Preview:
        """What deciding all that are wanted, open, and not claimed by others would decide."""
        raise NotImplementedError

    def decide_all(self, wanted: CaseFilter, verdict: Verdict, *, token: str, reviewer: str) -> tuple[Decided, ...]:
        """Decide what a preview counted, in one transaction. The verdict has no spans.

        Raises:
            VerdictError: the token isn't that of this filter, the cases have changed since, or there are more than
                `BULK_LIMIT`; look at the preview again.
        """
        raise NotImplementedError

    def undo_all(self, decision_ids: Sequence[int], *, reviewer: str) -> int:
        """Take back all of these that still can be; how many it was."""
        raise NotImplementedError

    def reopen(self, case_id: int, *, by: str, note: str = "") -> None:
        """Open a case whose decision was published, to decide it again under the next revision. For leads.

        Raises:
            DecidedError: it is open, or its decision can still be undone.
        """
        raise NotImplementedError

    def recent(self, reviewer: str, *, size: int = 20) -> tuple[Decided, ...]:
        """What a reviewer decided last, newest first."""
        raise NotImplementedError
