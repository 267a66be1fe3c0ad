"""Opening a store: migrations, and errors that say what to do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from stream_detector.errors import ConfigurationError
from stream_detector.review.database import Database
from stream_detector.review.schema import Base
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from tests.review.conftest import make_settings


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    """Tables, columns, types and indexes are the same whether one reads the models or the migrations."""
    database: Database = store.database
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        assert compare_metadata(context, Base.metadata) == []


def test_consoles_that_start_at_once_make_one_store(settings: Settings) -> None:
    """Two that find a new database don't stumble over each other's tables."""
    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(lambda _: Store.open(settings), range(3)))
    try:
        assert {store.queue.pulse() for store in stores} == {stores[0].queue.pulse()}
    finally:
        for store in stores:
            store.close()


def test_a_newer_database_is_refused(settings: Settings) -> None:
    """An older program doesn't write into tables that it doesn't know."""
    with Store.open(settings) as store, store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(ConfigurationError, match="made by a newer version"):
        Store.open(settings)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/x", "mysql: not a kind that the console knows; write postgresql://"),
        ("no address: secret-word", "is no address of a database"),
        ("postgresql://me:secret-word@127.0.0.1:1/x", r"postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/x: .*refused"),
    ],
)
def test_a_wrong_address_is_told_without_its_password(tmp_path: Path, url: str, message: str) -> None:
    """The setting is named, and what to write instead; a password never is."""
    settings = make_settings({"folder": str(tmp_path), "database_url": url})
    with pytest.raises(ConfigurationError, match=message) as refused:
        Store.open(settings)
    assert "review.database_url" in str(refused.value)
    assert "secret-word" not in str(refused.value)
    assert "secret-word" not in repr(settings)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The setting and the folder are named."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"review\.folder: .*file"):
        Store.open(make_settings({"folder": str(tmp_path / "file")}))


def test_errors_of_the_database_quote_nothing(store: Store) -> None:
    """What a statement was given, texts among it, doesn't stand in its error."""
    with pytest.raises(Exception, match="no_such_table") as failed, store.database.read() as connection:
        connection.execute(text("SELECT * FROM no_such_table WHERE a = :secret"), {"secret": "+1 202 555 0143"})
    assert "555" not in str(failed.value)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    # The index of words differs by database; the models don't have it.
    return kind != "table" or not (name or "").startswith("case_words")
