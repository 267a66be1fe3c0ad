"""How many cases are in each state: kept in the transaction that changes a state, so that nobody has to count."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, update

from stream_detector.review.schema import TotalRow


def shift(connection: Connection, changes: Counter[str]) -> None:
    """Add to the totals, by state; there is a row for each.

    Called after a transaction has changed its cases and before it writes to the audit log, always in the same order of states: so
    two transactions that wait for each other's rows can't come about.
    """
    for state, by in sorted(changes.items()):
        connection.execute(update(TotalRow).where(TotalRow.state == state).values(cases=TotalRow.cases + by))
