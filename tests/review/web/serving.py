"""The console as tests serve it: the real application, store and server, without Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stream_detector.contracts import Label, ScoreDetails, ScoringResponse, Violation, format_probability
from stream_detector.detection.redaction import Scorer
from stream_detector.observability import Metrics
from stream_detector.review.store import Store
from stream_detector.review.web import ConsoleThread
from stream_detector.settings import Settings
from tests.cli.stand_in import StandIn


class Nothing:
    """Nothing runs beside the pages: tests put violations into the store, and seal its decisions, themselves."""

    failure = None

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        """Nothing to keep."""

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""


class StandInScorer(StandIn):
    """Fraud is what holds a number with a country code."""

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """One response for each group of texts."""
        return super().score(texts)


class Stubborn(StandInScorer):
    """Says Fraud to anything."""

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """One response for each group of texts."""
        details = ScoreDetails(label=Label.FRAUD, threshold=0.5, windows=1, backend="stand-in", latency_ms=0.1)
        update = {"score_details": details, "probability_score": format_probability(0.9)}
        return [response.model_copy(update=update) for response in super().score(texts)]


def settings_for(folder: Path, **flags: Any) -> Settings:
    """Settings of a console with a store in a folder, on a free port."""
    return Settings.load(environment={}, flags={"http_port": 0, "review.folder": folder, "log_level": "ERROR"} | flags)


class Console(ConsoleThread):
    """A console that serves from entering to leaving."""

    def __init__(self, folder: Path, *, scorer: Callable[[], Scorer] = StandInScorer, **flags: Any) -> None:
        super().__init__(settings_for(folder, **flags), scorer=scorer, beside=Nothing)

    def take(self, *violations: Violation) -> None:
        """Put violations into the store, as its reader does."""
        with self.store.database.write() as connection:
            self.store.take(connection, violations)

    def at(self, path: str) -> str:
        """The address of a page."""
        return self.url + path.removeprefix("/")


#: Settings of a console behind a proxy.
PROXY = {"review.user_header": "X-User", "review.groups_header": "X-Groups"}
