"""The worker and what it works with, put together the same way for Kafka and for the demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stream_detector.detection import Detector
from stream_detector.observability import Metrics, ObservabilityServer, Readiness
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Worker


@dataclass(frozen=True, slots=True)
class Parts:
    """A worker that is ready to run, and its surroundings."""

    worker: Worker
    detector: Detector
    readiness: Readiness
    metrics_url: str


@contextmanager
def assemble(settings: Settings, *, on_outcome: Callable[[Outcome], None] | None = None) -> Iterator[Parts]:
    """Serve metrics, load the model and make a worker; take all down when left."""
    metrics, readiness = Metrics(), Readiness()
    # The server comes first: probes get an answer while the model is being loaded.
    with ObservabilityServer(settings, metrics, readiness) as server, Detector.load(settings, metrics) as detector:
        detector.measure()
        manifest = detector.manifest
        info = metrics.model_info.labels(
            manifest.model_code, manifest.model_version, manifest.refresh_version, detector.backend_name
        )  # fmt: skip
        info.set(1)
        worker = Worker(settings, detector, metrics, readiness, on_outcome=on_outcome)
        yield Parts(worker, detector, readiness, f"http://{settings.http_host}:{server.port}/metrics")
