"""Events at a steady rate, and a subscriber that takes note of what it sees of each."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import orjson
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from benchmarks.faults.workers import Workers
from stream_detector.settings import Settings

Place = tuple[str, int, int]

#: How long output may stay away after a fault before the run goes on without it. The ledger will tell.
_RECOVERY_S: Final = 180.0

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


class Traffic:
    """A load, and the subscriber that sees what becomes of it.

    Args:
        settings: of the workers; the topics are there.
        partitions: of each input topic.
        rate: events a second.
        seed: of what is sent.
    """

    def __init__(self, settings: Settings, partitions: int, *, rate: float, seed: int) -> None:
        self.load, self.subscriber = Load(settings, rate=rate, seed=seed), Subscriber(settings)
        self._places = len(_TYPES) * partitions

    def begin(self, workers: Workers, count: int) -> None:
        """Start so many workers and the load, and wait until output flows from every partition."""
        since = time.monotonic()
        for number in range(count):
            workers.start(number)
        self.subscriber.start()
        self.load.start()
        self.recovered(since)

    def recovered(self, since: float) -> float | None:
        """Seconds until output was seen, from every partition, of an event sent after a moment; None if it stays away."""
        while (now := time.monotonic()) - since < _RECOVERY_S:
            first: dict[tuple[str, int], float] = {}
            for place, seen in list(self.subscriber.seen.items())[-20_000:]:
                if self.load.sent.get(place, 0.0) > since:
                    first.setdefault(place[:2], seen)
            if len(first) == self._places:
                return max(first.values()) - since
            time.sleep(0.2 if now - since > 1 else 0.05)
        return None

    def end(self) -> None:
        """Send no more, and wait until every event that was sent has been seen, but not for ever."""
        self.load.stop()
        end = time.monotonic() + _RECOVERY_S
        while time.monotonic() < end and self.load.sent.keys() - self.subscriber.seen.keys():
            time.sleep(0.5)


def _source(message: Message) -> Place:
    headers = dict(message.headers() or ())
    if "dlq.source.topic" in headers:
        told = {name: (value or b"").decode() for name, value in headers.items()}
        return told["dlq.source.topic"], int(told["dlq.source.partition"]), int(told["dlq.source.offset"])
    source = orjson.loads(message.value() or b"")["source"]
    return source["topic"], source["partition"], source["offset"]
