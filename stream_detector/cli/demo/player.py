"""Plays examples into the input topics at a steady rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from confluent_kafka import Producer

from stream_detector.cli.demo.examples import Example
from stream_detector.settings import Settings
from stream_detector.streaming.clients import client_config, make_producer


class Player:
    """A producer of change events."""

    def __init__(self, settings: Settings) -> None:
        self.sent = 0
        self._topics = settings.topics
        self._producer: Producer = make_producer(client_config(settings) | {"linger.ms": 0} | settings.kafka)
        self._producer.list_topics(timeout=10)

    def play(self, examples: Iterable[Example], *, rate: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[Example]:
        """Send examples, `rate` a second; each is handed on once it is sent, so that the caller can look after the rest."""
        for example in paced(examples, rate=rate, sleep=sleep):
            self._send(example)
            yield example

    def close(self) -> int:
        """Wait until all is delivered; say how many events are not, for Kafka didn't take them in time."""
        return self._producer.flush(10)

    def _send(self, example: Example) -> None:
        while True:
            try:
                self._producer.produce(example.topic_in(self._topics), key=example.key, value=example.payload(datetime.now(UTC)))
            except BufferError:
                self._producer.poll(0.05)
                continue
            self._producer.poll(0)
            self.sent += 1
            return


def paced(
    examples: Iterable[Example],
    *,
    rate: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Example]:
    """Items at a steady rate: a late one doesn't delay those after it."""
    start = clock()
    for number, example in enumerate(examples):
        if (wait := start + number / rate - clock()) > 0:
            sleep(wait)
        yield example
