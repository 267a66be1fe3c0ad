"""A micro-batch while it is being filled."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluent_kafka import TopicPartition

from stream_detector.contracts import Event
from stream_detector.streaming.records import Outcome, Partition, Record

Entry = tuple[Record, Event | Outcome]


@dataclass(slots=True)
class MicroBatch:
    """Records in the order in which they were read, each with its event, or with its outcome where it is known already.

    Attributes:
        payload_bytes: how much the records' values hold together.
        oldest_deadline: the earliest moment at which an event in here breaks the promise, in seconds since the epoch.
    """

    promise_s: float
    entries: list[Entry] = field(default_factory=list)
    payload_bytes: int = 0
    oldest_deadline: float | None = None

    def __len__(self) -> int:
        """How many records are in it."""
        return len(self.entries)

    def add(self, record: Record, found: Event | Outcome) -> None:
        """Append a record."""
        self.entries.append((record, found))
        self.payload_bytes += len(record.value or b"")
        if isinstance(found, Event):
            deadline = found.occurred_at.timestamp() + self.promise_s
            self.oldest_deadline = deadline if self.oldest_deadline is None else min(deadline, self.oldest_deadline)

    def drop(self, partitions: set[Partition]) -> None:
        """Forget the records of partitions that go to another worker, who will read them too."""
        kept = [entry for entry in self.entries if (entry[0].topic, entry[0].partition) not in partitions]
        self.entries, self.payload_bytes, self.oldest_deadline = [], 0, None
        for entry in kept:
            self.add(*entry)

    @property
    def first_offsets(self) -> dict[Partition, int]:
        """Where it begins in each partition."""
        first: dict[Partition, int] = {}
        for record, _ in self.entries:
            first.setdefault((record.topic, record.partition), record.offset)
        return first

    @property
    def positions(self) -> list[TopicPartition]:
        """Where reading goes on after it in each partition: what to commit."""
        following = {(record.topic, record.partition): record.offset + 1 for record, _ in self.entries}
        return [TopicPartition(topic, partition, offset) for (topic, partition), offset in following.items()]
