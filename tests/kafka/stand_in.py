"""A stand-in for the detector: its verdicts follow from a word in the text, so that tests can foretell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream_detector.contracts import Evidence, Kind, Label, ScoreDetails, ScoringResponse, format_probability

FRAUD = "whatsapp"
POISON = "poison"


class StandInScorer:
    """Fraud if "whatsapp" stands in a text; raises if "poison" does. Counts its calls."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response for each, in order."""
        self.calls.append(len(texts))
        if any(POISON in text for attributes in texts for text in attributes.values()):
            raise ZeroDivisionError("this message may quote the text: poison")
        return [respond(attributes) for attributes in texts]


def respond(attributes: Mapping[str, str]) -> ScoringResponse:
    """The stand-in's verdict on one event's texts."""
    found = [(name, text.find(FRAUD)) for name, text in attributes.items() if FRAUD in text]
    evidence = tuple(
        Evidence(attribute=name, start=at, end=at + len(FRAUD), kind=Kind.MESSENGER, surface="w***p") for name, at in found
    )
    details = ScoreDetails(
        label=Label.FRAUD if found else Label.NON_FRAUD,
        threshold=0.5,
        evidence=evidence,
        windows=1,
        backend="stand-in",
        latency_ms=0.0,
    )
    return ScoringResponse(
        model_code="STAND_IN",
        model_version="1.0",
        refresh_version="v1",
        probability_score=format_probability(0.9 if found else 0.1),
        model_segment="TEST",
        top_contributor=found[0][0] if found else next(iter(attributes), ""),
        score_details=details,
    )
