"""Whether the stream is still what the model was trained for: the population stability index of what is seen of its texts.

Four signals of each text fall into fixed bins: its probability, its length, its writing, and the kinds of evidence in it if it
offends. The model's manifest says how texts fell when it was made (`Reference`). Here is only counted, from samples and when
somebody scrapes; the index is made of the counts of all workers together, by the rules in deploy/prometheus/rules/drift.yml.

The index (PSI) is the sum over bins of (p - q) ln(p / q), with p the stream's shares and q the reference's: the symmetric
Kullback-Leibler divergence. Below 0.1 a population counts as the same, from 0.25 on as another one: N. Siddiqi, Credit Risk
Scorecards, 2006. That it exceeds 0 by about (1/n + 1/m) (bins - 1) by chance alone: B. Yurdakul and J. Naranjo, Statistical
properties of the population stability index, Journal of Risk Model Validation 14 (4), 2020.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from threading import Lock
from typing import Final, NamedTuple, Self

import prometheus_client
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from stream_detector.contracts import Kind
from stream_detector.observability.writing import WRITINGS, writing_of

#: Upper edges of the bins. Nine of ten texts are as far below any doubt as the calibration goes, for the shipped models near 0.00003:
#: an edge there tells texts that the model is a little less sure of.
_SCORES: Final = (0.00001, 0.00003, 0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_LENGTHS: Final = (25, 50, 100, 200, 400, 800, 1600, 3200)
_LONGER: Final = "longer"

#: The signals, each with its bins in order. A bin of numbers is named after its upper edge.
SIGNALS: Final[Mapping[str, Sequence[str]]] = {
    "score": tuple(f"{edge:g}" for edge in _SCORES),
    "length": (*map(str, _LENGTHS), _LONGER),
    "writing": WRITINGS,
    # Of texts that offend, once a kind; `none`: without evidence.
    "kind": (*(kind.value for kind in Kind), "none"),
}

#: A bin that hardly anything falls into counts as this share: the logarithm of nothing would say more than is known.
FLOOR: Final = 0.001

#: From which index on somebody should look, and from which on the population is another one.
WATCH, ANOTHER = 0.1, 0.25

#: Texts kept between two scrapes: enough for a day's shares to within a hundredth, few enough to be binned in milliseconds.
_KEPT: Final = 128
#: Of a long text its beginning is kept, which says what it is written in.
_HEAD: Final = 1000


class Judged(NamedTuple):
    """What is kept of a scored text.

    Attributes:
        head: its beginning.
        length: in characters.
        probability: calibrated.
        kinds: of the evidence in it; ("none",) if it offends without any, empty if it doesn't offend.
    """

    head: str
    length: int
    probability: float
    kinds: Sequence[str]

    @classmethod
    def of(cls, text: str, probability: float, kinds: Sequence[str]) -> Self:
        """What is kept of a text."""
        return cls(text[:_HEAD], len(text), probability, kinds)


class Reference(BaseModel):
    """How the texts fell that a model was made with: for each signal, texts by bin. Counts, and nothing of a text."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str = Field(description="What texts these were, in words.")
    counts: Mapping[str, Mapping[str, NonNegativeInt]]

    def shares(self, signal: str) -> dict[str, float]:
        """Each bin's share; empty if nothing is known, or if the bins are those of another version of this program."""
        counts = self.counts.get(signal, {})
        return {} if counts.keys() - set(SIGNALS[signal]) else _shares(counts, SIGNALS[signal])


def bins_of(text: Judged) -> list[tuple[str, str]]:
    """The bins that a text falls into, by signal; several of the signal kind, or none."""
    return [
        ("score", SIGNALS["score"][bisect_left(_SCORES, text.probability)]),
        ("length", SIGNALS["length"][bisect_left(_LENGTHS, text.length)]),
        ("writing", writing_of(text.head)),
        *(("kind", kind) for kind in text.kinds),
    ]


def tally(texts: Iterable[Judged]) -> dict[str, dict[str, int]]:
    """Texts by signal and bin, every bin named."""
    counts = Counter(pair for text in texts for pair in bins_of(text))
    return {signal: {each: counts[signal, each] for each in bins} for signal, bins in SIGNALS.items()}


def stability_index(expected: Mapping[str, float], counts: Mapping[str, float]) -> float:
    """The population stability index of counts against expected shares of the same bins; NaN if either is empty."""
    found = _shares(counts, list(expected))
    if not found:
        return math.nan
    pairs = [(max(found[each], FLOOR), max(share, FLOOR)) for each, share in expected.items()]
    return sum((now - then) * math.log(now / then) for now, then in pairs)


def _shares(counts: Mapping[str, float], bins: Sequence[str]) -> dict[str, float]:
    whole = sum(counts.values())
    return {each: counts.get(each, 0) / whole for each in bins} if whole else {}


class DriftSampler:
    """Keeps a fair sample of the texts that were scored, and counts it when somebody asks for the metrics.

    The sample is as fair however many texts come (J. Vitter, Random sampling with a reservoir, ACM TOMS 11 (1), 1985), and each text
    of it stands for as many as were seen for one that was kept. Scoring pays a lock and a random number a text.

    Args:
        texts: the counter, with labels signal and bin.
        reference: the gauge of the reference's shares, with the same labels.
        kept: texts that are kept at most.
        random: draws the sample.
    """

    def __init__(
        self,
        texts: prometheus_client.Counter,
        reference: prometheus_client.Gauge,
        *,
        kept: int = _KEPT,
        random: Random | None = None,
    ) -> None:
        self._texts = texts
        self._reference = reference
        self._most = kept
        self._random = random or Random()  # noqa: S311 - a sample, no secret
        self._lock = Lock()
        self._kept: list[Judged] = []
        self._seen = 0

    def hold_against(self, reference: Reference | None) -> None:
        """Show the reference of the model that gives the verdicts from now on; None: its manifest has none."""
        self._reference.clear()
        for signal, bins in SIGNALS.items():
            for each in bins:
                # A bin that nothing falls into is told as 0 from the beginning, so that its first text counts as a rise.
                self._texts.labels(signal, each)
            for each, share in (reference.shares(signal) if reference else {}).items():
                self._reference.labels(signal, each).set(share)

    def note(self, text: str, probability: float, kinds: Sequence[str]) -> None:
        """Take a scored text into account."""
        with self._lock:
            self._seen += 1
            at = len(self._kept)
            if at == self._most:
                at = int(self._random.random() * self._seen)
                if at >= self._most:
                    return
            self._kept[at : at + 1] = [Judged.of(text, probability, kinds)]

    def fold(self) -> None:
        """Count what was kept since the last time."""
        with self._lock:
            kept, self._kept = self._kept, []
            seen, self._seen = self._seen, 0
        for (signal, each), number in Counter(pair for text in kept for pair in bins_of(text)).items():
            self._texts.labels(signal, each).inc(number * seen / len(kept))
