"""Events at a steady rate, and a subscriber that takes note of what it sees of each."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime

import orjson
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from stream_detector.settings import Settings

Place = tuple[str, int, int]

_TEXTS = (
    "Quiet studio, five minutes from the station.",
    "A sunny loft by the harbour with two bedrooms.",
    "For a better price write to host@sunny-loft.example or call +44 7700 900142.",
    "Call me on +1 202 555 0143 before you book.",
)
_TYPES = {"bookings": "booking", "listing_updates": "listing-update", "client_updates": "client-update"}


def event(number: int, event_type: str, text: str) -> bytes:
    """A change that happens now; one of fifty can't be read."""
    if number % 50 == 49:
        return b'{"eventId": "E-%d", ' % number
    document = {
        "eventId": f"E-{number}", "eventType": event_type, "occurredAt": datetime.now(UTC).isoformat(),
        "transactionContext": {"transactionId": f"T-{number}"}, "partnerId": "P-1", "listingId": "L-1", "bookingId": "B-1",
        "clientId": "C-1", "attributes": {"description": text},
    }  # fmt: skip
    return orjson.dumps(document)


class Load(threading.Thread):
    """Sends until it is told to stop; every event is confirmed sooner or later, whatever happens to the broker."""

    def __init__(self, settings: Settings, *, rate: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.sent: dict[Place, float] = {}
        self.failed = 0
        self._settings, self._rate, self._random = settings, rate, random.Random(seed)
        self._told = threading.Event()

    def run(self) -> None:
        """Send."""
        producer = Producer(
            {
                "bootstrap.servers": self._settings.bootstrap_servers, "enable.idempotence": True, "linger.ms": 5,
                "message.timeout.ms": 600_000, "log_level": 0,
            }
        )  # fmt: skip
        topics = [(getattr(self._settings.topics, name), kind) for name, kind in _TYPES.items()]
        began, number = time.monotonic(), 0
        while not self._told.is_set():
            while number < (time.monotonic() - began) * self._rate:
                topic, kind = topics[number % 3]
                key = f"key-{self._random.randrange(60)}".encode()
                producer.produce(topic, event(number, kind, self._random.choice(_TEXTS)), key, on_delivery=self._confirm)
                number += 1
            producer.poll(0.005)
        while producer.flush(10):
            pass

    def stop(self) -> None:
        """Send no more, and wait until all is confirmed."""
        self._told.set()
        self.join()

    def _confirm(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failed += 1
        else:
            self.sent[message.topic(), message.partition(), message.offset()] = time.monotonic()  # type: ignore[index]


class Subscriber(threading.Thread):
    """Reads scores and dead letters, read committed, as they come."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.seen: dict[Place, float] = {}
        self.times: Counter[Place] = Counter()
        self._settings = settings
        self._told = threading.Event()

    def run(self) -> None:
        """Read."""
        topics = self._settings.topics
        consumer = Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap_servers, "group.id": "subscriber", "isolation.level": "read_committed",
                "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 20, "log_level": 0,
            }
        )  # fmt: skip
        places = [
            TopicPartition(topic, partition, 0)
            for topic in (topics.scores, *map(topics.dead_letters_of, topics.inputs))
            for partition in consumer.list_topics(topic, timeout=20).topics[topic].partitions
        ]
        consumer.assign(places)
        while not self._told.is_set():
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                place = _source(message)
                self.times[place] += 1
                self.seen.setdefault(place, time.monotonic())
        consumer.close()

    def stop(self) -> None:
        """Read no more."""
        self._told.set()
        self.join()


def _source(message: Message) -> Place:
    headers = dict(message.headers() or ())
    if "dlq.source.topic" in headers:
        told = {name: (value or b"").decode() for name, value in headers.items()}
        return told["dlq.source.topic"], int(told["dlq.source.partition"]), int(told["dlq.source.offset"])
    source = orjson.loads(message.value() or b"")["source"]
    return source["topic"], source["partition"], source["offset"]
