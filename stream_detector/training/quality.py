"""One network or graph, judged by its window logits alone: the figures that say what a step from teacher to student cost.

Every rung is treated alike: windows of the same texts, the highest window's logit for a text, calibrated and cut on development
texts as an artefact is when it is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stream_detector.inference.artefact import Calibration, WindowShape
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.text.view import Normalizer
from stream_detector.training.calibration import FALSE_FLAGS, STREAM_PRIOR, at_rate, calibration_error, platt
from stream_detector.training.corpus.compose import Sample

#: Recall is read off where so many clean texts are wrong.
CLEAN_WRONG = 0.002

#: From windows of token numbers, special ones included, to their logits.
Logits = Callable[[Sequence[Sequence[int]]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts cut into windows.

    Attributes:
        windows: token numbers, special ones included.
        owners: (windows,), the text of each.
        offends: (texts,), the labels.
        plain: (texts,), whether it is a real text without anything inserted.
    """

    windows: Sequence[Sequence[int]]
    owners: NDArray[np.int64]
    offends: NDArray[np.bool_]
    plain: NDArray[np.bool_]

    @classmethod
    def cut(
        cls, composed: Sequence[Sample], plain: Sequence[Sample], normalizer: Normalizer, tokenizer: Tokenizer, shape: WindowShape
    ) -> Self:
        """Cut composed and plain samples."""
        first, last = special_tokens(tokenizer)
        windows: list[list[int]] = []
        owners: list[int] = []
        for text, sample in enumerate([*composed, *plain]):
            cut = view_windows(normalizer.view(sample.text), tokenizer, shape)
            windows += [[first, *cut.ids[window.start : window.stop], last] for window in cut.windows]
            owners += [text] * len(cut.windows)
        offends = np.array([sample.offends for sample in [*composed, *plain]], dtype=np.bool_)
        return cls(windows, np.array(owners), offends, np.arange(len(offends)) >= len(composed))

    def scores(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The texts' logits from their windows': the highest."""
        scores = np.full(len(self.offends), -np.inf)
        np.maximum.at(scores, self.owners, windows)
        return np.maximum(scores, -50)


def graph_logits(graph: Path, threads: int) -> Logits:
    """Logits of an ONNX graph, one window at a time: padding would change what int8 says, and the artefact runs without."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def logits(windows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        found = []
        for window in windows:
            ids = np.array([window], dtype=np.int64)
            found.append(float(session.run(["logit"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]))
        return np.array(found)

    return logits


def quality(
    development: Texts, development_logits: NDArray[np.float64], test: Texts, test_logits: NDArray[np.float64]
) -> dict[str, Any]:
    """Accuracy, F1, recall where few clean texts are wrong, and calibration error, on the test texts.

    Args:
        development: what calibration and threshold are chosen on.
        development_logits: of its windows.
        test: what is measured.
        test_logits: of its windows.
    """
    known, scores = development.scores(development_logits), test.scores(test_logits)
    calibration = platt(known, development.offends, prior=STREAM_PRIOR)
    cut = float(np.quantile(known[development.plain], 1 - FALSE_FLAGS))
    composed = ~test.plain
    flagged, offends = scores[composed] > cut, test.offends[composed]
    right = int((flagged & offends).sum())
    strict = float(np.quantile(scores[test.plain], 1 - CLEAN_WRONG, method="higher"))
    balanced = at_rate(calibration, prior=STREAM_PRIOR, rate=0.5)
    return {
        "accuracy": round(float((flagged == offends).mean()), 4),
        "f1": round(2 * right / max(1, int(flagged.sum() + offends.sum())), 4),
        "recallAtCleanWrong": round(float((scores[composed][offends] > strict).mean()), 4),
        "ece": round(calibration_error(_probabilities(calibration, scores), test.offends, prior=STREAM_PRIOR), 5),
        "eceAtEvenOdds": round(calibration_error(_probabilities(balanced, scores), test.offends, prior=0.5), 5),
        "texts": len(test.offends),
    }


def _probabilities(calibration: Calibration, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([calibration.probability(score) for score in scores.tolist()])
