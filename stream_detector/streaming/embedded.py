"""A broker inside this process, for the demo and for tests: librdkafka's mock cluster.

It speaks the real protocol, so any client can join it by its address. What it isn't: its transactions are not real
(aborted messages are visible, transactional offsets aren't stored), so only at-least-once delivery means anything on it;
it keeps some 4 MB a partition and drops the oldest; all is gone when it closes. A consumer joins its group in about 3 s.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException, Producer

from stream_detector.errors import FatalDeliveryError
from stream_detector.settings import Delivery, Settings, TopicSettings
from stream_detector.streaming.clients import kafka_logger

_TIMEOUT_S = 10.0


class EmbeddedBroker:
    """Runs from entering to leaving; all topics of the settings exist from the start, with four partitions each."""

    def __init__(self, topics: TopicSettings | None = None) -> None:
        self._topics = topics or TopicSettings()
        self._cluster: Producer | None = None
        self.bootstrap_servers = ""

    def __enter__(self) -> Self:
        """Start it and create the topics."""
        # The mock cluster lives as long as the client that asked for it.
        self._cluster = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "logger": kafka_logger()})
        brokers = self._cluster.list_topics(timeout=_TIMEOUT_S).brokers.values()
        self.bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        topics = self._topics
        self.create_topics(
            *topics.inputs, *map(topics.dead_letters_of, topics.inputs),
            topics.violations, topics.scores, topics.shadow, topics.reviews, topics.repeat_offenders,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it; everything in it is gone."""
        self._cluster = None

    def create_topics(self, *names: str) -> None:
        """Make topics exist. The mock has no call for it: asking about a topic creates it."""
        if self._cluster is None:
            raise FatalDeliveryError("the embedded broker is not running: use it in a with statement")
        for name in names:
            try:
                self._cluster.list_topics(name, timeout=_TIMEOUT_S)
            except KafkaException as error:
                raise FatalDeliveryError(f"the embedded broker can't create the topic {name}: {error.args[0].str()}") from None

    def settings_for(self, settings: Settings) -> Settings:
        """The settings, made fit for this broker: its address, and at-least-once delivery, the only real one here."""
        # The mock lets a fetch wait to its end even when a record comes meanwhile: half a second by default.
        kafka = {"fetch.wait.max.ms": "5"} | settings.kafka
        update = {"bootstrap_servers": self.bootstrap_servers, "delivery": Delivery.AT_LEAST_ONCE, "kafka": kafka}
        return settings.model_copy(update=update)
