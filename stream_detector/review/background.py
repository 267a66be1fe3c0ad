"""What a console does beside its pages: violations in, decisions out. One process a store does it; others stand by."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from stream_detector.errors import FatalDeliveryError, StreamDetectorError
from stream_detector.observability import Metrics
from stream_detector.review.ingest import Ingest
from stream_detector.review.lease import LEASE_MS, Lease, LeaseLostError
from stream_detector.review.outbox import Outbox
from stream_detector.review.schema import ViewerRow
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.streaming.clients import KAFKA, Kafka
from stream_detector.streaming.watchdog import Watchdog

#: How long a step waits for a violation: what a decision that is due waits for at most.
_STEP_S: Final = 0.2
_STOP_S: Final = 20.0
_RENEW_S: Final = LEASE_MS / 1000 / 4
_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_LOOKED_AWAY_MS: Final = 60_000

_log = structlog.get_logger()


class Background:
    """A thread that reads `violations` and `repeat-offenders` into a store and publishes its decisions.

    `start` returns at once; `failure` is what ended the thread, if something did. Where Kafka is away it tries again, and pages
    go on working. A call into Kafka that hangs for good is left behind with its thread, and a new one goes on.
    """

    def __init__(self, settings: Settings, store: Store, metrics: Metrics | None = None, kafka: Kafka = KAFKA) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics or Metrics()
        self._kafka = kafka
        self._stopping = threading.Event()
        self._shift: _Shift | None = None
        self._failure: Exception | None = None
        self._problem: str | None = None

    def start(self) -> None:
        """Begin."""
        self._shift = _Shift(self)

    def stop(self) -> None:
        """End, within a few seconds; due decisions are published first, if Kafka is there."""
        self._stopping.set()
        if self._shift is not None:
            self._shift.join(_STOP_S)

    @property
    def failure(self) -> Exception | None:
        """Why it ended by itself; None while it runs."""
        return self._failure

    @property
    def problem(self) -> str | None:
        """What keeps violations from coming in or reviews from going out, fit to be shown; None while both work."""
        return self._problem

    def run(self, shift: _Shift, watchdog: Watchdog) -> None:
        """One thread's work: until it is told to stop, it is relieved, or only a person can help."""
        lease = Lease(self._store.database)
        failures = 0
        while not (self._stopping.is_set() or shift.relieved):
            try:
                if lease.acquire():
                    self._work(lease, watchdog, shift)
                    failures = 0
                else:
                    self._stopping.wait(LEASE_MS / 1000 / 4)
            except LeaseLostError as error:
                _log.info(str(error))
            except FatalDeliveryError as error:
                _log.critical("console: reading violations and publishing reviews has ended", error=str(error))
                self._failure, self._problem = error, str(error)
                break
            except (StreamDetectorError, SQLAlchemyError) as error:
                # SQLAlchemy's own message quotes parameters, and so texts.
                self._problem = str(error) if isinstance(error, StreamDetectorError) else f"the database: {type(error).__name__}"
                _log.warning("console: trying again", error=self._problem)
                self._stopping.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1
        with suppress(SQLAlchemyError):
            lease.release()

    def relieve(self, doing: str) -> None:
        """A call hangs: leave its thread alone, and go on with another one, whose producer fences the old one's."""
        _log.error("a call into Kafka hangs; going on without it", call=doing)
        if self._shift is not None:
            self._shift.relieved = True
        if not self._stopping.is_set():
            self._shift = _Shift(self)

    def _work(self, lease: Lease, watchdog: Watchdog, shift: _Shift) -> None:
        """Read and publish until something fails."""
        ingest = Ingest(self._settings, self._store, lease, self._kafka)
        outbox = Outbox(self._settings, self._store, lease, watchdog, self._metrics, self._kafka)
        renewed_at = time.monotonic()
        try:
            while not shift.relieved:
                done = self._store.seal(lease.hold) + outbox.step()
                if self._stopping.is_set() and not done:
                    return
                read = 0 if self._stopping.is_set() else ingest.step(0 if done else _STEP_S)
                self._problem = None
                if not read and time.monotonic() > renewed_at + _RENEW_S:
                    lease.renew()
                    self._forget_viewers()
                    renewed_at = time.monotonic()
        finally:
            if not shift.relieved:
                ingest.close()
                outbox.close()

    def _forget_viewers(self) -> None:
        with self._store.database.write() as connection:
            connection.execute(delete(ViewerRow).where(ViewerRow.seen_ms < self._store.database.now_ms() - _LOOKED_AWAY_MS))


class _Shift:
    """A thread with its own watchdog, until it is relieved."""

    def __init__(self, background: Background) -> None:
        self.relieved = False
        self._background = background
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        # The watchdog calls once a look while a call hangs; only the first call matters.
        with Watchdog(lambda doing: None if self.relieved else self._background.relieve(doing)) as watchdog:
            self._background.run(self, watchdog)
