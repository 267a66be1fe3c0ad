"""What a console does beside its pages: violations in, decisions out. One process a store does it; others stand by."""

from __future__ import annotations

from stream_detector.review.store import Store
from stream_detector.settings import Settings


class Background:
    """A thread that reads `violations` and `repeat-offenders` into a store and publishes its decisions.

    `start` returns at once; `failure` is what ended the thread, if something did. Where Kafka is away it tries again, and pages
    go on working.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def start(self) -> None:
        """Begin."""
        raise NotImplementedError

    def stop(self) -> None:
        """End, within a few seconds; due decisions are published first."""
        raise NotImplementedError

    @property
    def failure(self) -> Exception | None:
        """Why it ended by itself; None while it runs."""
        raise NotImplementedError
