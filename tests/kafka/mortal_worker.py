"""A worker in a process of its own, to be killed: python -m tests.kafka.mortal_worker SETTINGS.json [POINT].

POINT is where it stops dead, once it has published 50 outcomes: "produced" (output in the transaction, offsets not) or
"sent" (both in the transaction, which isn't committed). There it writes "here" and waits for SIGKILL.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from stream_detector.observability import Metrics, Readiness
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Worker
from stream_detector.streaming.clients import KAFKA, Kafka
from tests.kafka.stand_in import StandInScorer

_AFTER = 50


def main() -> None:
    """Run until SIGTERM, or until killed."""
    settings = Settings.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    done: list[Outcome] = []
    kafka = _mortal(sys.argv[2], done) if len(sys.argv) > 2 else KAFKA
    worker = Worker(settings, StandInScorer(), Metrics(), Readiness(), on_outcome=done.append, kafka=kafka)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


def _mortal(point: str, done: list[Outcome]) -> Kafka:
    def wait_for_the_end() -> None:
        sys.stdout.write("here\n")
        sys.stdout.flush()
        signal.pause()

    class MortalProducer:
        """The real producer, but for the one call at which it stops."""

        def __init__(self, config: dict[str, Any]) -> None:
            self._real = KAFKA.producer(config)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def send_offsets_to_transaction(self, positions: Any, group: Any, timeout: float) -> None:
            if point == "produced" and len(done) >= _AFTER:
                self._real.flush(10)
                wait_for_the_end()
            self._real.send_offsets_to_transaction(positions, group, timeout)

        def commit_transaction(self, timeout: float) -> None:
            if point == "sent" and len(done) >= _AFTER:
                self._real.flush(10)
                wait_for_the_end()
            self._real.commit_transaction(timeout)

    return Kafka(producer=MortalProducer)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
