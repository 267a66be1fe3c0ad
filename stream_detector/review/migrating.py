"""Bringing a database's tables up to date, by Alembic, whoever starts first."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, text

from stream_detector.errors import ConfigurationError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
#: Any number: what two consoles that start at once on PostgreSQL meet at.
_LOCK: Final = 7_264_835_021


def migrate(engine: Engine) -> None:
    """Make or change tables until they are what this version needs, in one transaction.

    Raises:
        ConfigurationError: the database was made by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            head = ScriptDirectory.from_config(config).get_current_head()
            raise ConfigurationError(
                f"review.database_url: the database was made by a newer version of this program (this one knows {head}); upgrade it"
            ) from None
