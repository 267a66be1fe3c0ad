"""The two delivery guarantees: what is done so that output and progress belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from stream_detector.errors import DeliveryError, ProducerLostError, RetryableDeliveryError
from stream_detector.settings import Delivery, Settings
from stream_detector.streaming.clients import KAFKA, TRANSACTION_TIMEOUT_S, ClientErrors, Kafka, producer_config
from stream_detector.streaming.faults import Action, action_for, delivery_error, kafka_error
from stream_detector.streaming.records import OutputMessage
from stream_detector.streaming.watchdog import Watchdog

_CALL_S: Final = TRANSACTION_TIMEOUT_S
# A new producer waits until the transaction of the one before it has ended.
_INIT_S: Final = TRANSACTION_TIMEOUT_S + 5
# What a call may take beyond its own time-out before it counts as hanging.
_GRACE_S: Final = 5.0
# A synchronous commit has no time-out: it waits until Kafka is back.
_COMMIT_S: Final = 120.0


class Guarantee(Protocol):
    """Publishes a batch's output and commits its progress. Its errors are DeliveryErrors."""

    def deliver(self, messages: Sequence[OutputMessage], positions: list[TopicPartition]) -> None:
        """Publish the messages and commit the positions. On an error, `recover` must be called before the next try."""
        ...

    def recover(self) -> None:
        """Be ready for `deliver`: at the start, and after an error."""
        ...

    def close(self) -> None:
        """Let go of the producer."""
        ...


def guarantee_for(settings: Settings, name: str, consumer: Consumer, watchdog: Watchdog, kafka: Kafka = KAFKA) -> Guarantee:
    """The guarantee that the settings ask for."""
    kind = ExactlyOnce if settings.delivery is Delivery.EXACTLY_ONCE else AtLeastOnce
    return kind(settings, name, consumer, watchdog, kafka)


class _Producing:
    """What both guarantees share: a producer that can be lost and made anew."""

    def __init__(self, settings: Settings, name: str, consumer: Consumer, watchdog: Watchdog, kafka: Kafka = KAFKA) -> None:
        self._kafka = kafka
        self._settings = settings
        self._name = name
        self._consumer = consumer
        self._watchdog = watchdog
        self._errors = ClientErrors()
        self._producer: Producer | None = None

    def close(self) -> None:
        """Let go of the producer."""
        self._drop_producer()

    def _make_producer(self) -> Producer:
        self._errors = ClientErrors()
        return self._kafka.producer(producer_config(self._settings, self._name) | {"error_cb": self._errors})

    def _drop_producer(self) -> None:
        # Nothing that it still holds may be sent: the batch is done again by the next one.
        producer, self._producer = self._producer, None
        if producer is not None:
            with self._watchdog.limit(_CALL_S, "closing a producer"):
                producer.purge()
                del producer

    def _usable_producer(self) -> Producer:
        if self._producer is None:
            raise ProducerLostError("the producer was lost before")
        return self._producer


