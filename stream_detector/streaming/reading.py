"""Bounded reads: all records of some spans of offsets, without a group and without leaving a trace."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream_detector.errors import ConfigurationError, FatalDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import ClientErrors, make_consumer, reader_config
from stream_detector.streaming.faults import kafka_error
from stream_detector.streaming.records import Partition, Record, record_of

_CALL_S: Final = 20.0
#: How long a read may go without a record before it counts as failed.
_SILENCE_S: Final = 60.0
_NO_OFFSET: Final = -1


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of one partition, half-open."""

    topic: str
    partition: int
    start: int
    end: int

    @property
    def key(self) -> Partition:
        """The partition that it is of."""
        return self.topic, self.partition


@dataclass(frozen=True, slots=True)
class Read:
    """A record and when the broker or its producer says it was written, in milliseconds since the epoch."""

    record: Record
    timestamp_ms: int


class Reader:
    """Reads what is committed; for commands, not for the worker's loop.

    Args:
        settings: where the brokers are, and whose commits `committed` tells.
        isolation: `read_uncommitted` sees to the end of the log, open and aborted transactions included.

    Raises:
        ConfigurationError: no broker answers, a topic is missing, or reading isn't allowed; with what to do about it.
    """

    def __init__(self, settings: Settings, *, isolation: str = "read_committed") -> None:
        self._settings = settings
        self._errors = ClientErrors()
        self._consumer: Consumer = make_consumer(reader_config(settings, isolation=isolation) | {"error_cb": self._errors})

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def partitions(self, topic: str) -> list[int]:
        """The topic's partitions."""
        try:
            found = self._consumer.list_topics(topic, timeout=_CALL_S).topics[topic]
        except KafkaException as exception:
            raise self._unreadable(topic, kafka_error(exception)) from None
        if found.error is not None:
            raise self._unreadable(topic, found.error)
        return sorted(found.partitions)

    def exists(self, topic: str) -> bool:
        """Whether there is such a topic."""
        try:
            found = self._consumer.list_topics(topic, timeout=_CALL_S).topics[topic]
        except KafkaException as exception:
            raise self._unreadable(topic, kafka_error(exception)) from None
        return found.error is None

    def whole(self, topic: str) -> list[Span]:
        """All that a topic holds now: up to the first open transaction."""
        return [self._whole(topic, partition) for partition in self.partitions(topic)]

    def since(self, spans: Iterable[Span], timestamp_ms: int) -> list[Span]:
        """The spans without what was written before a moment."""
        return [Span(*span.key, max(span.start, min(at, span.end)), span.end) for span, at in self._at(spans, timestamp_ms)]

    def until(self, spans: Iterable[Span], timestamp_ms: int) -> list[Span]:
        """The spans without what was written at or after a moment."""
        return [Span(*span.key, span.start, min(max(at, span.start), span.end)) for span, at in self._at(spans, timestamp_ms)]

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Where the group of the settings is; partitions in which it has committed nothing are left out."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        end = time.monotonic() + _CALL_S
        while True:
            try:
                positions = self._consumer.committed(wanted, timeout=_CALL_S)
            except KafkaException as exception:
                raise self._unreadable(f"group {self._settings.group_id}", kafka_error(exception)) from None
            faults = [position.error for position in positions if position.error is not None]
            if not faults:
                return {(at.topic, at.partition): at.offset for at in positions if at.offset >= 0}
            # An open transaction on the offsets: they will be stable when it has ended.
            if time.monotonic() > end:
                raise self._unreadable(f"group {self._settings.group_id}", faults[0])
            time.sleep(0.1)

    def read(self, spans: Iterable[Span]) -> Iterator[Read]:
        """The records of the spans, in order within a partition."""
        left = {span.key: span for span in spans if span.start < span.end}
        if not left:
            return
        self._consumer.assign([TopicPartition(*span.key, span.start) for span in left.values()])
        try:
            last = time.monotonic()
            while left:
                message = self._consumer.poll(1.0)
                if message is None:
                    if time.monotonic() - last > _SILENCE_S:
                        raise FatalDeliveryError(
                            f"reading {', '.join(sorted({topic for topic, _ in left}))}: {self._errors.explain('no answer')};"
                            " check that all brokers are up"
                        )
                    continue
                last = time.monotonic()
                error, key = message.error(), (message.topic() or "", _number(message.partition()))
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                        raise self._unreadable(key[0] or f"group {self._settings.group_id}", error)
                    # Behind the last record there may be nothing but transaction markers.
                    left.pop(key, None)
                    continue
                span = left.get(key)
                if span is None:
                    continue
                record = record_of(message)
                if record.offset < span.end:
                    yield Read(record, message.timestamp()[1])
                if record.offset >= span.end - 1:
                    del left[key]
        finally:
            self._consumer.unassign()

    def _whole(self, topic: str, partition: int) -> Span:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_CALL_S)
        except KafkaException as exception:
            raise self._unreadable(topic, kafka_error(exception)) from None
        return Span(topic, partition, low, high)

    def _at(self, spans: Iterable[Span], timestamp_ms: int) -> list[tuple[Span, int]]:
        given = list(spans)
        wanted = [TopicPartition(*span.key, timestamp_ms) for span in given]
        try:
            found = {(at.topic, at.partition): at.offset for at in self._consumer.offsets_for_times(wanted, timeout=_CALL_S)}
        except KafkaException as exception:
            raise self._unreadable(given[0].topic, kafka_error(exception)) from None
        # Nothing is that young: librdkafka answers with its constant for the end.
        return [(span, found[span.key] if found[span.key] > _NO_OFFSET else span.end) for span in given]

    def _unreadable(self, what: str, error: KafkaError) -> ConfigurationError:
        cause = self._errors.explain(f"{what}: can't be read: {error.name()}: {error.str()}")
        return ConfigurationError(
            f"{cause}; check bootstrap_servers, the name in the [topics] table, the [kafka] table, and that this user may READ it"
        )


def _number(partition: int | None) -> int:
    return -1 if partition is None else partition
