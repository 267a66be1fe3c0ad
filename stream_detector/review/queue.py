"""The queue: pages of cases by keyset, and counts that never look at more rows than they must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_detector.review.cases import CaseFilter, CaseSummary, Count, Cursor, Order, Page, Pulse, State
from stream_detector.review.database import Database

#: Counting stops here: nobody works through more, and it bounds what a count can cost.
COUNTED: Final = 10_000


class Queue:
    """The queue of a store. `viewer` is who looks: second opinions on their own decisions are not shown to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, wanted: CaseFilter, *, viewer: str, order: Order = Order.PRIORITY, after: Cursor | None = None, size: int = 50
    ) -> Page:
        """A page of the cases that are wanted, from behind a cursor of the same filter and order."""
        raise NotImplementedError

    def count(self, wanted: CaseFilter, *, viewer: str) -> Count:
        """How many are wanted, counted to `COUNTED`."""
        raise NotImplementedError

    def totals(self) -> Mapping[State, int]:
        """How many cases there are in each state; kept while writing, so it costs nothing."""
        raise NotImplementedError

    def model_versions(self) -> tuple[str, ...]:
        """The model versions among the cases, newest first: what a filter offers."""
        raise NotImplementedError

    def summary(self, case_id: int) -> CaseSummary:
        """One line. Raises UnknownCaseError."""
        raise NotImplementedError

    def pulse(self) -> Pulse:
        """Whether anything changed."""
        raise NotImplementedError
