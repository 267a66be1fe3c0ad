"""Which windows run next, together: a pure function of the queue, the clock and the cost model.

It is asked whenever the hardware is free, and then never waits: what comes while a run is under way joins the next one, so
runs grow with the load by themselves. Waiting for more would leave hardware idle and gain nothing that the next run doesn't.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from stream_detector.batching.cost import Costs
from stream_detector.batching.rule import CloseReason

# A row joins a run only if that saves at least a tenth of what it would cost alone: else it is better off on the next core.
_WORTH: Final = 0.9
# So many windows are looked at for like lengths, from the most urgent on: few while the queue is short, so that the urgent don't
# wait for the alike; more when it is long, so that work gets done. (Deciding takes a fraction of a millisecond either way.)
_NEAR: Final = 256
_FAR: Final = 1024


class Shape(NamedTuple):
    """What a compiled model accepts: exactly so many rows of exactly so many tokens."""

    rows: int
    length: int


class Waiting(NamedTuple):
    """A window in the queue: by when its run should have ended, in seconds on the clock, and its tokens, special ones included."""

    deadline: float
    length: int


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What one run may hold.

    Attributes:
        max_rows: most windows.
        max_tokens: the token budget: most rows times padded length.
        shapes: the only shapes there are, by rising length; none: any. They take the place of the other two.
    """

    max_rows: int = 1
    max_tokens: int = 16 * 1024
    shapes: tuple[Shape, ...] = field(default=())

    def shape(self, rows: int, length: int) -> Shape:
        """The shape that a run of so many rows and such a longest one has once it is padded.

        Raises:
            ValueError: no shape is long enough.
        """
        if not self.shapes:
            return Shape(rows, length)
        fitting = [shape for shape in self.shapes if shape.length >= length]
        if not fitting:
            raise ValueError(f"a window of {length} tokens is longer than every shape ({self.shapes[-1].length})")
        least = fitting[0].length
        same = [shape for shape in fitting if shape.length == least]
        return min((shape for shape in same if shape.rows >= rows), default=max(same))

    def room(self, length: int) -> int:
        """Most rows of such a padded length."""
        if self.shapes:
            least = self.shape(1, length).length
            return max(shape.rows for shape in self.shapes if shape.length == least)
        return max(1, min(self.max_rows, self.max_tokens // max(1, length)))


class Run(NamedTuple):
    """What runs next: positions in the queue (the most urgent first), the padded shape, and why it holds no more."""

    members: tuple[int, ...]
    shape: Shape
    reason: CloseReason


def next_run(queue: Sequence[Waiting], now: float, costs: Costs, limits: RunLimits) -> Run | None:
    """Choose what runs next on hardware that is free now; None if nothing waits.

    The most urgent window that can still be in time comes first; like lengths join it while that is worth it. A window that is
    late anyway waits until none can be in time (hurrying would only make others late), or fills room that is left. When all are
    late, runs are made for throughput: as full as they may be.

    Args:
        queue: what waits, by rising deadline.
        now: the time, in seconds on the clock of the deadlines.
        costs: foretells runs.
        limits: what a run may hold.
    """
    if not queue:
        return None

    def seconds(rows: int, length: int) -> float:
        return costs.seconds(*limits.shape(rows, length))

    start = _first_in_time(queue, now, seconds, limits)
    late = start is None
    seed = queue[start or 0]
    # The others by how well they fit: in time before late, then by how far the padded lengths lie apart.
    padded = limits.shape(1, seed.length).length
    horizon = _NEAR if len(queue) <= _FAR else _FAR
    ahead, behind = range((start or 0) + 1, len(queue))[:horizon], range(start or 0)[:horizon]
    members, longest, reason = [start or 0], seed.length, CloseReason.IDLE
    if limits.room(seed.length) == 1:
        ahead, behind, reason = range(0), range(0), CloseReason.SIDE_BY_SIDE if len(queue) > 1 else reason
    ranked = (sorted(part, key=lambda at: abs(limits.shape(1, queue[at].length).length - padded)) for part in (ahead, behind))
    for at in chain.from_iterable(ranked):
        rows, length = len(members) + 1, max(longest, queue[at].length)
        if rows > limits.room(length):
            reason = CloseReason.FULL
            break
        if seconds(rows, length) - seconds(rows - 1, longest) > _WORTH * seconds(1, queue[at].length):
            reason = CloseReason.SIDE_BY_SIDE
            break
        if not late and now + seconds(rows, length) > seed.deadline:
            reason = CloseReason.DEADLINE
            break
        members.append(at)
        longest = length
    return Run(tuple(members), limits.shape(len(members), longest), CloseReason.BACKLOG if late else reason)


def _first_in_time(queue: Sequence[Waiting], now: float, seconds: Callable[[int, int], float], limits: RunLimits) -> int | None:
    """The most urgent window that can still be in time in a run as large as the queue calls for; None if there is none.

    Were it enough to be in time alone, an overloaded accelerator would serve ever smaller runs, each in the nick of time.
    """
    first = bisect_left(queue, now, key=lambda waiting: waiting.deadline)
    for at in range(first, min(len(queue), first + _FAR)):
        length = queue[at].length
        rows = min(len(queue), limits.room(length))
        if rows > 1 and seconds(2, length) > (1 + _WORTH) * seconds(1, length):
            rows = 1
        if now + seconds(rows, length) <= queue[at].deadline:
            return at
    return None
