"""The first tables of the review store."""

from __future__ import annotations

import secrets
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_KINDS: Final = ("phone", "email", "url", "handle", "messenger", "payment", "solicitation")


def upgrade() -> None:
    """Make the tables, the index of words, and the triggers that keep the audit log as it is."""
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=512), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("audit_by_actor", "audit", ["actor", "sequence"])
    op.create_index("audit_by_case", "audit", ["case_id", "sequence"])
    op.create_index("ix_audit_at_ms", "audit", ["at_ms"])
    op.create_table(
        "cases",
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("case_key", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("shadow_of", _NUMBER, nullable=True),
        sa.Column("excluded_reviewer", sa.String(length=512), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=512), nullable=False),
        sa.Column("listing_id", sa.String(length=512), nullable=True),
        sa.Column("kinds", sa.Integer(), nullable=False),
        sa.Column("score_ppb", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("top_contributor", sa.String(), nullable=False),
        sa.Column("excerpt", sa.String(), nullable=False),
        sa.Column("violations", sa.Integer(), nullable=False),
        sa.Column("model_code", sa.String(length=512), nullable=False),
        sa.Column("model_version", sa.String(length=512), nullable=False),
        sa.Column("first_detected_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_detected_ms", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=512), nullable=True),
        sa.Column("claim_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["shadow_of"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("case_id"),
        sa.UniqueConstraint("case_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("cases_by_claim", "cases", ["claimed_by", "claim_until_ms"])
    op.create_index("cases_by_decision", "cases", ["origin", "decided_ms", "state"])
    op.create_index("cases_by_listing", "cases", ["listing_id", "state", "priority", "case_id"])
    op.create_index("cases_by_model", "cases", ["model_version", "state", "priority", "case_id"])
    op.create_index("cases_by_partner", "cases", ["partner_id", "state", "priority", "case_id"])
    op.create_index("cases_by_priority", "cases", ["state", "priority", "case_id"])
    op.create_index("cases_by_score", "cases", ["state", "score_ppb", "case_id"])
    op.create_index("cases_by_time", "cases", ["state", "last_detected_ms", "case_id"])
    op.create_index("cases_by_type", "cases", ["state", "event_type", "priority", "case_id"])
    op.create_index("ix_cases_shadow_of", "cases", ["shadow_of"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "offenders",
        sa.Column("partner_id", sa.String(length=512), nullable=False),
        sa.Column("window_length", sa.String(length=16), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("violations", sa.Integer(), nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("window_start_ms", sa.BigInteger(), nullable=False),
        sa.Column("window_end_ms", sa.BigInteger(), nullable=False),
        sa.Column("reported_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "window_length"),
    )
    op.create_index("offenders_by_points", "offenders", ["window_length", "points"])
    op.create_table(
        "positions",
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "totals",
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state"),
    )
    op.create_table(
        "contacts",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("fingerprint", "case_id"),
    )
    op.create_index("ix_contacts_case_id", "contacts", ["case_id"])
    op.create_table(
        "decisions",
        sa.Column("decision_id", _NUMBER, nullable=False),
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("spans", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(length=512), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("decision_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_by_reviewer", "decisions", ["reviewer", "decided_ms"])
    op.create_index("decisions_due", "decisions", ["state", "due_ms"])
    op.create_index("ix_decisions_case_id", "decisions", ["case_id"])
    op.create_table(
        "golden",
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("expected", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("planted_by", sa.String(length=512), nullable=False),
        sa.Column("planted_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "viewers",
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("viewer", sa.String(length=512), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("case_id", "viewer"),
    )
    op.create_table(
        "violations",
        sa.Column("violation_id", sa.String(length=512), nullable=False),
        sa.Column("case_id", _NUMBER, nullable=False),
        sa.Column("event_id", sa.String(length=512), nullable=False),
        sa.Column("detected_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("violation_id"),
    )
    op.create_index("ix_violations_event_id", "violations", ["event_id"])
    op.create_index("violations_by_case", "violations", ["case_id", "detected_ms"])
    op.create_table(
        "outbox",
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("decision_id", _NUMBER, nullable=False),
        sa.Column("violation_id", sa.String(length=512), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"]),
        sa.ForeignKeyConstraint(["violation_id"], ["violations.violation_id"]),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
    )
    for bit, kind in enumerate(_KINDS):
        has = sa.text(f"kinds & {1 << bit} <> 0")
        op.create_index(f"cases_of_{kind}", "cases", ["state", "priority", "case_id"], sqlite_where=has, postgresql_where=has)
    totals = sa.table("totals", sa.column("state"), sa.column("cases"))
    op.bulk_insert(totals, [{"state": state, "cases": 0} for state in ("open", "pending", "confirmed", "dismissed")])
    marks = sa.table("marks", sa.column("name"), sa.column("value"))
    # The store's own name in Kafka: another store's marks there must not be taken for this one's.
    op.bulk_insert(marks, [{"name": "store_id", "value": secrets.token_hex(8)}])
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
    else:
        for statement in _POSTGRESQL:
            op.execute(statement)


_REFUSAL: Final = "the audit log is only ever added to"

_SQLITE: Final = (
    # Words come folded already; the index keeps masked text alone.
    "CREATE VIRTUAL TABLE case_words USING fts5(words, tokenize='unicode61')",
    f"CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
)
_POSTGRESQL: Final = (
    "CREATE TABLE case_words (case_id bigint PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX case_words_index ON case_words USING gin (words)",
    f"CREATE FUNCTION audit_refusal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refusal()",
    "CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refusal()",
)
