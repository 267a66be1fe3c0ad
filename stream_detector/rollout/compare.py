"""Two models on the same texts: where they differ, by how much, how often each is right, and what each takes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np

from stream_detector.contracts import Evidence, Label, ScoringResponse, WireModel
from stream_detector.errors import DecodeError, DecodeReason
from stream_detector.text.masking import mask

#: The quantiles of the shift of scores that are told.
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

#: What may be a contact where no evidence says so. Linear: each character is looked at once.
_SUSPICIOUS: Final = re.compile(r"[^\s]*[\d@./:][^\s]*")
_BEFORE: Final = 60
_EXCERPT: Final = 160


class Example(WireModel):
    """A line to compare on: a scoring request, or a text; either may have the label that is right."""

    text: str | None = None
    attributes: dict[str, str | None] | None = None
    label: Label | None = None

    @property
    def texts(self) -> dict[str, str]:
        """The texts to score, by attribute name.

        Raises:
            DecodeError: there is neither a text nor attributes.
        """
        if self.attributes is not None:
            return {name: text for name, text in self.attributes.items() if text is not None}
        if self.text is None:
            raise DecodeError(DecodeReason.MISSING_FIELD, "is required, or attributes; add one of them", field="text")
        return {"text": self.text}


class Scorer(Protocol):
    """Gives verdicts: the detector."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response for each mapping of attribute name to text, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Flip:
    """A line that one model calls Fraud and the other doesn't.

    Attributes:
        line: counted from 1.
        fraud_by: "base" or "candidate": whose label is Fraud.
        right: whose label is the given one, if one was given.
        base, candidate: the probabilities.
        excerpt: around the evidence, what offends masked.
    """

    line: int
    fraud_by: str
    right: str | None
    base: float
    candidate: float
    excerpt: str


@dataclass(slots=True)
class Side:
    """One model's figures.

    Attributes:
        seconds: that scoring took.
        caught: lines that are Fraud and were found.
        missed: lines that are Fraud and were not found.
        wrong: lines that are not Fraud and were called so.
    """

    seconds: float = 0.0
    caught: int = 0
    missed: int = 0
    wrong: int = 0

    @property
    def recall(self) -> float | None:
        """The share of what is Fraud that was found; None if nothing is."""
        return self.caught / (self.caught + self.missed) if self.caught + self.missed else None


@dataclass(slots=True)
class Comparison:
    """What was found on all lines. `base` is the model that works, `candidate` the one that would take its place."""

    lines: int = 0
    labelled: int = 0
    base: Side = field(default_factory=Side)
    candidate: Side = field(default_factory=Side)
    flips: list[Flip] = field(default_factory=list)
    shifts: list[float] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """The share of lines with the same label; 1 where there are none."""
        return 1 - len(self.flips) / self.lines if self.lines else 1.0

    @property
    def speed(self) -> float:
        """How many times as fast the candidate is."""
        return self.base.seconds / self.candidate.seconds if self.candidate.seconds else 1.0

    @property
    def worse(self) -> bool:
        """Whether, by the labels, the candidate misses more or is wrong more often."""
        return self.candidate.missed > self.base.missed or self.candidate.wrong > self.base.wrong

    def quantiles(self) -> dict[str, float]:
        """The candidate's probability less the base's, at some quantiles."""
        found = np.quantile(self.shifts, QUANTILES) if self.shifts else np.zeros(len(QUANTILES))
        return {f"{quantile:g}": round(float(value), 6) for quantile, value in zip(QUANTILES, found, strict=True)}

    def to_document(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        sides = {
            name: {"seconds": round(side.seconds, 3), "recall": side.recall, "missed": side.missed, "wrong": side.wrong}
            for name, side in (("base", self.base), ("candidate", self.candidate))
        }
        flips = [
            {"line": flip.line, "fraudBy": flip.fraud_by, "right": flip.right, "base": flip.base, "candidate": flip.candidate,
             "text": flip.excerpt}
            for flip in self.flips
        ]  # fmt: skip
        return {
            "lines": self.lines,
            "labelled": self.labelled,
            "agreement": self.agreement,
            "shift": self.quantiles(),
            "speed": round(self.speed, 3),
            **sides,
            "flips": flips,
        }

    def add(self, line: int, example: Example, base: ScoringResponse, candidate: ScoringResponse) -> None:
        """Enter a line and the two verdicts on it."""
        self.lines += 1
        probabilities = float(base.probability_score), float(candidate.probability_score)
        self.shifts.append(probabilities[1] - probabilities[0])
        if example.label is not None:
            self.labelled += 1
            _judge(self.base, base, example.label)
            _judge(self.candidate, candidate, example.label)
        labels = base.score_details.label, candidate.score_details.label
        if labels[0] is not labels[1]:
            right = None if example.label is None else "base" if labels[0] is example.label else "candidate"
            by = "base" if labels[0] is Label.FRAUD else "candidate"
            self.flips.append(Flip(line, by, right, *probabilities, excerpt(example.texts, base, candidate)))


def compare(base: Scorer, candidate: Scorer, batch: Sequence[tuple[int, Example]], into: Comparison) -> None:
    """Score some lines, each with its number, by both models and enter them.

    The models take turns, a batch each, so that a machine that is busy for a while is so for both.
    """
    texts = [example.texts for _, example in batch]
    responses = []
    for scorer, side in ((base, into.base), (candidate, into.candidate)):
        start = time.perf_counter()
        responses.append(scorer.score(texts))
        side.seconds += time.perf_counter() - start
    for (line, example), one, other in zip(batch, *responses, strict=True):
        into.add(line, example, one, other)


def excerpt(texts: Mapping[str, str], *responses: ScoringResponse) -> str:
    """A line of text around what offends, fit to be shown: evidence of any of the verdicts, and whatever else may be a contact,
    is masked.
    """
    evidence = [item for response in responses for item in response.score_details.evidence]
    top = next((response.top_contributor for response in responses if response.score_details.label is Label.FRAUD), "")
    shown = evidence[0].attribute if evidence else top
    text = texts.get(shown, "")
    mine = [item for item in evidence if item.attribute == shown]
    start = max(0, min((item.start for item in mine), default=0) - _BEFORE)
    # Masking keeps every character's place.
    masked = _masked(text, mine)
    cut = " ".join(masked[start : start + _EXCERPT].split())
    return f"{'…' if start else ''}{cut}{'…' if start + _EXCERPT < len(text) else ''}"


def _masked(text: str, evidence: Sequence[Evidence]) -> str:
    suspicious = ((found.start(), found.end()) for found in _SUSPICIOUS.finditer(text))
    for start, end in chain(((item.start, item.end) for item in evidence), suspicious):
        text = text[:start] + mask(text[start:end]) + text[end:]
    return text


def _judge(side: Side, response: ScoringResponse, label: Label) -> None:
    fraud = response.score_details.label is Label.FRAUD
    if label is Label.FRAUD:
        side.caught += fraud
        side.missed += not fraud
    else:
        side.wrong += fraud
