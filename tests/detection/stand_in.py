"""A stand-in for the network: what it finds is in a table of words, so every verdict can be told beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Final

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from stream_detector.batching import CostModel
from stream_detector.contracts import Kind
from stream_detector.detection import Detector
from stream_detector.detection.cache import CacheBytes
from stream_detector.inference.artefact import Calibration, Manifest, WindowShape
from stream_detector.inference.backend import WindowOutput
from stream_detector.observability import Metrics
from stream_detector.text.view import Normalizer

#: Words that offend, how sure the stand-in is (a logit), and as what.
OFFENDING: Final[Mapping[str, tuple[float, Kind]]] = {
    **dict.fromkeys("0123456789", (4.0, Kind.PHONE)),
    "viber": (6.0, Kind.MESSENGER),
    "cash": (2.0, Kind.PAYMENT),
    "hint": (0.5, Kind.SOLICITATION),
}
_QUIET: Final = -6.0
_HARMLESS: Final = ("platform", "the", "flat", "is", "bright", ".")
_VOCABULARY: Final = {word: number for number, word in enumerate(("[UNK]", "[CLS]", "[SEP]", *OFFENDING, *_HARMLESS))}
_BY_NUMBER: Final = {_VOCABULARY[word]: found for word, found in OFFENDING.items()}

MANIFEST: Final = Manifest(
    format_version=1,
    model_code="STAND-IN",
    model_version="1.0",
    refresh_version="v20261124",
    model_segment="SUPPLY",
    threshold=0.5,
    calibration=Calibration(slope=1, intercept=0),
    window=WindowShape(tokens=32, overlap=8),
    tags=(None, *Kind),
    files={},
)


class StandInBackend:
    """A window's logit is that of its worst word; it remembers every window it was given."""

    name = "stand-in"
    costs = CostModel()
    seconds_left = 0.0

    def __init__(self) -> None:
        self.submitted: list[tuple[int, ...]] = []
        self.closed = False

    def measure(self, longest: int, *, budget_s: float) -> None:
        """Nothing to time."""

    def submit(self, tokens: Sequence[int], *, deadline: float | None = None) -> Future[WindowOutput]:
        """Answer at once."""
        self.submitted.append(tuple(tokens))
        tags = np.zeros((len(tokens), len(MANIFEST.tags)), dtype=np.float32)
        tags[:, 0] = 8
        logit = _QUIET
        for at, token in enumerate(tokens):
            if token in _BY_NUMBER:
                certainty, kind = _BY_NUMBER[token]
                tags[at, 0], tags[at, MANIFEST.tags.index(kind)] = 0, 8
                logit = max(logit, certainty)
        future: Future[WindowOutput] = Future()
        future.set_result(WindowOutput(logit, tags))
        return future

    def close(self) -> None:
        """Remember that it was called."""
        self.closed = True


def tokenizer() -> Tokenizer:
    """Words, signs and single digits."""
    made = Tokenizer(models.WordLevel(_VOCABULARY, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)])
    return made


def detector(
    backend: StandInBackend,
    *,
    threshold: float = 0.5,
    unmasked: bool = False,
    metrics: Metrics | None = None,
    cache_bytes: int = 1024 * 1024,
) -> Detector:
    """A detector over the stand-in."""
    return Detector(
        MANIFEST,
        tokenizer(),
        backend,
        Normalizer(["Airbnb"], ["airbnb.com"]),
        threshold=threshold,
        unmasked=unmasked,
        metrics=metrics,
        remembered=CacheBytes(cache_bytes, cache_bytes),
    )
