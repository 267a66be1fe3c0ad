"""The tables: one schema for SQLite and PostgreSQL. Moments are milliseconds since the epoch, in UTC.

The migrations in `migrations/` make them; a test holds the two to each other.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, ForeignKey, Index, Integer, LargeBinary, String, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stream_detector.contracts import Kind

#: The bit of each kind in `CaseRow.kinds`.
KIND_BITS: Final = {kind: 1 << place for place, kind in enumerate(Kind)}

#: Counts up by itself; SQLite does that for its own integers alone, and with AUTOINCREMENT never gives a number twice.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class Characters(TypeDecorator[str]):
    """A text that any database takes: PostgreSQL keeps no NUL, and half a surrogate pair has no UTF-8."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """What is written, and compared with."""
        return None if value is None else value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class Base(DeclarativeBase):
    """All tables."""


def has_kind(kind: Kind) -> Any:
    """The condition that a case has evidence of a kind, word for word as its partial index has it: only so it is used."""
    return text(f"kinds & {KIND_BITS[kind]} <> 0")


def _index_of(kind: Kind) -> Index:
    return Index(f"cases_of_{kind}", "state", "priority", "case_id", sqlite_where=has_kind(kind), postgresql_where=has_kind(kind))


class CaseRow(Base):
    """A case. Second opinions and golden cases (`origin`) are rows of their own that look at another one's violations."""

    __tablename__ = "cases"
    __table_args__ = (
        # One for each order of the queue. PostgreSQL and SQLite both read an index backwards.
        Index("cases_by_priority", "state", "priority", "case_id"),
        Index("cases_by_time", "state", "last_detected_ms", "case_id"),
        Index("cases_by_score", "state", "score_ppb", "case_id"),
        # Filters that leave few of many.
        Index("cases_by_partner", "partner_id", "state", "priority", "case_id"),
        Index("cases_by_listing", "listing_id", "state", "priority", "case_id"),
        Index("cases_by_type", "state", "event_type", "priority", "case_id"),
        Index("cases_by_model", "model_version", "state", "priority", "case_id"),
        Index("cases_by_claim", "claimed_by", "claim_until_ms"),
        Index("cases_by_decision", "origin", "decided_ms", "state"),
        *map(_index_of, Kind),
        {"sqlite_autoincrement": True},
    )

    case_id: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    #: What makes violations one case, hashed under the key of the contacts' fingerprints.
    case_key: Mapped[str] = mapped_column(Characters(64), unique=True)
    #: live, second (opinion) or golden.
    origin: Mapped[str] = mapped_column(Characters(8))
    #: The case whose violations it shows, if not its own.
    shadow_of: Mapped[int | None] = mapped_column(ForeignKey("cases.case_id"), index=True)
    #: Who decided that case, and so must not decide this one.
    excluded_reviewer: Mapped[str | None] = mapped_column(Characters(512))
    state: Mapped[str] = mapped_column(Characters(12))
    event_type: Mapped[str] = mapped_column(Characters(32))
    partner_id: Mapped[str] = mapped_column(Characters(512))
    listing_id: Mapped[str | None] = mapped_column(Characters(512))
    #: A bit a kind, in the order of `contracts.Kind`.
    kinds: Mapped[int]
    #: The highest probability, in billionths: whole numbers make a cursor exact.
    score_ppb: Mapped[int] = mapped_column(BigInteger)
    #: Hour of the newest detection, then certainty.
    priority: Mapped[int] = mapped_column(BigInteger)
    #: The lowest threshold that let one of its violations through.
    threshold: Mapped[float]
    top_contributor: Mapped[str] = mapped_column(Characters)
    excerpt: Mapped[str] = mapped_column(Characters)
    violations: Mapped[int]
    model_code: Mapped[str] = mapped_column(Characters(512))
    model_version: Mapped[str] = mapped_column(Characters(512))
    first_detected_ms: Mapped[int] = mapped_column(BigInteger)
    last_detected_ms: Mapped[int] = mapped_column(BigInteger)
    claimed_by: Mapped[str | None] = mapped_column(Characters(512))
    claim_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    revision: Mapped[int]
    #: The decision that stands, once it is published.
    decision_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_ms: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Characters(32))


