"""From windows of different lengths to the rectangular arrays that networks take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import Shape


def pad(windows: Sequence[Sequence[int]], shape: Shape, special: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put special tokens around windows, and padding behind and below them.

    Args:
        windows: token numbers without special ones, at most `shape.rows` of them, each at least two shorter than
            `shape.length`.
        shape: what comes out.
        special: the token numbers put before and after each window.

    Returns:
        (rows, length) token numbers and the mask that tells tokens (1) from padding (0). Rows that no window takes hold
        the special tokens alone: a row that is all padding would make the attention divide by zero.
    """
    first, last = special
    ids = np.zeros(shape, dtype=np.int64)
    mask = np.zeros_like(ids)
    ids[:, 0], ids[len(windows) :, 1] = first, last
    mask[:, 0], mask[len(windows) :, 1] = 1, 1
    for row, tokens in enumerate(windows):
        end = len(tokens) + 1
        ids[row, 1:end], ids[row, end] = tokens, last
        mask[row, : end + 1] = 1
    return ids, mask
