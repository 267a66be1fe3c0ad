"""The worker: reads events, has them scored, publishes what comes of it.

Between two calls of `poll` for the first record of a batch, the whole batch is read, scored, published and committed: a
rebalance never finds output without its offsets. Records are taken only when they can be worked on at once, and the client
reads ahead by little, so back-pressure needs no pausing: what isn't taken waits in Kafka, and shows as lag.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog
from confluent_kafka import Message

from stream_detector.batching import BatchLimits, CloseReason, EventCost, Supply, close_reason
from stream_detector.contracts import Event, ScoringResponse
from stream_detector.errors import DeadLetterLimitError, ProducerLostError, RetryableDeliveryError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.settings import Settings
from stream_detector.streaming.accounts import Accounts, explain_limit
from stream_detector.streaming.batch import MicroBatch
from stream_detector.streaming.clients import identity, make_admin
from stream_detector.streaming.dead_letter_limit import DeadLetterLimit
from stream_detector.streaming.delivery import Guarantee, guarantee_for
from stream_detector.streaming.faults import Action, action_for, delivery_error
from stream_detector.streaming.patience import Patience
from stream_detector.streaming.records import Outcome, Partition, Record, judge, messages_of, read, record_of, unscorable
from stream_detector.streaming.stopping import StopFlag
from stream_detector.streaming.subscription import Subscription
from stream_detector.streaming.topics import output_topics, require_topics
from stream_detector.streaming.watchdog import Watchdog

# How long a stop may go unnoticed while no event comes. An event ends the wait at once.
_WAIT_S: Final = 0.1
_CLOSE_S: Final = 20.0

_log = structlog.get_logger()


class Scorer(Protocol):
    """Gives verdicts: the detector, or a stand-in in tests."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response for each mapping of attribute name to text, in order."""
        ...


