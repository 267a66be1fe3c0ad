"""The database behind the store: SQLite or PostgreSQL, one schema; how it is opened, read and written."""

from __future__ import annotations


class Database:
    """An open database with the current schema."""

    def close(self) -> None:
        """Let go of its connections."""
        raise NotImplementedError
