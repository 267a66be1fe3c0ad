"""A console without pages in a process of its own, to be killed: python -m tests.kafka.mortal_console SETTINGS.json [POINT].

POINT is where it stops dead at the first review that it publishes: "produced" (reviews in the transaction, the mark not), "sent"
(both, not committed) or "committed" (committed, and not yet noted in the store). There it writes "here" and waits for SIGKILL.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Any

from stream_detector.review.background import Background
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.streaming.clients import KAFKA, Kafka


def main() -> None:
    """Run until SIGTERM, or until killed."""
    settings = Settings.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with Store.open(settings) as store:
        background = Background(settings, store, kafka=_mortal(sys.argv[2]) if len(sys.argv) > 2 else KAFKA)
        background.start()
        stopped.wait()
        background.stop()


def _mortal(point: str) -> Kafka:
    def wait_for_the_end() -> None:
        sys.stdout.write("here\n")
        sys.stdout.flush()
        threading.Event().wait()

    class MortalProducer:
        """The real producer, but for the one call at which it stops."""

        def __init__(self, config: dict[str, Any]) -> None:
            self._real = KAFKA.producer(config)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def send_offsets_to_transaction(self, positions: Any, group: Any, timeout: float) -> None:
            if point == "produced":
                self._real.flush(10)
                wait_for_the_end()
            self._real.send_offsets_to_transaction(positions, group, timeout)

        def commit_transaction(self, timeout: float) -> None:
            if point == "sent":
                self._real.flush(10)
                wait_for_the_end()
            self._real.commit_transaction(timeout)
            wait_for_the_end()

    return Kafka(producer=MortalProducer)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
