"""What the demo counts: outcomes as the worker reports them, and the latencies that were measured."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from stream_detector.streaming import Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures at the end. Latencies are milliseconds from an event's occurrence to its outcome being published."""

    events: int
    violations: int
    dead_letters: int
    clean: int
    p50_ms: float | None
    p99_ms: float | None
    promise_ms: int
    within_promise: float | None

    def to_json(self) -> bytes:
        """The summary as one JSON object."""
        document = {
            "events": self.events,
            "violations": self.violations,
            "deadLetters": self.dead_letters,
            "clean": self.clean,
            "latencyMs": {"p50": self.p50_ms, "p99": self.p99_ms},
            "promiseMs": self.promise_ms,
            "withinPromise": self.within_promise,
        }
        return orjson.dumps(document)


class Tally:
    """Counts outcomes; the worker's thread adds, others read."""

    def __init__(self) -> None:
        self._kinds: Counter[OutcomeKind] = Counter()
        self._latencies_ms = array("d")

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.latency_s is not None:
            self._latencies_ms.append(outcome.latency_s * 1000)
        self._kinds[outcome.kind] += 1

    @property
    def events(self) -> int:
        """Records that are done."""
        return self._kinds.total()

    def count(self, kind: OutcomeKind) -> int:
        """Records of which this became."""
        return self._kinds[kind]

    def summarize(self, promise_ms: int) -> Summary:
        """The figures so far."""
        latencies = sorted(self._latencies_ms)
        within = sum(latency <= promise_ms for latency in latencies)
        return Summary(
            events=self.events,
            violations=self.count(OutcomeKind.VIOLATION),
            dead_letters=self.count(OutcomeKind.DEAD_LETTER),
            clean=self.count(OutcomeKind.CLEAN),
            p50_ms=percentile(latencies, 50),
            p99_ms=percentile(latencies, 99),
            promise_ms=promise_ms,
            within_promise=round(within / len(latencies), 4) if latencies else None,
        )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that `percent` of all values don't exceed, to a tenth; None of no values."""
    if not ordered:
        return None
    return round(ordered[math.ceil(len(ordered) * percent / 100) - 1], 1)
