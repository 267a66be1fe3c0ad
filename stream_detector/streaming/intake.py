"""What the worker has taken from Kafka and not yet put into a batch: bounded, and what it says when it is too much."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from stream_detector.batching import BatchLimits, CloseReason, Supply, close_reason
from stream_detector.contracts import Event
from stream_detector.streaming.batch import MicroBatch
from stream_detector.streaming.records import Outcome, Partition, Record

# Taking goes on below this share of the limits: so partitions aren't paused and resumed from one record to the next, and there
# is still work in hand while the first records after a pause are on their way.
_RESUME_AT: Final = 0.5


@dataclass(slots=True)
class BackPressure:
    """Whether to take no more for now. On above a limit, off below half of both.

    Attributes:
        max_bytes: what the queue may hold.
        max_age_s: how long the oldest in it may have been waiting.
    """

    max_bytes: int
    max_age_s: float
    on: bool = False

    def update(self, payload_bytes: int, age_s: float) -> bool:
        """Take note of the queue; say whether anything changed."""
        before = self.on
        share = max(payload_bytes / self.max_bytes, age_s / self.max_age_s)
        self.on = share > (_RESUME_AT if before else 1.0)
        return self.on is not before


class _Taken(NamedTuple):
    record: Record
    found: Event | Outcome
    at: float


@dataclass(slots=True)
class Intake:
    """A queue in the order in which records were read.

    Attributes:
        promise_s: from an event's occurrence to its deadline.
    """

    promise_s: float
    payload_bytes: int = 0
    _queue: deque[_Taken] = field(default_factory=deque)

    def __len__(self) -> int:
        """How many records wait."""
        return len(self._queue)

    def put(self, record: Record, found: Event | Outcome, *, now: float) -> None:
        """Append a record that was taken now, on a clock that is never set back."""
        self._queue.append(_Taken(record, found, now))
        self.payload_bytes += len(record.value or b"")

    def age(self, now: float) -> float:
        """How long the oldest has been waiting; 0 if none is."""
        return max(0.0, now - self._queue[0].at) if self._queue else 0.0

    def cut(self, limits: BatchLimits, supply: Supply, *, now: float) -> tuple[MicroBatch, CloseReason] | None:
        """Take a batch off the front, as large as the rule for closing says; None: wait for more.

        Args:
            limits: what bounds a batch.
            supply: what the input has to offer beyond this queue.
            now: the time, in seconds since the epoch.
        """
        batch = MicroBatch(self.promise_s)
        for count, taken in enumerate(self._queue, start=1):
            batch.add(taken.record, taken.found)
            left = supply if count == len(self._queue) else Supply.MORE
            reason = close_reason(len(batch), batch.payload_bytes, batch.oldest_deadline, limits, left, now=now)
            if reason is not None:
                for _ in range(count):
                    self._queue.popleft()
                self.payload_bytes -= batch.payload_bytes
                return batch, reason
        return None

    def drop(self, partitions: set[Partition]) -> None:
        """Forget the records of partitions that go to another worker, who will read them too."""
        kept = [taken for taken in self._queue if (taken.record.topic, taken.record.partition) not in partitions]
        self._queue = deque(kept)
        self.payload_bytes = sum(len(taken.record.value or b"") for taken in kept)

    def clear(self) -> None:
        """Forget all: they will be read again."""
        self._queue.clear()
        self.payload_bytes = 0

    @property
    def first_offsets(self) -> dict[Partition, int]:
        """Where it begins in each partition."""
        first: dict[Partition, int] = {}
        for taken in self._queue:
            first.setdefault((taken.record.topic, taken.record.partition), taken.record.offset)
        return first
