"""Windows: the pieces of a text that the network reads, cut at sentence ends.

A listing is edited a sentence at a time and scored after every edit. Were windows cut every so many tokens, one added word
would shift all cuts behind it and every later window would be new to the cache. So cuts are content-defined, as in rsync
and LBFS: where to cut follows from the sentences near the cut, not from the distance to the start of the text. After an
edit the cuts fall out of step for a window or two and then meet the old ones again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

from stream_detector.text.sentences import sentence_ends

__all__ = ["cut", "sentence_ends", "windows"]


def windows(text: str, token_spans: Sequence[tuple[int, int]], *, budget: int, overlap: int) -> list[range]:
    """Cut a tokenized text into windows.

    Args:
        text: what was tokenized.
        token_spans: the characters of each token, half-open, in order.
        budget: most tokens in a window.
        overlap: tokens that two windows share where a sentence too long for one window is cut inside.

    Returns:
        Half-open ranges of token indices, in order, that together hold every token.
    """
    sizes: list[int] = []
    hashes: list[int] = []
    token = 0
    for start, end in pairwise([0, *sentence_ends(text)]):
        first = token
        while token < len(token_spans) and token_spans[token][0] < end:
            token += 1
        if token > first:
            sizes.append(token - first)
            hashes.append(crc32(text[start:end].strip().encode("utf-8", "surrogatepass")))
    if token < len(token_spans):
        sizes.append(len(token_spans) - token)
        hashes.append(0)
    return cut(sizes, hashes, budget=budget, overlap=overlap)


def cut(sizes: Sequence[int], hashes: Sequence[int], *, budget: int, overlap: int) -> list[range]:
    """Group sentences into windows.

    Args:
        sizes: tokens in each sentence.
        hashes: a hash of each sentence's text; the only thing that cuts depend on besides the sizes.
        budget: most tokens in a window.
        overlap: tokens shared by the windows of a sentence longer than the budget.

    Returns:
        Half-open ranges of token indices, in order, that together hold every token.
    """
    if budget < 1 or not 0 <= overlap < budget:
        raise ValueError(f"budget {budget} must be positive and overlap {overlap} smaller than it")
    boundaries: list[int] = []
    total = 0
    for size in sizes:
        total += size
        boundaries.append(total)
    found: list[range] = []
    start = first = 0
    while total - start > budget:
        while boundaries[first] <= start:
            first += 1
        behind = first
        while boundaries[behind] <= start + budget:
            behind += 1
        late = [sentence for sentence in range(first, behind) if boundaries[sentence] >= start + (budget + 1) // 2]
        if late:
            # The rule that brings cuts back into step: of the sentence ends in the second half of the budget, the one whose
            # sentence has the smallest hash. Two texts agree on it wherever their windows began.
            end = boundaries[min(late, key=hashes.__getitem__)]
        elif behind > first:
            end = boundaries[behind - 1]  # a long sentence follows: it gets a window of its own
        else:
            end = start + budget
        found.append(range(start, end))
        start = end if behind > first else end - overlap
    if total > start:
        found.append(range(start, total))
    return found
