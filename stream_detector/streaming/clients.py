"""Configuration of Kafka clients: from the settings to librdkafka's keys, with why each value is what it is."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from stream_detector.errors import ConfigurationError
from stream_detector.observability.logs import RateLimit
from stream_detector.settings import SECRET_KAFKA_KEYS, Delivery, Settings

#: Longest that a transaction may take. It bounds how long a dead worker's open transaction keeps others waiting.
TRANSACTION_TIMEOUT_S: Final = 10.0

#: What a consumer can read at most (librdkafka's receive.message.max.bytes): so much can then be put into a dead letter,
#: as far as the client goes; the topic's own max.message.bytes decides.
_LARGEST_MESSAGE: Final = 100_000_000

#: With these the delivery guarantee would be void, whatever else is set.
_REFUSED: Final = {
    "enable.auto.commit": "the worker commits what it has published, and nothing else",
    "enable.auto.offset.store": "the worker commits what it has published, and nothing else",
    "transactional.id": "it follows from group_id and slot",
    "isolation.level": "inputs written in transactions are read once they are committed, or aborted ones would be scored",
    "enable.idempotence": "without it a retried message could be written twice",
    "bootstrap.servers": "set bootstrap_servers",
    "group.id": "set group_id",
    "group.instance.id": "set slot",
    "partition.assignment.strategy": "the worker assigns incrementally, which only cooperative-sticky allows",
}

Config = dict[str, Any]
Client = TypeVar("Client")


@cache
def kafka_logger() -> logging.Logger:
    """The logger that librdkafka writes to: rate-limited, for an unreachable broker makes it write hundreds of lines."""
    logger = logging.getLogger("librdkafka")
    logger.addFilter(_is_news)
    logger.addFilter(RateLimit())
    return logger


def _is_news(line: logging.LogRecord) -> bool:
    # The settings' [kafka] keys go to consumer and producer alike, and each complains of those that are only the other's.
    message = line.getMessage()
    return "CONFWARN" not in message or "will be ignored by this" not in message


def identity(settings: Settings) -> str:
    """The name of this worker among those of its group: its slot, or a random one where it has none.

    With a slot a restarted worker takes its partitions and its transactions over from the dead one at once. Without one
    the others wait until session and transaction have timed out; nothing is lost or repeated either way.
    """
    return secrets.token_hex(8) if settings.slot is None else str(settings.slot)


def client_config(settings: Settings) -> Config:
    """What all clients share. Raises ConfigurationError for a key that would void the guarantee."""
    for key, reason in _REFUSED.items():
        if key in settings.kafka:
            raise ConfigurationError(f"kafka.{key}: can't be set: {reason}; remove it")
    return {"bootstrap.servers": settings.bootstrap_servers, "logger": kafka_logger()}


def consumer_config(settings: Settings, name: str) -> Config:
    """The worker's consumer."""
    config = client_config(settings) | {
        "client.id": f"stream-detector-{name}",
        "group.id": settings.group_id,
        # A rebalance stops only the partitions that move.
        "partition.assignment.strategy": "cooperative-sticky",
        # Brokers allow no less by default: a dead worker's partitions go to others after so long.
        "session.timeout.ms": 6000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        # The default, one second, is how long a partition whose queue was full would rest: four times the promise.
        "fetch.queue.backoff.ms": 10,
        # Read ahead by little: what lies in the client's queue is lost work at a rebalance, and memory.
        "queued.min.messages": 2000,
        "queued.max.messages.kbytes": 16384,
        "statistics.interval.ms": 1000,
    }
    if settings.kafka.get("group.protocol") == "consumer":
        # The broker assigns, and knows how long a session is (45 s, unless its group.consumer.session.timeout.ms says less). No
        # group.instance.id: after two kills the group was dead, and its consumer idle without an error that says so.
        del config["partition.assignment.strategy"], config["session.timeout.ms"]
    elif settings.slot is not None:
        config["group.instance.id"] = name
    return config | settings.kafka


