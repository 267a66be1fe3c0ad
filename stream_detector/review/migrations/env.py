"""What Alembic runs: on the connection that `migrating.migrate` made."""

from __future__ import annotations

from alembic import context

from stream_detector.review.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
