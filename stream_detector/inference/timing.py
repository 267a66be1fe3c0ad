"""Times a network at a few points: what the cost model begins with."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from statistics import median

from stream_detector.batching import RunLimits, Shape, Timing
from stream_detector.inference.backend import Network
from stream_detector.inference.padding import pad

# A word like any other: what a network costs depends on how many tokens there are, not on which.
_TOKEN = 1000
_SHARES = (1 / 8, 3 / 8, 5 / 8, 1)


def time_network(
    network: Network,
    special: tuple[int, int],
    longest: int,
    *,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Timing]:
    """Time all points in turn until the budget is spent, and give each one's median.

    Args:
        network: what is timed.
        special: the token numbers put before and after each window.
        longest: tokens of the longest window there will be, special ones included.
        budget_s: seconds after which no further turn is begun; there are two at least, and the first isn't counted, because
            the first run of a shape also makes room for it.
        clock: seconds.
    """
    points = timing_points(network.limits, longest)
    taken: dict[Shape, list[float]] = {point: [] for point in points}
    began = clock()
    for turn in count():
        if turn > 1 and clock() - began > budget_s:
            break
        for shape in points:
            ids, mask = pad([[_TOKEN] * (shape.length - 2)] * shape.rows, shape, special)
            start = clock()
            network.run(ids, mask)
            if turn:
                taken[shape].append(clock() - start)
    return [Timing(*point, median(seconds)) for point, seconds in taken.items()]


def timing_points(limits: RunLimits, longest: int) -> list[Shape]:
    """Where to time: every shape of a compiled model; else four lengths alone, and two of them in company if there may be any."""
    if limits.shapes:
        return list(limits.shapes)
    lengths = sorted({max(3, round(longest * share)) for share in _SHARES})
    company = [Shape(min(8, limits.room(length)), length) for length in (lengths[0], lengths[-1])]
    return [*(Shape(1, length) for length in lengths), *(shape for shape in company if shape.rows > 1)]
