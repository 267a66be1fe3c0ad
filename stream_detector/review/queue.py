"""The queue: pages of cases by keyset, and counts that never look at more rows than they must."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, tuple_

from stream_detector.errors import UnknownCaseError
from stream_detector.review.cases import CaseFilter, CaseSummary, Count, Cursor, Order, Page, Pulse, State
from stream_detector.review.conditions import POSITIONS, conditions
from stream_detector.review.database import AnyRow, Database
from stream_detector.review.reading import SUMMARY_COLUMNS, summary_of
from stream_detector.review.schema import AuditRow, CaseRow, TotalRow

#: Counting stops here: nobody works through more, and it bounds what a count can cost.
COUNTED: Final = 10_000
#: The same for what came in while a page is open.
ARRIVED: Final = 200


class Queue:
    """The queue of a store. `viewer` is who looks: second opinions on their own decisions are not shown to them."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    def page(
        self, wanted: CaseFilter, *, viewer: str, order: Order = Order.PRIORITY, after: Cursor | None = None, size: int = 50
    ) -> Page:
        """A page of the cases that are wanted, from behind a cursor of the same filter and order.

        Each state is read along its own index, and the pieces are merged: so no order ever has to sort more than a page.
        """
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            pieces = [
                self._piece(connection, self._conditions(wanted, state, viewer, now_ms, order), order, after, size + 1)
                for state in wanted.states or tuple(State)
            ]
        rows = list(islice(heapq.merge(*pieces, key=_place, reverse=order is not Order.OLDEST), size + 1))
        summaries = tuple(summary_of(row, now_ms) for row in rows[:size])
        return Page(summaries, Cursor(*_place(rows[size - 1])) if len(rows) > size else None)

    def count(self, wanted: CaseFilter, *, viewer: str) -> Count:
        """How many are wanted, counted to `COUNTED`."""
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            number = sum(
                self._counted(connection, self._conditions(wanted, state, viewer, now_ms))
                for state in wanted.states or tuple(State)
            )
        return Count(min(number, COUNTED), exact=number <= COUNTED)

    def arrived(self, wanted: CaseFilter, *, after_case: int, viewer: str) -> Count:
        """How many of the wanted came in after a case: of the `ARRIVED` next ones, whatever else they are."""
        now_ms = self._database.now_ms()
        following = select(CaseRow.case_id).where(CaseRow.case_id > after_case).order_by(CaseRow.case_id).limit(ARRIVED + 1)
        with self._database.read() as connection:
            following_ids = connection.scalars(following).all()
            number = 0
            for state in wanted.states or tuple(State):
                met = self._conditions(wanted, state, viewer, now_ms)
                # One by one: of a list of them SQLite thinks so much that it would rather go through all that is open.
                query = select(CaseRow.case_id).where(CaseRow.case_id == bindparam("one"), *met)
                number += sum(connection.scalar(query, {"one": case_id}) is not None for case_id in following_ids[:ARRIVED])
        return Count(number, exact=len(following_ids) <= ARRIVED)

    def totals(self) -> Mapping[State, int]:
        """How many cases there are in each state; kept while writing, so it costs nothing."""
        with self._database.read() as connection:
            return {State(row.state): row.cases for row in connection.execute(select(TotalRow.state, TotalRow.cases))}

    def model_versions(self) -> tuple[str, ...]:
        """The model versions among the cases, in order: what a filter offers."""
        found: list[str] = []
        with self._database.read() as connection:
            # From one to the next along the index, not over all rows.
            while (
                following := connection.scalar(
                    select(func.min(CaseRow.model_version)).where(CaseRow.model_version > (found[-1] if found else ""))
                )
            ) is not None:
                found.append(following)
        return tuple(found)

    def summary(self, case_id: int) -> CaseSummary:
        """One line. Raises UnknownCaseError."""
        with self._database.read() as connection:
            row = connection.execute(select(*SUMMARY_COLUMNS).where(CaseRow.case_id == case_id)).one_or_none()
        if row is None:
            raise UnknownCaseError(f"case {case_id}: there is no such case")
        return summary_of(row, self._database.now_ms())

    def pulse(self) -> Pulse:
        """Whether anything changed."""
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(CaseRow.case_id))) or 0
            sequence = connection.scalar(select(func.max(AuditRow.sequence))) or 0
            waiting = connection.scalar(select(TotalRow.cases).where(TotalRow.state == State.OPEN.value)) or 0
        return Pulse(newest, sequence, waiting)

    def _conditions(self, wanted: CaseFilter, state: State, viewer: str, now_ms: int, order: Order | None = None) -> list[Any]:
        dialect = self._database.dialect.name
        return conditions(wanted, state, viewer=viewer, now_ms=now_ms, key=self._key, dialect=dialect, order=order)

    @staticmethod
    def _piece(connection: Connection, met: list[Any], order: Order, after: Cursor | None, size: int) -> list[AnyRow]:
        position = POSITIONS[order]
        place = tuple_(position, CaseRow.case_id)
        rising = order is Order.OLDEST
        query = select(*SUMMARY_COLUMNS, position.label("place")).where(*met).limit(size)
        if after is not None:
            last = tuple_(after.position, after.case_id)
            query = query.where(place > last if rising else place < last)
        ends = (position, CaseRow.case_id) if rising else (position.desc(), CaseRow.case_id.desc())
        return list(connection.execute(query.order_by(*ends)))

    @staticmethod
    def _counted(connection: Connection, met: list[Any]) -> int:
        some = select(CaseRow.case_id).where(*met).limit(COUNTED + 1).subquery()
        return connection.scalar(select(func.count()).select_from(some)) or 0


def _place(row: AnyRow) -> tuple[int, int]:
    return row.place, row.case_id
