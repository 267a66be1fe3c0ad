"""The audit log: who did what, when. Rows are only ever added; each holds the hash of the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stream_detector.review.database import Database


class Action(StrEnum):
    """What can be done; the fixed list that an auditor filters by."""

    CLAIMED = "claimed"
    RELEASED = "released"
    DECIDED = "decided"
    UNDONE = "undone"
    #: The time to undo it is over: it is published, exactly once.
    SEALED = "sealed"
    #: A violation came in whose case was decided: the decision is published for it too.
    CARRIED_OVER = "carried_over"
    REOPENED = "reopened"
    UNMASKED = "unmasked"
    BULK_DECIDED = "bulk_decided"
    PLANTED = "planted"
    EXPORTED = "exported"
    SIGNED_IN = "signed_in"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log. `detail` never holds a text, a contact or a note."""

    sequence: int
    at: datetime
    actor: str
    action: Action
    case_id: int | None
    detail: Mapping[str, object]
    hash: str


class Audit:
    """The log of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: str, action: Action, *, case_id: int | None = None, detail: Mapping[str, object] | None = None) -> None:
        """Add a line; for what pages do by themselves (SIGNED_IN, REFUSED, EXPORTED): the store logs the rest with the deed."""
        raise NotImplementedError

    def page(
        self,
        *,
        before: int | None = None,
        size: int = 100,
        actor: str | None = None,
        action: Action | None = None,
        case_id: int | None = None,
    ) -> tuple[AuditEntry, ...]:
        """The newest lines first, from below sequence number `before`."""
        raise NotImplementedError

    def export(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[bytes]:
        """The log, oldest first, a JSON object and a newline each: JSON Lines."""
        raise NotImplementedError

    def verify(self) -> int | None:
        """The sequence number of the first line that was tampered with; None if the chain holds."""
        raise NotImplementedError
