"""The database behind the store: SQLite or PostgreSQL, one schema; how it is opened, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Select, create_engine, event, make_url
from sqlalchemy.engine import URL, Dialect, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from stream_detector.errors import ConfigurationError, MissingExtraError
from stream_detector.review.migrating import migrate
from stream_detector.settings import Settings

#: Name of the SQLite file, in the console's own folder.
DATABASE_FILE: Final = "review.sqlite3"

#: How long a write waits for another one to end.
_BUSY_MS: Final = 15_000
# Errors don't quote what a statement was given: texts are among it, and errors end in logs.
_POOL: Final = {"pool_size": 10, "max_overflow": 30, "pool_timeout": 30, "hide_parameters": True}

Clock = Callable[[], datetime]
#: A row or a query of any columns.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


class Database:
    """An open database with the current schema.

    Args:
        engine: where it is.
        clock: the time, in UTC.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._reading = engine
        self._writing = engine.execution_options(writes=True)
        self._clock = clock
        self.dialect: Final[Dialect] = engine.dialect

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.dialect.name == "sqlite"

    def now_ms(self) -> int:
        """The time in milliseconds since the epoch."""
        return milliseconds(self._clock())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: what it sees is of one moment in SQLite, of one moment a statement in PostgreSQL."""
        with self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; all of it happens or, if an error leaves the block, nothing.

        SQLite has one writer at a time, and others wait for their turn; PostgreSQL has many, who meet at the rows they change.
        """
        with self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of its connections."""
        self._reading.dispose()


def open_database(settings: Settings, clock: Clock) -> Database:
    """Open the database of the settings; a new one gets its tables, an older one is brought up to date.

    Raises:
        ConfigurationError: there is no database at the address, it can't be written, or it is newer than this program.
        MissingExtraError: PostgreSQL without the `postgres` extra.
    """
    url = _url_of(settings)
    engine = _engine(url)
    try:
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        reason = " ".join(str(error.orig).split())
        raise ConfigurationError(
            f"review.database_url: {_shown(url)}: {reason}; check that the database is there and may be written"
        ) from None
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, clock)


def require_made(settings: Settings) -> None:
    """Refuse to make a new store where an old one is to be read.

    Raises:
        ConfigurationError: the SQLite file isn't there.
    """
    url = _url_of(settings)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ConfigurationError(f"review.database_url: {url.database}: no such file; name the console's store, or review.folder")


def milliseconds(moment: datetime) -> int:
    """A moment as the tables hold it."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(at_ms: int) -> datetime:
    """What `milliseconds` was given, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=at_ms)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _url_of(settings: Settings) -> URL:
    text = settings.review.database_url
    if text is None:
        folder = settings.review.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"review.folder: {folder}: {error.strerror}; name a folder that can be made") from None
        return URL.create("sqlite", database=str(folder / DATABASE_FILE))
    try:
        url = make_url(text.get_secret_value())
    except ArgumentError:
        # SQLAlchemy's own message quotes the address, password and all.
        raise ConfigurationError(f"review.database_url: is no address of a database; {_EXAMPLES}") from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            return url.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
        case _:
            raise ConfigurationError(f"review.database_url: {url.drivername}: not a kind that the console knows; {_EXAMPLES}")


_EXAMPLES: Final = "write postgresql://user@host/database, or sqlite:///file; its password can stand in ~/.pgpass or PGPASSWORD"


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000}, **_POOL)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # A connection that a restarted server has closed is found out before it is used.
        return create_engine(url, pool_pre_ping=True, **_POOL)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingExtraError("a review store in PostgreSQL", "postgres") from None


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it begins them late, and then two writers can deadlock.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Readers and the writer don't wait for each other. What is committed survives a power cut: decisions are published after it.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}", "cache_size=-65536"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its turn at once: one that began as a reader could not become one while another writes.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)
