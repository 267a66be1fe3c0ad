"""From labelled texts to windows of token numbers with labels, as the network reads them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stream_detector.contracts import Kind
from stream_detector.inference.artefact import WindowShape
from stream_detector.inference.windowing import view_windows
from stream_detector.text.view import NormalizedView, Normalizer
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.render import Span

#: Tag classes: 0 is outside; then the kinds in the order of `Kind`.
TAGS = (None, *Kind)

#: A window holds a violation when it holds at least this share of the characters of one span; one that holds less, but
#: some, is neither and is left out.
_ENOUGH = 0.6

#: Of the digits in a window whose digits are varied, so many change: the others keep a country's or an operator's habit.
_VARIED = 0.8


@dataclass(frozen=True, slots=True)
class LabelledWindow:
    """One training example: token numbers (with the special ones), a tag a token, and whether the window offends."""

    tokens: array[int]
    tags: bytes
    offends: bool
    sample: int


def vary_digits(window: LabelledWindow, digits: Sequence[int], rng: Random) -> LabelledWindow:
    """The window with most of its digits replaced at random.

    Phone numbers in the corpus are of blocks reserved for fiction. A network would learn those instead of what makes a number
    a contact, and miss the numbers of real people, which may not be made up. So what it reads varies, on both sides of the label.

    Args:
        window: labelled token numbers.
        digits: the token numbers of 0 to 9.
        rng: decides which digits change, and into what.
    """
    known = frozenset(digits)
    tokens = array("i", (rng.choice(digits) if t in known and rng.random() < _VARIED else t for t in window.tokens))
    return LabelledWindow(tokens, window.tags, window.offends, window.sample)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded arrays: tokens, mask and tags of shape (batch, length); labels of shape (batch,). Padding is tagged -100."""

    tokens: NDArray[np.int64]
    mask: NDArray[np.int64]
    tags: NDArray[np.int64]
    labels: NDArray[np.float32]


def label_windows(
    samples: Iterable[Sample], normalizer: Normalizer, tokenizer: Tokenizer, shape: WindowShape
) -> Iterator[LabelledWindow]:
    """Cut samples into labelled windows."""
    for index, sample in enumerate(samples):
        view = normalizer.view(sample.text)
        cut = view_windows(view, tokenizer, shape)
        token_tags = _tag_tokens(view, cut.offsets, sample.spans)
        for window in cut.windows:
            tags = bytes(token_tags[window.start : window.stop])
            held = [_share_held(view, cut.offsets, window, span) for span in sample.spans]
            if held and max(held) < _ENOUGH and any(share > 0 for share in held):
                continue
            tokens = array("i", cut.ids[window.start : window.stop])
            yield LabelledWindow(tokens, tags, bool(held) and max(held) >= _ENOUGH, index)


def _tag_tokens(view: NormalizedView, offsets: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[int]:
    """A tag for each token of the view: that of the first span which its original characters touch."""
    tags = [0] * len(offsets)
    for span in spans:
        tag = TAGS.index(span.kind)
        for i, (start, end) in enumerate(offsets):
            left, right = view.to_original(start, end)
            if left < span.end and right > span.start and not tags[i]:
                tags[i] = tag
    return tags


def _share_held(view: NormalizedView, offsets: Sequence[tuple[int, int]], window: range, span: Span) -> float:
    if not len(window):
        return 0.0
    start = view.to_original(*offsets[window.start])[0]
    end = view.to_original(*offsets[window.stop - 1])[1]
    return max(0, min(end, span.end) - max(start, span.start)) / (span.end - span.start)


def batches(windows: Sequence[LabelledWindow], *, size: int, rng: Random, special: tuple[int, int]) -> Iterator[Batch]:
    """Shuffle, then put windows of like length together so that little is padded."""
    for group in grouped(windows, size=size, rng=rng):
        yield collate([windows[i] for i in group], special)


def grouped(windows: Sequence[LabelledWindow], *, size: int, rng: Random) -> list[list[int]]:
    """The same as numbers of windows: what is known of a window elsewhere is found by its number."""
    order = list(range(len(windows)))
    rng.shuffle(order)
    chunk = size * 64
    groups: list[list[int]] = []
    for start in range(0, len(order), chunk):
        part = sorted(order[start : start + chunk], key=lambda i: len(windows[i].tokens))
        groups += [part[i : i + size] for i in range(0, len(part), size)]
    rng.shuffle(groups)
    return groups


def collate(windows: Sequence[LabelledWindow], special: tuple[int, int]) -> Batch:
    """Pad windows to the longest and put the special tokens (first, last) around each."""
    first, last = special
    length = max(len(window.tokens) for window in windows) + 2
    tokens = np.zeros((len(windows), length), dtype=np.int64)
    mask = np.zeros_like(tokens)
    tags = np.full_like(tokens, -100)
    for row, window in enumerate(windows):
        n = len(window.tokens)
        tokens[row, 0], tokens[row, 1 : n + 1], tokens[row, n + 1] = first, window.tokens, last
        mask[row, : n + 2] = 1
        tags[row, 1 : n + 1] = list(window.tags)
    return Batch(tokens, mask, tags, np.array([window.offends for window in windows], dtype=np.float32))
