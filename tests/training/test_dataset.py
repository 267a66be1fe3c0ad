"""Labelled windows: tags on exactly the tokens of a span, and no window with a label that it can't know."""

from __future__ import annotations

from array import array
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from stream_detector.contracts import Kind
from stream_detector.inference.artefact import WindowShape
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus.compose import Composer, Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.dataset import TAGS, LabelledWindow, batches, collate, label_windows

_SPEC = WindowShape(tokens=128, overlap=32)
_SMALL = WindowShape(tokens=16, overlap=2)


def _sample(text: str, *marked: tuple[str, Kind]) -> Sample:
    spans = tuple(Span(text.index(piece), text.index(piece) + len(piece), kind) for piece, kind in marked)
    return Sample(text, spans, "en", ("sample",), (), "sample")


def _tagged(window: LabelledWindow, tokenizer: Tokenizer) -> list[tuple[str, Kind | None]]:
    return [(tokenizer.id_to_token(token), TAGS[tag]) for token, tag in zip(window.tokens, window.tags, strict=True) if tag]


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("ring 55-01 now", "55-01"),
        ("ring 5\u200b5-\u200b01 now", "5\u200b5-\u200b01"),
        ("a&amp;b <b>ring</b> &#53;5-01 now", "&#53;5-01"),
        ("ｒｉｎｇ　５５－０１　ｎｏｗ", "５５－０１"),
        ("ring 55-01", "55-01"),
        ("55-01", "55-01"),
        ("ring (55-01)now", "55-01"),
    ],
    ids=ascii,
)
def test_tags_stand_on_the_span(normalizer: Normalizer, tokenizer: Tokenizer, text: str, piece: str) -> None:
    """On every token of the span and on no other, however the text was disguised."""
    (window,) = label_windows([_sample(text, (piece, Kind.PHONE))], normalizer, tokenizer, _SPEC)
    assert _tagged(window, tokenizer) == [(token, Kind.PHONE) for token in "55-01"]
    assert window.offends


def test_each_span_has_its_kind(normalizer: Normalizer, tokenizer: Tokenizer) -> None:
    """Two violations in one window."""
    sample = _sample("pay cash or ring 55", ("cash", Kind.PAYMENT), ("55", Kind.PHONE))
    (window,) = label_windows([sample], normalizer, tokenizer, _SPEC)
    assert _tagged(window, tokenizer) == [("cash", Kind.PAYMENT), ("5", Kind.PHONE), ("5", Kind.PHONE)]


def test_harmless_windows_have_no_tags(normalizer: Normalizer, tokenizer: Tokenizer) -> None:
    """Every token outside, and the label says so."""
    windows = list(label_windows([_sample("The flat is bright. " * 30)], normalizer, tokenizer, _SMALL))
    assert len(windows) > 5
    assert not any(window.offends or any(window.tags) for window in windows)


def test_windows_know_their_sample(normalizer: Normalizer, tokenizer: Tokenizer) -> None:
    """By its position; a sample of which nothing can be read has none."""
    samples = [_sample("The flat. " * 20), _sample("\u200b"), _sample("a garden")]
    numbers = [window.sample for window in label_windows(samples, normalizer, tokenizer, _SMALL)]
    assert sorted(set(numbers)) == [0, 2]
    assert numbers == sorted(numbers)


def test_a_window_with_part_of_a_span_is_left_out(normalizer: Normalizer, tokenizer: Tokenizer) -> None:
    """Cut inside a number, the window with most of it offends; the one with a few digits is neither, and nobody learns it."""
    number = "5 5 5 0 1 0 1 5 5 5"
    sample = _sample("flat " * 10 + number + " flat" * 20, (number, Kind.PHONE))
    windows = list(label_windows([sample], normalizer, tokenizer, _SMALL))
    assert [(sum(map(bool, window.tags)), window.offends) for window in windows if any(window.tags)] == [(8, True)]
    assert [window for window in windows if not window.offends]


def test_a_violation_in_halves_is_not_harmless(normalizer: Normalizer, tokenizer: Tokenizer) -> None:
    """If no window holds enough of a span, all that touch it are left out: a half must not be called harmless."""
    number = " ".join("5550101555" * 4)
    sample = _sample(f"flat {number} flat", (number, Kind.PHONE))
    assert not [
        window for window in label_windows([sample], normalizer, tokenizer, _SMALL) if any(window.tags) and not window.offends
    ]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_composed_samples_keep_their_labels(normalizer: Normalizer, tokenizer: Tokenizer, seed: int) -> None:
    """A window has tags exactly where it offends, of kinds that its sample has; harmless samples lose no window."""
    samples = list(Composer([], seed=seed).samples(8))
    windows = list(label_windows(samples, normalizer, tokenizer, _SPEC))
    for window in windows:
        assert len(window.tags) == len(window.tokens) <= _SPEC.tokens - 2
        assert bool(any(window.tags)) == window.offends
        assert {TAGS[tag] for tag in window.tags if tag} <= {span.kind for span in samples[window.sample].spans}
    assert {window.sample for window in windows if not window.offends} >= {
        at for at, sample in enumerate(samples) if not sample.offends and normalizer.view(sample.text).text.strip()
    }


def test_tags_are_the_kinds_in_order() -> None:
    """Outside is 0, as the detector takes it to be."""
    assert (None, *Kind) == TAGS


def _window(*tokens: int, offends: bool = False) -> LabelledWindow:
    return LabelledWindow(array("i", tokens), bytes([int(offends)] * len(tokens)), offends, 0)


def test_a_batch_is_padded_to_its_longest() -> None:
    """Special tokens around each window, no attention to padding, no loss on special tokens and padding."""
    batch = collate([_window(7, 8, 9, offends=True), _window(5)], (101, 102))
    assert batch.tokens.tolist() == [[101, 7, 8, 9, 102], [101, 5, 102, 0, 0]]
    assert batch.mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch.tags.tolist() == [[-100, 1, 1, 1, -100], [-100, 0, -100, -100, -100]]
    assert batch.labels.tolist() == [1.0, 0.0]
    assert (batch.tokens.dtype, batch.tags.dtype, batch.labels.dtype) == (np.int64, np.int64, np.float32)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=300), size=st.integers(1, 16), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_every_window_is_in_one_batch(lengths: list[int], size: int, seed: int) -> None:
    """Once an epoch, in an order that the seed decides, none larger than asked for."""
    windows = [_window(*[number + 1] * length) for number, length in enumerate(lengths)]

    def numbers() -> list[list[int]]:
        return [batch.tokens[:, 1].tolist() for batch in batches(windows, size=size, rng=Random(seed), special=(0, 0))]

    assert sorted(number for batch in numbers() for number in batch) == [*range(1, len(lengths) + 1)]
    assert all(len(batch) <= size for batch in numbers())
    assert numbers() == numbers()


def test_like_lengths_go_together() -> None:
    """Little is padded: of mixed lengths, a batch holds near equals."""
    rng = Random(1)
    windows = [_window(*[1] * rng.randrange(1, 120)) for _ in range(512)]
    made = list(batches(windows, size=8, rng=Random(2), special=(1, 1)))
    padded = sum(batch.mask.size - int(batch.mask.sum()) for batch in made)
    assert padded < 0.05 * sum(batch.mask.size for batch in made)
