"""What can still be undone: kept in the session, so that the next page offers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from stream_detector.review.cases import Decided
from stream_detector.review.web.session import Session

_KEY = "undo"


@dataclass(frozen=True, slots=True)
class Undoable:
    """A decision, or a bulk of them, that can be taken back for a moment.

    Attributes:
        text: what was done.
        case_id: of the case that was decided; None for a bulk.
        decided_at: what all decisions of a bulk have in common; how it is found again.
        seconds: how long it can still be undone.
    """

    text: str
    case_id: int | None
    decision_id: int | None
    decided_at: datetime
    seconds: float

    @classmethod
    def kept(cls, session: Session, now: datetime) -> Self | None:
        """What was decided last, if it can still be undone."""
        kept = session.get(_KEY)
        if not isinstance(kept, dict):
            return None
        seconds = kept["until"] - now.timestamp()
        if seconds <= 0:
            # It stays in the session: a page that only looks must not write one, or it could undo what another just wrote.
            return None
        at = datetime.fromtimestamp(kept["at"] / 1000, UTC)
        return cls(kept["text"], kept["case"], kept["decision"], at, seconds)


def keep(session: Session, decided: Sequence[Decided], text: str) -> None:
    """Offer what was decided on the next pages."""
    last = decided[-1]
    if last.undo_until is None:
        forget(session)
        return
    alone = len(decided) == 1
    session[_KEY] = {
        "text": text,
        "case": last.case_id if alone else None,
        "decision": last.decision_id if alone else None,
        "at": round(last.decided_at.timestamp() * 1000),
        "until": last.undo_until.timestamp(),
    }


def forget(session: Session) -> None:
    """Offer nothing."""
    session.pop(_KEY, None)
