"""The audit log: who did what, when. Rows are only ever added; each holds the hash of the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select, text

from stream_detector.contracts import format_timestamp
from stream_detector.review.database import AnyRow, AnySelect, Database, milliseconds, moment
from stream_detector.review.schema import AuditRow

#: Any number: what writers on PostgreSQL meet at, so that each sees the line before its own. SQLite has one writer anyway.
_LOCK: Final = 7_264_835_022
_FIRST_HASH: Final = "0" * 64
_EXPORT_ROWS: Final = 1000


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
    """One line of the log. `detail` never holds a text, a contact or a note.

    `hash` is SHA-256 over the line's JSON without it, in which `previous` is the hash of the line before.
    """

    sequence: int
    at: datetime
    actor: str
    action: Action
    case_id: int | None
    detail: Mapping[str, object]
    hash: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be logged."""

    actor: str
    action: Action
    case_id: int | None = None
    detail: Mapping[str, object] | None = None


class Audit:
    """The log of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: str, action: Action, *, case_id: int | None = None, detail: Mapping[str, object] | None = None) -> None:
        """Add a line; for what pages do by themselves (SIGNED_IN, REFUSED, EXPORTED): the store logs the rest with the deed."""
        with self._database.write() as connection:
            log(connection, self._database.now_ms(), Deed(actor, action, case_id, detail))

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
        query = select(*_COLUMNS).order_by(AuditRow.sequence.desc()).limit(size)
        if before is not None:
            query = query.where(AuditRow.sequence < before)
        if actor is not None:
            query = query.where(AuditRow.actor == actor)
        if action is not None:
            query = query.where(AuditRow.action == action.value)
        if case_id is not None:
            query = query.where(AuditRow.case_id == case_id)
        with self._database.read() as connection:
            return tuple(map(_entry_of, connection.execute(query)))

    def export(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[bytes]:
        """The log, oldest first, a JSON object and a newline each: JSON Lines."""
        query = select(*_COLUMNS)
        if since is not None:
            query = query.where(AuditRow.at_ms >= milliseconds(since))
        if until is not None:
            query = query.where(AuditRow.at_ms < milliseconds(until))
        previous = None
        for row in self._rows(query):
            if previous is None:
                previous = self._hash_before(row.sequence)
            yield orjson.dumps(_line(row, previous) | {"hash": row.hash}) + b"\n"
            previous = row.hash

    def verify(self) -> int | None:
        """The sequence number of the first line that was tampered with; None if the chain holds.

        Lines that were cut off its end leave a chain that holds: compare with an earlier export.
        """
        previous, expected = _FIRST_HASH, 1
        for row in self._rows(select(*_COLUMNS)):
            if row.sequence != expected or row.hash != _hash(_line(row, previous)):
                return expected
            previous, expected = row.hash, expected + 1
        return None

    def _rows(self, query: AnySelect) -> Iterator[AnyRow]:
        # In pieces: a transaction that lasts as long as a download would keep others' old rows alive.
        last = 0
        while True:
            with self._database.read() as connection:
                rows = list(
                    connection.execute(query.where(AuditRow.sequence > last).order_by(AuditRow.sequence).limit(_EXPORT_ROWS))
                )
            yield from rows
            if len(rows) < _EXPORT_ROWS:
                return
            last = rows[-1].sequence

    def _hash_before(self, sequence: int) -> str:
        with self._database.read() as connection:
            return connection.scalar(select(AuditRow.hash).where(AuditRow.sequence == sequence - 1)) or _FIRST_HASH


def log(connection: Connection, now_ms: int, *deeds: Deed) -> None:
    """Add lines, as the last thing that a transaction does.

    Writers take their turn here. One that went on to other rows could wait for somebody who waits for it.
    """
    if not deeds:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = connection.execute(select(AuditRow.sequence, AuditRow.hash).order_by(AuditRow.sequence.desc()).limit(1)).one_or_none()
    sequence, previous = (last.sequence, last.hash) if last else (0, _FIRST_HASH)
    rows = []
    for deed in deeds:
        sequence += 1
        row: dict[str, Any] = {
            "sequence": sequence,
            "at_ms": now_ms,
            "actor": deed.actor,
            "action": deed.action.value,
            "case_id": deed.case_id,
            "detail": orjson.dumps(dict(deed.detail or {}), option=orjson.OPT_SORT_KEYS).decode(),
        }
        previous = row["hash"] = _hash(_line(SimpleNamespace(**row), previous))
        rows.append(row)
    connection.execute(insert(AuditRow), rows)


_COLUMNS: Final = (
    AuditRow.sequence,
    AuditRow.at_ms,
    AuditRow.actor,
    AuditRow.action,
    AuditRow.case_id,
    AuditRow.detail,
    AuditRow.hash,
)


def _entry_of(row: AnyRow) -> AuditEntry:
    detail = orjson.loads(row.detail)
    return AuditEntry(row.sequence, moment(row.at_ms), row.actor, Action(row.action), row.case_id, detail, row.hash)


def _line(row: AnyRow | SimpleNamespace, previous: str) -> dict[str, Any]:
    """What a line's hash is over, and what its export begins with."""
    return {
        "sequence": row.sequence,
        "at": format_timestamp(moment(row.at_ms)),
        "actor": row.actor,
        "action": row.action,
        "caseId": row.case_id,
        "detail": orjson.loads(row.detail),
        "previous": previous,
    }


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(line, option=orjson.OPT_SORT_KEYS)).hexdigest()
