"""The worker and what it works with, put together the same way for Kafka and for the demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_detector.detection import Detector
from stream_detector.observability import Metrics, ObservabilityServer, Readiness
from stream_detector.observability.tracing import tracing
from stream_detector.rollout.models import Models, open_models
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Worker

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from stream_detector.streaming.traces import Traces

OnOutcome = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """A worker that is ready to run, and its surroundings."""

    worker: Worker
    models: Models
    readiness: Readiness
    metrics_url: str


@contextmanager
def assemble(settings: Settings, *, on_outcome: OnOutcome | None = None) -> Iterator[Parts]:
    """Serve metrics, load the models and make a worker; take all down when left."""
    metrics, readiness = Metrics(), Readiness()
    # The server comes first: probes get an answer while the model is being loaded.
    with (
        ObservabilityServer(settings, metrics, readiness) as server,
        tracing(settings, metrics) as tracer,
        open_models(settings, metrics, _load) as models,
    ):
        told = both(on_outcome, models.offer)
        worker = Worker(settings, models.roster, metrics, readiness, on_outcome=told, traces=traces_by(tracer, settings))
        yield Parts(worker, models, readiness, f"http://{settings.http_host}:{server.port}/metrics")


def both(first: OnOutcome | None, second: OnOutcome | None) -> OnOutcome | None:
    """What calls whichever of two is there; None if there is none."""
    if first is None or second is None:
        return first or second

    def call(outcome: Outcome) -> None:
        first(outcome)
        second(outcome)

    return call


def _load(settings: Settings, metrics: Metrics) -> Detector:
    """The detector that settings name, timed."""
    detector = Detector.load(settings, metrics)
    detector.measure()
    return detector


def traces_by(tracer: Tracer | None, settings: Settings) -> Traces | None:
    """What makes the worker's spans; None where tracing is off."""
    if tracer is None:
        return None
    from stream_detector.streaming.traces import Traces  # noqa: PLC0415 - an extra

    return Traces(tracer, settings)
