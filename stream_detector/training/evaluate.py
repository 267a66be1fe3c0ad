"""How good an artefact is: figures by group on samples whose labels are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stream_detector.contracts import Label, ScoringResponse
from stream_detector.detection import Detector
from stream_detector.training.corpus.compose import Sample

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample with its verdict."""

    sample: Sample
    response: ScoringResponse

    @property
    def flagged(self) -> bool:
        """Whether the detector calls it Fraud."""
        return self.response.score_details.label is Label.FRAUD

    @property
    def probability(self) -> float:
        """The calibrated probability."""
        return float(self.response.probability_score)

    @property
    def span_found(self) -> bool:
        """Whether some evidence overlaps some true span."""
        return any(e.start < s.end and e.end > s.start for e in self.response.score_details.evidence for s in self.sample.spans)

    @property
    def kind_right(self) -> bool:
        """Whether evidence that overlaps a true span has its kind."""
        return any(
            e.start < s.end and e.end > s.start and e.kind is s.kind
            for e in self.response.score_details.evidence
            for s in self.sample.spans
        )


def judge(detector: Detector, samples: Sequence[Sample]) -> list[Judged]:
    """Score samples."""
    judged: list[Judged] = []
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK]
        responses = detector.score([{"text": sample.text} for sample in chunk])
        judged += [Judged(sample, response) for sample, response in zip(chunk, responses, strict=True)]
    return judged


def summarize(judged: Sequence[Judged]) -> dict[str, Any]:
    """Recall, wrong flags, evidence and calibration, overall and by group; shares are fractions, `n` counts samples."""
    offending = [j for j in judged if j.sample.offends]
    harmless = [j for j in judged if not j.sample.offends]
    found = [j for j in offending if j.flagged]
    return {
        "violationsFound": _share(j.flagged for j in offending),
        "harmlessWrong": _share(j.flagged for j in harmless),
        "spanOverlaps": _share(j.span_found for j in found),
        "kindRight": _share(j.kind_right for j in found),
        "foundByKind": _grouped(offending, lambda j: [j.sample.spans[0].kind.value]),
        "foundByLanguage": _grouped(offending, lambda j: [j.sample.language]),
        "foundByDisguise": _grouped(offending, lambda j: j.sample.disguises or ("none",)),
        "wrongByFamily": _grouped(harmless, lambda j: j.sample.families or ("none",)),
        "wrongByLanguage": _grouped(harmless, lambda j: [j.sample.language]),
    }


def worst(judged: Sequence[Judged], count: int) -> list[Judged]:
    """The samples whose probability is farthest from their label."""
    return sorted(judged, key=lambda j: j.probability if j.sample.offends else 1 - j.probability)[:count]


def _share(flags: Iterable[bool]) -> dict[str, Any]:
    values = list(flags)
    return {"share": round(sum(values) / len(values), 4) if values else None, "n": len(values)}


def _grouped(judged: Sequence[Judged], groups: Any) -> dict[str, Any]:
    members: dict[str, list[bool]] = defaultdict(list)
    for j in judged:
        for group in set(groups(j)):
            members[group].append(j.flagged)
    return {group: _share(members[group]) for group in sorted(members)}
