"""All there is about one case: its violations, its partner, what is linked to it, and the clear text, which is logged."""

from __future__ import annotations

from collections.abc import Mapping

from stream_detector.review.cases import Case, Linked, PartnerHistory
from stream_detector.review.database import Database


class CaseFile:
    """The cases of a store, one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, case_id: int) -> Case:
        """A case whole, masked. Raises UnknownCaseError."""
        raise NotImplementedError

    def unmask(self, case_id: int, *, by: str) -> Mapping[str, Mapping[str, str]]:
        """The clear texts by violation id and attribute, of the violations that `get` shows.

        That it was done is in the audit log before this returns. Whether `by` may is the caller's to check.

        Raises:
            UnknownCaseError: there is no such case.
        """
        raise NotImplementedError

    def partner(self, partner_id: str, *, beside: int | None = None, size: int = 20) -> PartnerHistory:
        """A partner's history; the case `beside` which it is shown is left out of `recent`."""
        raise NotImplementedError

    def linked(self, case_id: int, *, size: int = 20) -> tuple[Linked, ...]:
        """Other cases with the same contact, newest first."""
        raise NotImplementedError
