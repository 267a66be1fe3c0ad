"""A stand-in for the detector, so that the command line can be tested without a model; as a script, the program with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Self

import stream_detector.detection
from stream_detector.batching import CostModel
from stream_detector.cli.main import main
from stream_detector.contracts import Evidence, Kind, Label, ScoreDetails, ScoringResponse, format_probability

_PHONE = re.compile(r"\+\d[\d ]+\d")


class StandIn:
    """Fraud is what holds a number with a country code. A text "explode" raises."""

    manifest = SimpleNamespace(
        model_code="STAND-IN", model_version="1.0", refresh_version="v0", threshold=0.5, window=SimpleNamespace(tokens=128)
    )
    threshold = 0.5
    costs = CostModel()
    backend_name = "stand-in"
    seconds_left = 0.0

    @classmethod
    def load(cls, settings: object, metrics: object = None) -> Self:
        """Nothing to load."""
        return cls()

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def measure(self) -> None:
        """Nothing to time."""

    def show_caches(self) -> None:
        """Nothing to show."""

    def watch_drift(self) -> None:
        """Nothing to watch."""

    def close(self) -> None:
        """Nothing to close."""

    def begin(self, texts: Mapping[str, str]) -> None:
        """Nothing to begin."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response for each group of texts."""
        return [self._respond(group) for group in texts]

    def _respond(self, group: Mapping[str, str]) -> ScoringResponse:
        if "explode" in group.values():
            raise ZeroDivisionError("a text that nobody may see")
        evidence = tuple(
            Evidence(attribute=name, start=found.start(), end=found.end(), kind=Kind.PHONE, surface="+** ***")
            for name, text in group.items()
            for found in _PHONE.finditer(text)
        )
        return ScoringResponse(
            model_code="STAND-IN",
            model_version="1.0",
            refresh_version="v0",
            probability_score=format_probability(0.9 if evidence else 0.01),
            model_segment="SUPPLY",
            top_contributor=next(iter(group), ""),
            score_details=ScoreDetails(
                label=Label.FRAUD if evidence else Label.NON_FRAUD,
                threshold=0.5,
                evidence=evidence,
                windows=1,
                backend="stand-in",
                latency_ms=0.1,
            ),
        )


if __name__ == "__main__":
    stream_detector.detection.Detector = StandIn
    sys.exit(main())
