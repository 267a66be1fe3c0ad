"""The store: everything behind the console's pages.

Calls block (they are database calls): an asynchronous page makes them in a thread. All are safe from many threads, and from
many processes on one database. Who may do what is checked by the pages; the store takes note of who did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from stream_detector.contracts import Violation
from stream_detector.detection.fingerprints import key_of
from stream_detector.review.audit import Audit
from stream_detector.review.case_file import CaseFile
from stream_detector.review.claims import Claims
from stream_detector.review.database import Database, open_database
from stream_detector.review.decisions import Decisions
from stream_detector.review.intake import Taken, take
from stream_detector.review.offenders import Offenders
from stream_detector.review.precision import Precision
from stream_detector.review.quality import Quality
from stream_detector.review.queue import Queue
from stream_detector.review.sealing import is_due, seal
from stream_detector.review.thresholds import Thresholds
from stream_detector.settings import ReviewSettings, Settings


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Store:
    """An open store.

    Attributes:
        queue: pages, counts and totals of cases; `queue.pulse()` says whether pages should look again.
        cases: one case whole, its partner, what is linked to it, its clear text.
        claims: who has which case, who looks at it.
        decisions: confirm, dismiss, undo, bulk.
        audit: who did what.
        precision, thresholds, quality: what decisions teach.
        offenders: repeat offenders.
    """

    queue: Queue
    cases: CaseFile
    claims: Claims
    decisions: Decisions
    audit: Audit
    precision: Precision
    thresholds: Thresholds
    quality: Quality
    offenders: Offenders

    def __init__(self, database: Database, settings: ReviewSettings, key: bytes) -> None:
        self._database = database
        self._key = key
        self._quality_share = settings.quality_share
        self.queue = Queue(database, key)
        self.cases = CaseFile(database)
        self.claims = Claims(database, self.queue, settings.lease_seconds)
        self.decisions = Decisions(database, self.queue, undo_seconds=settings.undo_seconds, lease_seconds=settings.lease_seconds)
        self.audit = Audit(database)
        self.precision = Precision(database)
        self.thresholds = Thresholds(database)
        self.quality = Quality(database)
        self.offenders = Offenders(database)

    @classmethod
    def open(cls, settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open the store of `review.database_url`; a new one is made, an older one is brought up to date.

        Raises:
            ConfigurationError: there is no database at the address, or it can't be written.
            MissingExtraError: PostgreSQL without the `postgres` extra.
        """
        database = open_database(settings, clock)
        try:
            return cls(database, settings.review, key_of(settings, settings.review.folder))
        except BaseException:
            database.close()
            raise

    @property
    def database(self) -> Database:
        """Where all of it is: for what reads Kafka into it and publishes from it."""
        return self._database

    def take(self, connection: Connection, violations: Iterable[Violation]) -> Taken:
        """Store violations that aren't stored yet, in a transaction of the caller's."""
        return take(connection, violations, key=self._key, now_ms=self._database.now_ms())

    def seal(self, guard: Callable[[Connection], None] = lambda _: None) -> int:
        """Let the decisions stand whose time to be undone is over; how many it was. What does it is `Background`.

        Args:
            guard: called first in the transaction; if it raises, nothing is done. Reviews are published in the order of their
                numbers, so that only one process at a time may give numbers.
        """
        now_ms = self._database.now_ms()
        with self._database.read() as connection:
            if not is_due(connection, now_ms):
                return 0
        with self._database.write() as connection:
            guard(connection)
            return seal(connection, now_ms, quality_share=self._quality_share)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()
