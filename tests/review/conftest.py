"""Stores to test: each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stream_detector.review.store import Store
from stream_detector.settings import Settings
from tests.review.postgres import PostgreSQL

KEY = "a key that is long enough for fingerprints"


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Go on."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A real server. Where it is missing the tests fail and say what to run: they are never skipped."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def clock() -> SetClock:
    """The time of the store."""
    return SetClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a store on each kind of database; no second opinions unless a test asks for them."""
    review: dict[str, object] = {"folder": str(tmp_path), "quality_share": 0.0, "undo_seconds": 5, "lease_seconds": 60}
    if request.param == "sqlite":
        yield make_settings(review)
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    url = server.new_database()
    yield make_settings(review | {"database_url": url})
    server.drop(url)


def make_settings(review: dict[str, object]) -> Settings:
    """Settings with a key that is known."""
    return Settings.model_validate({"fingerprint_key": KEY, "review": review})


@pytest.fixture
def store(settings: Settings, clock: SetClock) -> Iterator[Store]:
    """An empty store."""
    with Store.open(settings, clock=clock) as opened:
        yield opened
