"""A worker in a thread, and waiting for what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from stream_detector.observability import Metrics, Readiness
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Scorer, Worker
from tests.kafka.stand_in import StandInScorer

_PATIENCE_S = 60.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so; the test fails if it never is."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


class RunningWorker:
    """Runs a worker while in a with statement; an error of the worker's surfaces at the end, or in `error`.

    Args:
        settings: the worker's.
        scorer: else the stand-in.
        options: more of the worker's own.
    """

    def __init__(self, settings: Settings, scorer: Scorer | None = None, **options: Any) -> None:
        self.outcomes: list[Outcome] = []
        self.metrics = Metrics()
        self.readiness = Readiness()
        self.error: BaseException | None = None
        options |= {"on_outcome": self.outcomes.append}
        self.worker = Worker(settings, scorer or StandInScorer(), self.metrics, self.readiness, **options)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it, and raise what it raised."""
        self.worker.stop()
        self.join()
        if kind is None and self.error is not None:
            raise self.error

    def ready(self) -> None:
        """Wait until it can work."""
        until(lambda: self.readiness.ready or self.error, "readiness")
        if self.error is not None:
            raise self.error

    def has(self, count: int) -> None:
        """Wait for so many outcomes."""
        until(lambda: len(self.outcomes) >= count or self.error, f"{count} outcomes, there are {len(self.outcomes)}")
        if self.error is not None:
            raise self.error

    def join(self) -> None:
        """Wait until the worker has returned."""
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive(), "the worker did not stop"

    def metric(self, name: str, **labels: str) -> float:
        """The value of one of its metrics."""
        return self.metrics.registry.get_sample_value(f"stream_detector_{name}", labels) or 0.0

    def lags(self, topic: str) -> set[float]:
        """The lags that it tells for a topic's partitions."""
        samples = next(iter(self.metrics.consumer_lag.collect())).samples
        return {sample.value for sample in samples if sample.labels["topic"] == topic}

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            self.error = error