def producer_config(settings: Settings, name: str) -> Config:
    """The worker's producer; transactional if delivery is exactly once."""
    config = client_config(settings) | {
        "client.id": f"stream-detector-{name}",
        "enable.idempotence": True,
        # Java clients' way from key to partition, so that a key's violations lie where other tools look for them.
        "partitioner": "murmur2_random",
        "linger.ms": 0,
        # The default, 100 ms, is what a transaction waits when the one before it is still being written down.
        "retry.backoff.ms": 5,
        "message.max.bytes": _LARGEST_MESSAGE,
        # A record that was not written in this time counts as failed, and the batch is done again.
        "message.timeout.ms": int(TRANSACTION_TIMEOUT_S * 1000),
    }
    if settings.delivery is Delivery.EXACTLY_ONCE:
        config |= _transactional(settings, name)
    return config | settings.kafka


def shadow_config(settings: Settings, name: str) -> Config:
    """The producer of a shadow's disagreements: outside of all transactions, small, and patient with nobody."""
    config = producer_config(settings.model_copy(update={"delivery": Delivery.AT_LEAST_ONCE}), f"{name}-shadow")
    return config | {"linger.ms": 50, "queue.buffering.max.messages": 1000, "log_level": 2} | settings.kafka


def replay_config(settings: Settings) -> Config:
    """The producer of `dlq replay`: transactional whatever the delivery, and one at a time in a group."""
    config = producer_config(settings.model_copy(update={"delivery": Delivery.EXACTLY_ONCE}), "dlq-replay")
    return config | {"log_level": 2} | settings.kafka


def _transactional(settings: Settings, name: str) -> Config:
    return {"transactional.id": f"{settings.group_id}-{name}", "transaction.timeout.ms": int(TRANSACTION_TIMEOUT_S * 1000)}


def reader_config(settings: Settings, *, isolation: str = "read_committed") -> Config:
    """A consumer that reads by itself: it joins no group and commits nothing."""
    return (
        client_config(settings)
        | {
            "client.id": "stream-detector-reader",
            # Whose commits it can be asked about.
            "group.id": settings.group_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A span that begins before what the broker still has is an error, not an occasion to begin elsewhere.
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16384,
            "log_level": 2,
        }
        | settings.kafka
        | {"isolation.level": isolation}
    )


def make_consumer(config: Config) -> Consumer:
    """A consumer, or a ConfigurationError that names the key at fault."""
    return _make(Consumer, config)


def make_producer(config: Config) -> Producer:
    """A producer, or a ConfigurationError that names the key at fault."""
    return _make(Producer, config)


def make_admin(settings: Settings, callbacks: Mapping[str, Callable[[KafkaError], None]]) -> AdminClient:
    """An admin client, or a ConfigurationError that names the key at fault."""
    # Its calls report their own failures: the log would say the same again, in other words.
    return _make(AdminClient, client_config(settings) | {"log_level": 2} | settings.kafka | dict(callbacks))


def _make(kind: Callable[[Config], Client], config: Config) -> Client:
    try:
        return kind(config)
    except KafkaException as error:
        message = error.args[0].str()
        for key in SECRET_KAFKA_KEYS & config.keys():
            message = message.replace(str(config[key]), "**********")
        raise ConfigurationError(f"kafka: {message}; mend the key in the settings' [kafka] table") from None


@dataclass(frozen=True, slots=True)
class Kafka:
    """What makes the worker's clients: injected, so that tests can put a model of Kafka in its place."""

    consumer: Callable[[Config], Consumer] = make_consumer
    producer: Callable[[Config], Producer] = make_producer


KAFKA: Final = Kafka()


class ClientErrors:
    """librdkafka's error callback: keeps the last error that says why Kafka can't be reached.

    A wrong password or certificate surfaces nowhere else: the calls themselves only say that they timed out.
    """

    def __init__(self) -> None:
        self._cause: str | None = None
        self.lost_connection = False
        #: Kafka doesn't know us, or we don't know it: no matter of time.
        self.refused = False

    def __call__(self, error: KafkaError) -> None:
        """Take note of an error. librdkafka logs it as well, so it isn't logged here."""
        self.lost_connection |= error.code() in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN)  # noqa: SLF001
        refused = error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL)  # noqa: SLF001 - its public name
        self.refused |= refused
        if refused or self._cause is None:
            self._cause = error.str()

    def explain(self, what: str) -> str:
        """A sentence that says what failed and, where known, why."""
        return f"{what} ({self._cause})" if self._cause else what
