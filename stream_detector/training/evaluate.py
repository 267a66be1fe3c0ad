"""How good an artefact is: figures by group on samples whose labels are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stream_detector.contracts import Label, ScoringResponse
from stream_detector.detection import Detector
from stream_detector.training.calibration import at_prior, calibration_error
from stream_detector.training.corpus.compose import Sample

_CHUNK = 256

_Groups = Callable[["Judged"], Sequence[str]]


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
        "foundByKind": _grouped(offending, _kind),
        "foundByFamily": _grouped(offending, _families),
        "foundByLanguage": _grouped(offending, _language),
        "foundByDisguise": _grouped(offending, _disguises),
        "evidenceByKind": _evidence(found, _kind),
        "evidenceByFamily": _evidence(found, _families),
        "evidenceByLanguage": _evidence(found, _language),
        "evidenceByDisguise": _evidence(found, _disguises),
        "wrongByFamily": _grouped(harmless, _families),
        "wrongByLanguage": _grouped(harmless, _language),
    }


def reliability(judged: Sequence[Judged], *, prior: float, bins: int = 15) -> dict[str, Any]:
    """Whether probabilities mean what they say, where violations are a share of `prior`.

    The error is that of `calibration_error`; the table says how sure the artefact was in each bin and how often it was right.
    """
    ordered = sorted(judged, key=lambda j: j.probability)
    probabilities = np.array([j.probability for j in ordered])
    labels = np.array([j.sample.offends for j in ordered], dtype=np.bool_)
    if not 0 < labels.sum() < len(labels):
        return {"prior": prior, "expectedCalibrationError": None, "bins": []}
    weights = at_prior(labels, prior)
    return {
        "prior": prior,
        "expectedCalibrationError": round(calibration_error(probabilities, labels, prior=prior, bins=bins), 5),
        "bins": [
            {
                "n": len(part),
                "probability": float(f"{np.average(probabilities[part], weights=weights[part]):.3g}"),
                "violations": float(f"{np.average(labels[part], weights=weights[part]):.3g}"),
            }
            for part in np.array_split(np.arange(len(labels)), bins)
            if len(part)
        ],
    }


def worst(judged: Sequence[Judged], count: int) -> list[Judged]:
    """The samples whose probability is farthest from their label."""
    return sorted(judged, key=lambda j: j.probability if j.sample.offends else 1 - j.probability)[:count]


def _share(flags: Iterable[bool]) -> dict[str, Any]:
    values = list(flags)
    return {"share": round(sum(values) / len(values), 4) if values else None, "n": len(values)}


def _members(judged: Sequence[Judged], groups: _Groups) -> dict[str, list[Judged]]:
    members: dict[str, list[Judged]] = defaultdict(list)
    for j in judged:
        for group in set(groups(j)):
            members[group].append(j)
    return {group: members[group] for group in sorted(members)}


def _grouped(judged: Sequence[Judged], groups: _Groups) -> dict[str, Any]:
    return {group: _share(j.flagged for j in members) for group, members in _members(judged, groups).items()}


def _evidence(found: Sequence[Judged], groups: _Groups) -> dict[str, Any]:
    """Whether evidence overlaps and has its kind, by group of what was found."""
    return {
        group: {
            "spanOverlaps": _share(j.span_found for j in members)["share"],
            "kindRight": _share(j.kind_right for j in members)["share"],
            "n": len(members),
        }
        for group, members in _members(found, groups).items()
    }


def _kind(j: Judged) -> Sequence[str]:
    return [j.sample.spans[0].kind.value]


def _families(j: Judged) -> Sequence[str]:
    return j.sample.families or ("none",)


def _language(j: Judged) -> Sequence[str]:
    return [j.sample.language]


def _disguises(j: Judged) -> Sequence[str]:
    return j.sample.disguises or ("none",)