class Worker:
    """One worker of the group.

    Args:
        settings: all of them.
        scorer: gives verdicts.
        metrics: counted into.
        readiness: kept up to date.
        on_outcome: called with every outcome after it was committed; must not block.
    """

    def __init__(
        self,
        settings: Settings,
        scorer: Scorer,
        metrics: Metrics,
        readiness: Readiness,
        *,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._settings = settings
        self._scorer = scorer
        self._metrics = metrics
        self._readiness = readiness
        self._on_outcome = on_outcome
        self._stopping = StopFlag()
        self._patience = Patience(self._stopping.wait)
        self._accounts = Accounts(settings, metrics)
        self._limit = DeadLetterLimit.of(settings)
        self._batch = MicroBatch(settings.promise_ms / 1000)
        self._cost = EventCost()

    def stop(self) -> None:
        """Ask `run` to finish what it has in hand and return. Safe from any thread and from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            ConfigurationError: Kafka can't be reached at the start, a topic is missing, or a Kafka key is wrong.
            FatalDeliveryError: only a person can help, or Kafka stayed away for too long.
            DeadLetterLimitError: too many records are refused; nothing of the batch that was too much is committed.
        """
        settings, name = self._settings, identity(self._settings)
        with Watchdog() as watchdog:
            subscription = Subscription(settings, name, self._metrics, self._readiness, stopping=self._stopping)
            guarantee = guarantee_for(settings, name, subscription.consumer, watchdog)
            try:
                require_topics(subscription.consumer, settings.topics.inputs, subscription.errors, settings)
                outputs = make_admin(settings, {"error_cb": subscription.errors})
                require_topics(outputs, output_topics(settings), subscription.errors, settings)
                self._recover(guarantee, subscription)
                subscription.start(self._drop)
                _log.info("worker started", name=name, delivery=settings.delivery.value, topics=settings.topics.inputs)
                self._loop(subscription, guarantee)
            finally:
                self._readiness.set(State.DRAINING)
                with watchdog.limit(_CLOSE_S, "leaving the group"):
                    guarantee.close()
                    subscription.consumer.close()
                self._readiness.set(State.STOPPED)
                _log.info("worker stopped", name=name)

    def _loop(self, subscription: Subscription, guarantee: Guarantee) -> None:
        while not self._stopping.is_set:
            reason = self._fill(subscription)
            if reason is None:
                continue
            if self._stopping.is_set:
                self._readiness.set(State.DRAINING)
            try:
                self._finish(guarantee, reason)
            except (RetryableDeliveryError, ProducerLostError) as error:
                _log.warning("batch failed and is done again", reason=str(error), records=len(self._batch))
                self._patience.failed(error)
                self._recover(guarantee, subscription)
            self._batch = MicroBatch(self._settings.promise_ms / 1000)

    def _fill(self, subscription: Subscription) -> CloseReason | None:
        """Read records until the batch is closed; None if there are none."""
        message = subscription.consumer.poll(_WAIT_S)
        while True:
            if message is not None:
                self._take(message)
            limits = BatchLimits(self._settings.max_batch_events, self._settings.max_batch_bytes, self._cost.seconds)
            supply = Supply.CLOSED if self._stopping.is_set else Supply.IDLE if message is None else Supply.MORE
            reason = close_reason(
                len(self._batch), self._batch.payload_bytes, self._batch.oldest_deadline, limits, supply, now=time.time()
            )
            if reason is not None or (message is None and not self._batch):
                return reason
            message = subscription.consumer.poll(0)

    def _drop(self, partitions: set[Partition]) -> None:
        # Called within `poll`, so never between publishing and committing.
        self._batch.drop(partitions)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if action_for(error)[0] is Action.STOP:
                raise delivery_error(error, f"reading {message.topic() or 'from Kafka'}")
            return  # librdkafka logs it, and goes on by itself
        with self._stage("decode"):
            record = record_of(message)
            now = time.time()
            found = read(record, self._settings, now=_moment(now))
        if isinstance(found, Event):
            self._metrics.stage_latency.labels("wait").observe(max(0.0, now - found.occurred_at.timestamp()))
        self._batch.add(record, found)

    def _finish(self, guarantee: Guarantee, reason: CloseReason) -> None:
        began = time.time()
        outcomes = self._conclude()
        try:
            limit = self._limit.after(outcome.dead_letter is not None for outcome in outcomes)
        except DeadLetterLimitError as error:
            raise explain_limit(error, outcomes) from None
        now = _moment(time.time())
        messages = [message for outcome in outcomes for message in messages_of(outcome, self._settings, now=now)]
        with self._stage("publish"):
            guarantee.deliver(messages, self._batch.positions)
        self._limit = limit
        self._patience.succeeded()
        self._readiness.set(State.READY)
        done = time.time()
        self._cost.learn(done - began, len(outcomes))
        for outcome in self._accounts.enter(outcomes, reason, now=done):
            if self._on_outcome is not None:
                self._on_outcome(outcome)

    def _conclude(self) -> list[Outcome]:
        """The outcome of every record of the batch, in order."""
        entries = self._batch.entries
        verdicts = iter(self._score([(record, found) for record, found in entries if isinstance(found, Event)]))
        return [next(verdicts) if isinstance(found, Event) else found for _, found in entries]

    def _score(self, events: list[tuple[Record, Event]]) -> list[Outcome]:
        if not events:
            return []
        try:
            with self._stage("score"):
                responses = self._scorer.score([event.texts for _, event in events])
            now = _moment(time.time())
            return [judge(*pair, response, self._settings, now=now) for pair, response in zip(events, responses, strict=True)]
        except Exception as error:  # noqa: BLE001 - whatever a model raises must not stop the stream
            if len(events) == 1:
                _log.warning("event can't be scored", error=type(error).__name__, event_id=events[0][1].event_id)
                return [unscorable(*events[0], error, now=_moment(time.time()))]
        # One of them is poison: alone it becomes a dead letter, and the others get their verdicts.
        return [outcome for pair in events for outcome in self._score([pair])]

    def _recover(self, guarantee: Guarantee, subscription: Subscription) -> None:
        """Be able to work again: with a producer, and at the beginning of the batch that failed."""
        # A stopping worker doesn't wait for Kafka: what it has in hand isn't committed, so the next one reads it again.
        while not self._stopping.is_set:
            try:
                guarantee.recover()
                subscription.rewind(self._batch.first_offsets)
            except (RetryableDeliveryError, ProducerLostError) as error:
                self._readiness.set(State.KAFKA_UNREACHABLE)
                self._patience.failed(error)
            else:
                return

    @contextmanager
    def _stage(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._metrics.stage_latency.labels(stage).observe(time.perf_counter() - start)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
