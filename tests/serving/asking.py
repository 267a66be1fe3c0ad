"""What the tests of the predictor share: the real application over a detector whose network is a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.testclient import TestClient

from stream_detector.contracts import ScoringResponse
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.serving import Predictor, Scorer, make_app
from stream_detector.settings import Settings
from tests.detection.stand_in import StandInBackend, detector

JSON = {"Content-Type": "application/json"}
TOKEN = "a-token-for-tests-only"


def request(**attributes: object) -> dict[str, Any]:
    """A scoring request."""
    return {"transactionContext": {"transactionId": "T-1"}, "attributes": attributes}


class Served:
    """An application, and a client for it.

    Args:
        scorer: what scores; else a detector over the stand-in network.
        settings: those of the predictor.
    """

    def __init__(self, scorer: Scorer | None = None, **settings: Any) -> None:
        self.metrics, self.readiness = Metrics(), Readiness()
        self.settings = Settings.load(environment={}, flags=settings)
        self.predictor = Predictor(self.settings, self.metrics)
        self.predictor.scorer = scorer or detector(StandInBackend(), metrics=self.metrics)
        self.readiness.set(State.READY)
        self.app: Starlette = make_app(self.settings, self.predictor, self.metrics, self.readiness)
        self.client = TestClient(self.app)

    def score(self, document: object, **headers: str | bytes) -> Any:
        """POST a document, or bytes as they are, to /score."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        return self.client.post("/score", content=body, headers=JSON | headers)

    def sample(self, name: str, **labels: str) -> float | None:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(f"stream_detector_{name}", labels)


class Gated:
    """A scorer that waits inside `score` until it is let go on, as a busy network would make it."""

    def __init__(self, seconds_left: float = 0.0) -> None:
        self.seconds_left = seconds_left
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Wait, then answer as the stand-in does."""
        self.entered.release()
        assert self.gate.wait(30)
        return detector(StandInBackend()).score(texts)


class Failing:
    """A scorer that fails on the text "poison"."""

    seconds_left = 0.0

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Fail, or answer as the stand-in does."""
        if any("poison" in group.values() for group in texts):
            raise ZeroDivisionError("poison")
        return detector(StandInBackend()).score(texts)
