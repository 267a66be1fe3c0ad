"""What a subscriber sees: violations and dead letters, read back from Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, TIMESTAMP_NOT_AVAILABLE, Message, TopicPartition

from stream_detector.contracts import Violation
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.clients import client_config, make_consumer
from stream_detector.streaming.records import record_of

#: A violation is larger than its event; here nothing is to be refused.
_NO_LIMIT = 1 << 30

OnViolation = Callable[[Violation, float | None], None]
OnDeadLetter = Callable[[str, str, str], None]


class Subscriber:
    """Reads in a thread of its own from entering to leaving.

    Args:
        on_violation: called with a violation and the milliseconds from its event's occurrence to its own publication.
        on_dead_letter: called with the input topic, the reason and the error of a dead letter.
    """

    def __init__(self, settings: Settings, on_violation: OnViolation, on_dead_letter: OnDeadLetter) -> None:
        self.violations = 0
        self.dead_letters = 0
        self._on_violation = on_violation
        self._on_dead_letter = on_dead_letter
        self._violations_topic = settings.topics.violations
        self._wire = wire_format(settings)
        self._closed = threading.Event()
        self._consumer = make_consumer(client_config(settings) | {"group.id": "demo-subscriber", "enable.auto.commit": False})
        topics = (self._violations_topic, *map(settings.topics.dead_letters_of, settings.topics.inputs))
        # All partitions are its own: no group to join, which would take seconds.
        known = self._consumer.list_topics(timeout=10).topics
        self._consumer.assign(
            [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics for partition in known[topic].partitions]
        )
        self._thread = threading.Thread(target=self._read, name="demo-subscriber", daemon=True)

    def __enter__(self) -> Self:
        """Start to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._closed.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._closed.is_set():
            message = self._consumer.poll(0.1)
            # librdkafka goes on by itself after an error; what it costs is that something is missing at the end.
            if message is not None and message.error() is None:
                self._take(message)

    def _take(self, message: Message) -> None:
        if message.topic() == self._violations_topic:
            record = record_of(message)
            violation = self._wire.read(Violation, record.value or b"", record.headers, max_bytes=_NO_LIMIT)
            kind, published_ms = message.timestamp()
            occurred_ms = violation.occurred_at.timestamp() * 1000
            self._on_violation(violation, None if kind == TIMESTAMP_NOT_AVAILABLE else published_ms - occurred_ms)
            self.violations += 1
        else:
            headers = dict(message.headers() or ())
            topic, reason, error = (_text(headers[f"dlq.{name}"]) for name in ("source.topic", "reason", "error"))
            self._on_dead_letter(topic, reason, error)
            self.dead_letters += 1


def _text(header: str | bytes | None) -> str:
    return header.decode() if isinstance(header, bytes) else header or ""
