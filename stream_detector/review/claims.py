"""Claims: a case belongs to one reviewer for a time. An expired claim is none: the case is back without anybody's doing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from stream_detector.errors import ClaimedError, DecidedError, UnknownCaseError
from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.cases import CaseFilter, Claim, Order, State
from stream_detector.review.conditions import free
from stream_detector.review.database import Database, moment
from stream_detector.review.queue import Queue
from stream_detector.review.reading import claim_of
from stream_detector.review.schema import CaseRow, ViewerRow

#: Whoever looks says so again within this time.
_LOOKING_MS: Final = 30_000
_CANDIDATES: Final = 20


class Claims:
    """The claims of a store.

    Args:
        database: where they are.
        queue: where the next case comes from.
        lease_seconds: how long one lasts.
    """

    def __init__(self, database: Database, queue: Queue, lease_seconds: float) -> None:
        self._database = database
        self._queue = queue
        self._lease_ms = int(lease_seconds * 1000)

    def claim(self, case_id: int, reviewer: str) -> Claim:
        """Take a case, or renew one's own claim on it.

        Raises:
            ClaimedError: somebody else has it (`.by`, `.until`).
            DecidedError: it isn't open, or is this reviewer's own decision shown to others for a second opinion.
            UnknownCaseError: there is no such case.
        """
        claim = self._try(case_id, reviewer)
        if claim is None:
            with self._database.read() as connection:
                raise refusal(connection, case_id, reviewer, self._database.now_ms())
        return claim

    def claim_next(self, wanted: CaseFilter, reviewer: str, *, order: Order = Order.PRIORITY) -> Claim | None:
        """Take the first free case of a queue; None if there is none."""
        wanted = _free_of(wanted)
        while True:
            page = self._queue.page(wanted, viewer=reviewer, order=order, size=_CANDIDATES)
            for case in page.cases:
                # Somebody else may have taken it since.
                if (claim := self._try(case.case_id, reviewer)) is not None:
                    return claim
            if page.next is None:
                return None

    def release(self, case_id: int, reviewer: str) -> None:
        """Give a case back; nothing happens if it isn't this reviewer's."""
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            given_back = connection.execute(
                update(CaseRow)
                .where(CaseRow.case_id == case_id, CaseRow.claimed_by == reviewer)
                .values(claimed_by=None, claim_until_ms=None)
            )
            if given_back.rowcount:
                log(connection, now_ms, Deed(reviewer, Action.RELEASED, case_id))

    def of(self, reviewer: str) -> tuple[Claim, ...]:
        """The live claims of a reviewer."""
        now_ms = self._database.now_ms()
        query = (
            select(CaseRow.case_id, CaseRow.claimed_by, CaseRow.claim_until_ms)
            .where(CaseRow.claimed_by == reviewer, CaseRow.claim_until_ms > now_ms, CaseRow.state == State.OPEN.value)
            .order_by(CaseRow.claim_until_ms, CaseRow.case_id)
        )
        with self._database.read() as connection:
            return tuple(claim for row in connection.execute(query) if (claim := claim_of(row, now_ms)) is not None)

    def look(self, case_id: int, viewer: str) -> tuple[str, ...]:
        """Say that `viewer` looks at a case now, and learn who else has within the last 30 seconds, by name."""
        now_ms = self._database.now_ms()
        seen = update(ViewerRow).where(ViewerRow.case_id == case_id, ViewerRow.viewer == viewer).values(seen_ms=now_ms)
        with self._database.write() as connection:
            if not connection.execute(seen).rowcount:
                if connection.scalar(select(CaseRow.case_id).where(CaseRow.case_id == case_id)) is None:
                    raise UnknownCaseError(f"case {case_id}: there is no such case")
                try:
                    with connection.begin_nested():
                        connection.execute(insert(ViewerRow).values(case_id=case_id, viewer=viewer, seen_ms=now_ms))
                except IntegrityError:  # from two windows at once
                    connection.execute(seen)
            others = select(ViewerRow.viewer).where(
                ViewerRow.case_id == case_id, ViewerRow.viewer != viewer, ViewerRow.seen_ms > now_ms - _LOOKING_MS
            )
            return tuple(connection.scalars(others.order_by(ViewerRow.viewer)))

    def leave(self, case_id: int, viewer: str) -> None:
        """Say that `viewer` looks away."""
        with self._database.write() as connection:
            connection.execute(delete(ViewerRow).where(ViewerRow.case_id == case_id, ViewerRow.viewer == viewer))

    def _try(self, case_id: int, reviewer: str) -> Claim | None:
        now_ms = self._database.now_ms()
        until_ms = now_ms + self._lease_ms
        with self._database.write() as connection:
            renewed = connection.scalar(
                select(CaseRow.case_id).where(
                    CaseRow.case_id == case_id, CaseRow.claimed_by == reviewer, CaseRow.claim_until_ms > now_ms
                )
            )
            taken = connection.execute(
                update(CaseRow)
                .where(CaseRow.case_id == case_id, CaseRow.state == State.OPEN.value, free(reviewer, now_ms))
                .values(claimed_by=reviewer, claim_until_ms=until_ms)
            )
            if not taken.rowcount:
                return None
            if renewed is None:
                log(connection, now_ms, Deed(reviewer, Action.CLAIMED, case_id))
        return Claim(case_id, reviewer, moment(until_ms))


def refusal(connection: Connection, case_id: int, reviewer: str, now_ms: int) -> ClaimedError | DecidedError | UnknownCaseError:
    """Why a case can't be taken or decided."""
    columns = (CaseRow.case_id, CaseRow.state, CaseRow.claimed_by, CaseRow.claim_until_ms, CaseRow.excluded_reviewer)
    row: Any = connection.execute(select(*columns).where(CaseRow.case_id == case_id)).one_or_none()
    if row is None:
        return UnknownCaseError(f"case {case_id}: there is no such case")
    if row.state != State.OPEN.value:
        return DecidedError(f"case {case_id} is decided already; look at it again")
    claim = claim_of(row, now_ms)
    if claim is not None and claim.reviewer != reviewer:
        return ClaimedError(claim.reviewer, claim.until)
    if row.excluded_reviewer == reviewer:
        return DecidedError(f"case {case_id} needs a second reviewer, and you were the first; take another one")
    return DecidedError(f"case {case_id} was just changed by somebody else; look at it again")


def _free_of(wanted: CaseFilter) -> CaseFilter:
    return replace(wanted, states=(State.OPEN,), claimed=False, claimed_by=None)
