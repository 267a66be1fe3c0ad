"""How many workers keep the promise: from what events cost, by queueing theory.

A worker is a queue that serves in order of arrival: its sessions share an event's windows, so that an event's work passes at the
sessions' joint speed, and who arrives waits for the work before it. For Poisson arrivals the mean wait is Pollaczek and
Khinchine's, and the wait's tail is close to exponential. To that come an event's own work and publishing. Simulation agrees within
a fifth, on up to eight sessions and up to 85 % utilisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

# Above this the wait grows faster than any estimate of the load is exact.
_BUSIEST: Final = 0.95


@dataclass(frozen=True, slots=True)
class Demand:
    """What events ask of a worker.

    Attributes:
        work: (events,) seconds that one session would need for each event of a sample.
        longest: (events,) seconds of each event's longest window, which no second session makes shorter.
        publish_s: seconds that an event spends outside the queue: read, published, committed.
    """

    work: Curve
    longest: Curve
    publish_s: float

    @classmethod
    def of(cls, windows: Sequence[Sequence[float]], publish_s: float) -> Demand:
        """From the seconds of every window of every event; events without a window ask for nothing and aren't counted."""
        asking = [event for event in windows if event]
        return cls(np.array([sum(event) for event in asking]), np.array([max(event) for event in asking]), publish_s)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What to expect of so many replicas: utilisation (0 to 1), latencies in seconds, share of events within the promise."""

    replicas: int
    utilisation: float
    p50: float
    p99: float
    within: float


def expect(demand: Demand, events_per_second: float, replicas: int, sessions: int, promise_s: float) -> Expectation:
    """What to expect when arrivals are spread evenly over the replicas.

    Args:
        demand: what events ask.
        events_per_second: all arrivals together that ask for work.
        replicas: workers.
        sessions: runs side by side in each.
        promise_s: the latency that counts as kept.

    Returns:
        Infinite latencies where the replicas can't keep up.
    """
    served = demand.work / sessions
    rate = events_per_second / replicas
    utilisation = float(rate * served.mean())
    if utilisation >= 1:
        return Expectation(replicas, utilisation, np.inf, np.inf, 0.0)
    wait = float(rate * np.mean(served**2) / 2 / (1 - utilisation))
    # An event's windows come together: it waits more often than a single window would (Erlang's C) and less often than where all
    # sessions are one (the utilisation). Halfway between is within a tenth of what simulation says.
    waits = (utilisation + _erlang_c(sessions, utilisation)) / 2
    # While its last window runs, the other sessions may have nothing left of the event.
    own = served + demand.longest * (1 - 1 / sessions) + demand.publish_s

    def later_than(seconds: float) -> float:
        left = seconds - own
        return float(np.mean(np.where(left < 0, 1.0, waits * np.exp(-utilisation * np.maximum(left, 0) / wait))))

    return Expectation(
        replicas, utilisation, _where(later_than, 0.5), _where(later_than, 0.01), 1 - later_than(promise_s)
    )  # fmt: skip


def replicas_for(demand: Demand, events_per_second: float, sessions: int, promise_s: float) -> Expectation | None:
    """The fewest replicas whose p99 keeps the promise; None if no number of them does."""

    def keeps(replicas: int) -> bool:
        found = expect(demand, events_per_second, replicas, sessions, promise_s)
        return found.p99 <= promise_s and found.utilisation <= _BUSIEST

    # Replicas that are never busy are as good as any number can be.
    low, high = 0, max(1, math.ceil(events_per_second * float(demand.work.sum()) * 100))
    if not keeps(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return expect(demand, events_per_second, high, sessions, promise_s)


def _erlang_c(sessions: int, utilisation: float) -> float:
    """The probability that all sessions are busy, for single arrivals."""
    blocked = 1.0
    for busy in range(1, sessions + 1):
        blocked = utilisation * sessions * blocked / (busy + utilisation * sessions * blocked)
    return blocked / (1 - utilisation * (1 - blocked))


def _where(later_than: Callable[[float], float], share: float) -> float:
    """The latency that only a share of the events exceeds."""
    low, high = 0.0, 1.0
    while later_than(high) > share:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if later_than(middle) > share else (low, middle)
    return high
