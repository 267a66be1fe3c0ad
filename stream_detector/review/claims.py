"""Claims: a case belongs to one reviewer for a time. An expired claim is none: the case is back without anybody's doing."""

from __future__ import annotations

from stream_detector.review.cases import CaseFilter, Claim, Order
from stream_detector.review.database import Database


class Claims:
    """The claims of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, case_id: int, reviewer: str) -> Claim:
        """Take a case, or renew one's own claim on it.

        Raises:
            ClaimedError: somebody else has it (`.by`, `.until`).
            DecidedError: it isn't open.
            UnknownCaseError: there is no such case.
        """
        raise NotImplementedError

    def claim_next(self, wanted: CaseFilter, reviewer: str, *, order: Order = Order.PRIORITY) -> Claim | None:
        """Take the first free case of a queue; None if there is none."""
        raise NotImplementedError

    def release(self, case_id: int, reviewer: str) -> None:
        """Give a case back; nothing happens if it isn't this reviewer's."""
        raise NotImplementedError

    def of(self, reviewer: str) -> tuple[Claim, ...]:
        """The live claims of a reviewer."""
        raise NotImplementedError

    def look(self, case_id: int, viewer: str) -> tuple[str, ...]:
        """Say that `viewer` looks at a case now, and learn who else has within the last 30 seconds, by name."""
        raise NotImplementedError

    def leave(self, case_id: int, viewer: str) -> None:
        """Say that `viewer` looks away."""
        raise NotImplementedError
