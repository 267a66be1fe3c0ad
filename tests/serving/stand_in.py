"""The program with a stand-in for the detector: `serve` can be tested as a process without a model."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

import stream_detector.detection
from stream_detector.cli.main import main
from stream_detector.contracts import ScoringResponse
from stream_detector.errors import ArtefactError
from stream_detector.settings import Settings
from tests.cli.stand_in import StandIn


class Slow(StandIn):
    """As the stand-in of the command line; the text "slow" takes a while, and the model "broken" can't be loaded."""

    seconds_left = 0.0

    @classmethod
    def load(cls, settings: Settings, metrics: object = None) -> Slow:
        """Nothing to load."""
        if settings.model == "broken":
            raise ArtefactError("model.json: missing; name another model")
        return cls()

    def measure(self) -> None:
        """Nothing to time."""

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Say that it began, so that a test knows when it may disturb; then answer."""
        if any("slow" in group.values() for group in texts):
            sys.stdout.write("scoring\n")
            sys.stdout.flush()
            time.sleep(1)
        return super().score(texts)


if __name__ == "__main__":
    stream_detector.detection.Detector = Slow  # type: ignore[misc]
    sys.exit(main())