class ViolationRow(Base):
    """A violation, as it was published."""

    __tablename__ = "violations"
    __table_args__ = (Index("violations_by_case", "case_id", "detected_ms"),)

    violation_id: Mapped[str] = mapped_column(Characters(512), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"))
    event_id: Mapped[str] = mapped_column(Characters(512), index=True)
    detected_ms: Mapped[int] = mapped_column(BigInteger)
    #: JSON, the texts in the clear.
    document: Mapped[bytes] = mapped_column(LargeBinary)


class ContactRow(Base):
    """A contact of a case, by its fingerprint."""

    __tablename__ = "contacts"

    fingerprint: Mapped[str] = mapped_column(Characters(32), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(Characters(16))


class DecisionRow(Base):
    """A decision; `state` is pending, undone or sealed."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_due", "state", "due_ms"),
        Index("decisions_by_reviewer", "reviewer", "decided_ms"),
        {"sqlite_autoincrement": True},
    )

    decision_id: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), index=True)
    revision: Mapped[int]
    decision: Mapped[str] = mapped_column(Characters(12))
    reason: Mapped[str | None] = mapped_column(Characters(32))
    #: JSON: the corrected spans, or nothing.
    spans: Mapped[str | None] = mapped_column(Characters)
    note: Mapped[str] = mapped_column(Characters)
    reviewer: Mapped[str] = mapped_column(Characters(512))
    decided_ms: Mapped[int] = mapped_column(BigInteger)
    due_ms: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Characters(8))


class OutboxRow(Base):
    """A review to be published; those up to the sequence number in `marks` are."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)

    sequence: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.decision_id"))
    violation_id: Mapped[str] = mapped_column(ForeignKey("violations.violation_id"))


class GoldenRow(Base):
    """A golden case and what is known about it."""

    __tablename__ = "golden"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), primary_key=True)
    expected: Mapped[str] = mapped_column(Characters(12))
    reason: Mapped[str | None] = mapped_column(Characters(32))
    planted_by: Mapped[str] = mapped_column(Characters(512))
    planted_ms: Mapped[int] = mapped_column(BigInteger)


class ViewerRow(Base):
    """Who looked at a case, and when last."""

    __tablename__ = "viewers"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), primary_key=True)
    viewer: Mapped[str] = mapped_column(Characters(512), primary_key=True)
    seen_ms: Mapped[int] = mapped_column(BigInteger)


class OffenderRecord(Base):
    """The newest report on a partner for windows of one length."""

    __tablename__ = "offenders"
    __table_args__ = (Index("offenders_by_points", "window_length", "points"),)

    partner_id: Mapped[str] = mapped_column(Characters(512), primary_key=True)
    #: "7d"; `window` alone is a word of SQL.
    window_length: Mapped[str] = mapped_column(Characters(16), primary_key=True)
    level: Mapped[str] = mapped_column(Characters(64))
    points: Mapped[float]
    violations: Mapped[int]
    listings: Mapped[int]
    contacts: Mapped[int]
    window_start_ms: Mapped[int] = mapped_column(BigInteger)
    window_end_ms: Mapped[int] = mapped_column(BigInteger)
    reported_ms: Mapped[int] = mapped_column(BigInteger)


class AuditRow(Base):
    """A line of the audit log. Triggers refuse to change or remove one."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_actor", "actor", "sequence"), Index("audit_by_case", "case_id", "sequence"))

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    actor: Mapped[str] = mapped_column(Characters(512))
    action: Mapped[str] = mapped_column(Characters(32))
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    #: JSON.
    detail: Mapped[str] = mapped_column(Characters)
    hash: Mapped[str] = mapped_column(Characters(64))


class PositionRow(Base):
    """Where reading of a partition goes on: written with the rows that were read."""

    __tablename__ = "positions"

    topic: Mapped[str] = mapped_column(Characters(249), primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    next_offset: Mapped[int] = mapped_column(BigInteger)


class TotalRow(Base):
    """How many cases are in a state."""

    __tablename__ = "totals"

    state: Mapped[str] = mapped_column(Characters(12), primary_key=True)
    cases: Mapped[int] = mapped_column(BigInteger)


class MarkRow(Base):
    """Small facts by name: the store's own id, and up to where the outbox is published."""

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    value: Mapped[str] = mapped_column(Characters)


class LeaseRow(Base):
    """What one process at a time may do, who does it, and until when unless it says so again."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    holder: Mapped[str] = mapped_column(Characters(64))
    until_ms: Mapped[int] = mapped_column(BigInteger)
