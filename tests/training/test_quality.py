"""The ladder's figures, on scores whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer

from stream_detector.contracts import Kind
from stream_detector.inference.artefact import WindowShape
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.quality import Texts, quality


def _texts(offends: int, harmless: int, plain: int) -> Texts:
    """Texts of one window each: violations, composed harmless ones, plain ones."""
    total = offends + harmless + plain
    return Texts([[1]] * total, np.arange(total), np.arange(total) < offends, np.arange(total) >= offends + harmless)


def test_a_texts_score_is_its_highest_windows() -> None:
    """One offending window makes the text offend; a text without any says nothing offends."""
    texts = Texts([[1], [1], [1]], np.array([0, 0, 2]), np.array([True, False, False]), np.array([False, True, True]))
    assert texts.scores(np.array([-2.0, 3.0, -1.0])).tolist() == [3.0, -50.0, -1.0]


def test_figures_by_hand() -> None:
    """Of ten violations eight score high; of ten look-alikes one does; clean texts are all low."""
    development, test = _texts(50, 50, 1000), _texts(10, 10, 1000)
    known = np.concatenate([np.full(50, 4.0), np.full(50, -4.0), np.full(1000, -6.0)])
    scores = np.concatenate([np.full(8, 4.0), np.full(2, -8.0), np.full(1, 4.0), np.full(9, -8.0), np.linspace(-9, -7, 1000)])
    figures = quality(development, known, test, scores)
    assert figures["accuracy"] == pytest.approx(17 / 20)
    assert figures["f1"] == pytest.approx(2 * 8 / (9 + 10), abs=1e-4)
    assert figures["recallAtCleanWrong"] == pytest.approx(0.8)
    assert 0 <= figures["ece"] < figures["eceAtEvenOdds"]


def test_samples_are_cut_as_the_detector_does(tokenizer: Tokenizer, normalizer: Normalizer) -> None:
    """Special tokens around each window, owners in order."""
    text = "Flat by the sea. Ring us any day on this number. The view is wide and the bay is calm."
    composed = [Sample(text, (Span(17, 24, Kind.PHONE),), "en", (), (), "a")]
    plain = [Sample("Short.", (), "en", (), (), "b")]
    texts = Texts.cut(composed, plain, normalizer, tokenizer, WindowShape(tokens=16, overlap=4))
    assert texts.owners.tolist() == sorted(texts.owners.tolist())
    assert texts.offends.tolist() == [True, False]
    assert texts.plain.tolist() == [False, True]
    assert all(window[0] == tokenizer.token_to_id("[CLS]") and len(window) <= 16 for window in texts.windows)