class ExactlyOnce(_Producing):
    """One transaction a batch: its output is visible to read_committed if and only if its offsets are committed."""

    def deliver(self, messages: Sequence[OutputMessage], positions: list[TopicPartition]) -> None:
        """Publish and commit in one transaction."""
        producer = self._steady_producer()
        reports = _Reports()
        doing = "beginning a transaction"
        try:
            producer.begin_transaction()
            doing = "publishing"
            _produce(producer, messages, reports)
            doing = "committing offsets in a transaction"
            with self._watchdog.limit(_CALL_S + _GRACE_S, doing):
                producer.send_offsets_to_transaction(positions, self._consumer.consumer_group_metadata(), _CALL_S)
            doing = "committing a transaction"
            with self._watchdog.limit(_CALL_S + _GRACE_S, doing):
                producer.commit_transaction(_CALL_S)
        except KafkaException as exception:
            raise self._after(kafka_error(exception), reports, doing) from None

    def recover(self) -> None:
        """Have a producer; a new one also decides what became of the last one's transaction."""
        if self._producer is not None:
            return
        producer = self._make_producer()
        try:
            with self._watchdog.limit(_INIT_S + _GRACE_S, "starting a transactional producer"):
                producer.init_transactions(_INIT_S)
        except KafkaException as exception:
            raise delivery_error(kafka_error(exception), self._errors.explain("starting a transactional producer")) from None
        self._producer = producer

    def _steady_producer(self) -> Producer:
        """A producer whose brokers have not gone away since it was made.

        One that has lived through a broker's death may hang for good in its next transaction: measured, whatever the
        time-out. A new one costs some milliseconds.
        """
        self._usable_producer().poll(0)  # serves the error callback
        if self._errors.lost_connection:
            self._drop_producer()
            self.recover()
        return self._usable_producer()

    def _after(self, error: KafkaError, reports: _Reports, doing: str) -> DeliveryError:
        """Abort, and say what the failure means."""
        outcome_is_known = error.txn_requires_abort() or doing != "committing a transaction"
        keeps_producer = not error.fatal() and action_for(error)[0] is not Action.RENEW
        if keeps_producer and outcome_is_known and self._abort():
            return reports.error or delivery_error(error, doing)
        # A commit whose answer is missing may have happened: only a new producer's start decides it. And a producer that
        # can't abort, or whose identity the broker disowns, can't do anything else either.
        self._drop_producer()
        failure = reports.error or delivery_error(error, doing)
        return ProducerLostError(str(failure), away=failure.away) if isinstance(failure, RetryableDeliveryError) else failure

    def _abort(self) -> bool:
        try:
            with self._watchdog.limit(_CALL_S + _GRACE_S, "aborting a transaction"):
                self._usable_producer().abort_transaction(_CALL_S)
        except KafkaException:
            return False
        return True


class AtLeastOnce(_Producing):
    """Output first, checked, then the offsets: a crash between the two repeats output, and loses none."""

    def deliver(self, messages: Sequence[OutputMessage], positions: list[TopicPartition]) -> None:
        """Publish, wait until all of it is written, then commit."""
        producer = self._usable_producer()
        reports = _Reports()
        try:
            _produce(producer, messages, reports)
            with self._watchdog.limit(_CALL_S + _GRACE_S, "publishing"):
                unsent = producer.flush(_CALL_S)
        except KafkaException as exception:
            raise self._after(delivery_error(kafka_error(exception), "publishing")) from None
        if unsent or reports.error:
            raise self._after(
                reports.error or RetryableDeliveryError(f"publishing: {unsent} messages were not sent in time", away=True)
            )
        try:
            with self._watchdog.limit(_COMMIT_S, "committing offsets"):
                committed = self._consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as exception:
            raise delivery_error(kafka_error(exception), "committing offsets") from None
        for position in committed or ():
            if position.error is not None:
                raise delivery_error(position.error, f"committing offsets of {position.topic}")

    def recover(self) -> None:
        """Have a producer."""
        if self._producer is None:
            self._producer = self._make_producer()

    def _after(self, failure: DeliveryError) -> DeliveryError:
        # What is left in the producer must not be sent after a later batch: order by key would be lost.
        self._drop_producer()
        return failure


class _Reports:
    """Delivery reports of one batch: keeps the first failure, which says more than the transaction's own error."""

    def __init__(self) -> None:
        self.error: DeliveryError | None = None

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        # A message that was thrown away because its transaction failed is no cause.
        if error is not None and not error.name().startswith("_PURGE"):
            self.fail(error, message.topic())

    def fail(self, error: KafkaError, topic: str | None) -> None:
        if self.error is None or action_for(error)[0] is Action.STOP:
            self.error = delivery_error(error, f"publishing to {topic}")


def _produce(producer: Producer, messages: Iterable[OutputMessage], reports: _Reports) -> None:
    for message in messages:
        while True:
            try:
                producer.produce(message.topic, message.value, message.key, headers=list(message.headers), on_delivery=reports)
                break
            except BufferError:
                # The client's queue is full; a message leaves it, one way or the other, within message.timeout.ms.
                producer.poll(0.1)
            except KafkaException as exception:
                reports.fail(kafka_error(exception), message.topic)
                raise
