"""How sure a share is, and how far two people agree beyond chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from stream_detector.contracts import Decision

#: Of the standard normal distribution: 95 % lie within so many standard deviations.
_Z: Final = 1.959963984540054


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): sound for few cases and for shares near 0 and 1.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, _Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) / of + spread / (4 * of)) * _Z / (1 + spread)
    # At the ends the interval closes exactly; what the arithmetic leaves over must not say otherwise.
    return (max(0.0, middle - half) if hits else 0.0), (min(1.0, middle + half) if hits < of else 1.0)


def kappa(pairs: Mapping[tuple[Decision, Decision], int]) -> float | None:
    """Cohen's kappa (1960): agreement beyond what chance would give, from counts of (first, second) decisions.

    None without pairs, or where each of the two always decides alike, so that chance alone explains all.
    """
    total = sum(pairs.values())
    if not total:
        return None
    observed = sum(count for (first, second), count in pairs.items() if first is second) / total
    by_chance = 0.0
    for decision in Decision:
        firsts = sum(count for (first, _), count in pairs.items() if first is decision)
        seconds = sum(count for (_, second), count in pairs.items() if second is decision)
        by_chance += firsts * seconds / total**2
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)
