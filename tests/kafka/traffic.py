"""Records into a broker, and all that a topic holds out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from stream_detector.contracts import Violation, decode
from stream_detector.settings import Settings

_TIMEOUT_S = 20.0
Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record to send."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def event(number: int, event_type: str = "listing-update", text: str = "A quiet flat") -> bytes:
    """A change event that happens now."""
    document = {
        "eventId": f"E-{number}",
        "eventType": event_type,
        "occurredAt": datetime.now(UTC).isoformat(),
        "transactionContext": {"transactionId": f"T-{number}"},
        "partnerId": "P-1",
        "listingId": "L-1",
        "bookingId": "B-1",
        "clientId": "C-1",
        "attributes": {"description": text, "gone": None},
    }
    return orjson.dumps(document)


def numbered(settings: Settings, numbers: Iterable[int], topic: str | None = None) -> list[Sent]:
    """Listing updates that are all violations, keyed so that they spread over the partitions."""
    topic = topic or settings.topics.listing_updates
    return [Sent(topic, event(number, text="on whatsapp"), str(number % 7).encode()) for number in numbers]


def send(settings: Settings, records: list[Sent]) -> int:
    """Write records, and wait until they are written; return how many they were."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 0})
    failures: list[KafkaError] = []
    for record in records:
        producer.produce(
            record.topic,
            record.value,
            record.key,
            headers=list(record.headers),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    assert producer.flush(_TIMEOUT_S) == 0
    assert not failures
    return len(records)


def received(settings: Settings, topic: str, isolation: str = "read_committed") -> list[Message]:
    """All that a topic holds now, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "group.id": "reads-everything",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        messages: list[Message] = []
        at_end: set[int | None] = set()
        while len(at_end) < len(partitions):
            message = consumer.poll(_TIMEOUT_S)
            assert message is not None, f"{topic} was not read to its end in time"
            error = message.error()
            if error is None:
                messages.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                at_end.add(message.partition())
        return messages
    finally:
        consumer.close()


def violations(settings: Settings, isolation: str = "read_committed") -> Counter[str]:
    """How often each event has a violation, by the event's id."""
    messages = received(settings, settings.topics.violations, isolation)
    return Counter(decode(Violation, message.value() or b"").event_id for message in messages)


def committed(settings: Settings, topic: str) -> int:
    """How many records of a topic the group is through with, all partitions together."""
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.group_id, "isolation.level": "read_committed"}
    )
    try:
        partitions = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        positions = consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=_TIMEOUT_S)
        return sum(max(0, position.offset) for position in positions)
    finally:
        consumer.close()
