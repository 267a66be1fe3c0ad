"""A worker that can't reach Kafka says so, and keeps trying."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.settings import Settings
from stream_detector.streaming import worker as worker_module
from stream_detector.streaming.topics import UnreachableError
from stream_detector.streaming.worker import Worker
from tests.kafka.stand_in import StandInScorer
from tests.streaming.simulated_kafka import SimulatedClock


class Absent:
    """Kafka away for a hundred tries, then there; `refuse` makes it say that it doesn't know us."""

    def __init__(self, worker: Worker, readiness: Readiness, metrics: Metrics) -> None:
        self.worker, self.readiness, self.metrics = worker, readiness, metrics
        self.states: list[tuple[State, float | None]] = []
        self.refuse = False

    def __call__(self, _client: Any, _names: Any, errors: Any, _settings: Any) -> None:
        """In place of `require_topics`."""
        self.states.append((self.readiness.state, self.metrics.registry.get_sample_value("stream_detector_kafka_reachable")))
        errors.refused = self.refuse
        if len(self.states) > 100:
            self.worker.stop()
            return
        raise UnreachableError("bootstrap_servers: no Kafka broker answers")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Absent:
    """A worker whose Kafka is away."""
    settings, metrics, readiness = Settings(bootstrap_servers="127.0.0.1:1", slot=0), Metrics(), Readiness()
    worker = Worker(settings, StandInScorer(), metrics, readiness, clock=SimulatedClock())
    absent = Absent(worker, readiness, metrics)
    monkeypatch.setattr(worker_module, "require_topics", absent)
    return absent


def test_it_keeps_trying(absent: Absent) -> None:
    """However long: /readyz and the metric say why nothing happens, and a stop is heard."""
    thread = threading.Thread(target=absent.worker.run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert absent.states[0] == (State.STARTING, 1.0)
    assert set(absent.states[1:100]) == {(State.KAFKA_UNREACHABLE, 0.0)}
    assert absent.readiness.state is State.STOPPED


def test_a_refusal_is_no_matter_of_time(absent: Absent) -> None:
    """A wrong password ends it with the reason."""
    absent.refuse = True
    with pytest.raises(ConfigurationError, match="no Kafka broker answers"):
        absent.worker.run()
    assert len(absent.states) == 1
