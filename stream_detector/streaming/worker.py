"""The worker: reads events, has them scored, publishes what comes of it.

`loop.py` says in which order; here is what is done with records, and what the loop is put together from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Final

import structlog
from confluent_kafka import Message

from stream_detector.batching import BatchCost, BatchLimits, CloseReason
from stream_detector.contracts import Event
from stream_detector.errors import DeadLetterLimitError, RegistryAwayError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.accounts import Accounts, explain_limit
from stream_detector.streaming.batch import Entry
from stream_detector.streaming.clients import KAFKA, Kafka, identity, make_admin
from stream_detector.streaming.clock import Clock, SystemClock
from stream_detector.streaming.dead_letter_limit import DeadLetterLimit
from stream_detector.streaming.delivery import Guarantee, guarantee_for
from stream_detector.streaming.loop import Loop, Phase
from stream_detector.streaming.records import Outcome, OutputMessage, Record, judge, messages_of, read, record_of, unscorable
from stream_detector.streaming.scorers import Alone, Scorer, Scorers
from stream_detector.streaming.scoring_thread import Aside, ScoringThread
from stream_detector.streaming.stopping import StopFlag
from stream_detector.streaming.subscription import Subscription
from stream_detector.streaming.topics import UnreachableError, output_topics, require_topics, verdict_topics
from stream_detector.streaming.watchdog import Watchdog

if TYPE_CHECKING:
    from stream_detector.streaming.traces import Traces

_CLOSE_S: Final = 20.0
# Between two tries to reach Kafka at the start.
_REST_S: Final = 2.0

_log = structlog.get_logger()


class Worker:
    """One worker of the group.

    Args:
        settings: all of them.
        scorer: gives verdicts; or several that do.
        metrics: counted into.
        readiness: kept up to date.
        on_outcome: called with every outcome after it was committed; must not block.
        traces: makes spans; None: nothing is traced.
        kafka: makes the clients.
        clock: tells the time.
    """

    def __init__(
        self,
        settings: Settings,
        scorer: Scorer | Scorers,
        metrics: Metrics,
        readiness: Readiness,
        *,
        on_outcome: Callable[[Outcome], None] | None = None,
        traces: Traces | None = None,
        kafka: Kafka = KAFKA,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._scorers = scorer if isinstance(scorer, Scorers) else Alone(scorer)
        self._metrics = metrics
        self._readiness = readiness
        self._on_outcome = on_outcome
        self._traces = traces
        self._wire = wire_format(settings)
        self._kafka = kafka
        self._clock = clock or SystemClock()
        self._stopping = StopFlag(self._clock)
        self._accounts = Accounts(settings, metrics)
        metrics.kafka_reachable.set_function(lambda: float(readiness.state is not State.KAFKA_UNREACHABLE))
        self._limit = DeadLetterLimit.of(settings)
        self._next_limit = self._limit
        self._cost = BatchCost()
        self._publishing_since = 0.0

    def stop(self) -> None:
        """Ask `run` to finish what it has in hand and return. Safe from any thread and from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            ConfigurationError: Kafka refuses us at the start, a topic is missing, or a Kafka key is wrong.
            FatalDeliveryError: only a person can help, or Kafka kept failing for too long.
            DeadLetterLimitError: too many records are refused; nothing of the batch that was too much is committed.
        """
        settings, name = self._settings, identity(self._settings)
        aside = ScoringThread()
        with Watchdog() as watchdog:
            subscription = self._subscription(name)
            guarantee = guarantee_for(settings, name, subscription.consumer, watchdog, self._kafka)
            try:
                self._await_topics(subscription)
                self._await_schemas()
                loop = self.loop(subscription, guarantee, aside)
                _log.info("worker started", name=name, delivery=settings.delivery.value, topics=settings.topics.inputs)
                while loop.phase is not Phase.STOPPED:
                    loop.step()
            finally:
                self._readiness.set(State.DRAINING)
                aside.close()
                with watchdog.limit(_CLOSE_S, "leaving the group"):
                    guarantee.close()
                    subscription.consumer.close()
                self._readiness.set(State.STOPPED)
                _log.info("worker stopped", name=name)

    def _await_topics(self, subscription: Subscription) -> None:
        """Wait for Kafka, however long it is away, and require the topics."""
        settings, errors = self._settings, subscription.errors
        outputs = make_admin(settings, {"error_cb": errors})
        while not self._stopping.is_set:
            try:
                require_topics(subscription.consumer, settings.topics.inputs, errors, settings)
                require_topics(outputs, output_topics(settings), errors, settings)
            except UnreachableError as error:
                if errors.refused:
                    raise
                self._readiness.set(State.KAFKA_UNREACHABLE)
                _log.warning("kafka unreachable, trying again", cause=str(error))
                self._stopping.wait(_REST_S)
            else:
                return

    def _await_schemas(self) -> None:
        """Wait for the schema registry, if there is one, and have what outputs are written by."""
        while not self._stopping.is_set:
            try:
                self._wire.prepare(verdict_topics(self._settings))
            except RegistryAwayError as error:
                self._readiness.set(State.REGISTRY_UNREACHABLE)
                _log.warning("schema registry unreachable, trying again", cause=str(error))
                self._stopping.wait(_REST_S)
            else:
                return

    def loop(self, subscription: Subscription, guarantee: Guarantee, aside: Aside) -> Loop:
        """The loop over the worker's parts."""
        return Loop(
            self._settings,
            self,
            subscription,
            guarantee,
            aside=aside,
            readiness=self._readiness,
            stopping=self._stopping,
            clock=self._clock,
        )

    def _subscription(self, name: str) -> Subscription:
        return Subscription(
            self._settings,
            name,
            self._metrics,
            self._readiness,
            stopping=self._stopping,
            clock=self._clock,
            kafka=self._kafka,
        )

    def limits(self) -> BatchLimits:
        """What bounds a batch now."""
        return self._cost.limits(self._settings.max_batch_events, self._settings.max_batch_bytes)

    def read(self, message: Message) -> tuple[Record, Event | Outcome]:
        """A record, and the event in it or what becomes of it without scoring."""
        with self._stage("decode"):
            record = record_of(message)
            if self._traces is not None:
                record = self._traces.take(record)
            now = self._clock.time()
            found = read(record, self._settings, now=_moment(now), wire=self._wire)
            if record.trace is not None:
                record.trace.note_decoded()
        if isinstance(found, Event):
            self._metrics.stage_latency.labels("wait").observe(max(0.0, now - found.occurred_at.timestamp()))
            self._begin(record, found)
        return record, found

    def _begin(self, record: Record, event: Event) -> None:
        """Set the network to work on an event before its batch is closed, unless it has enough to do already."""
        if self._scorers.seconds_left < self._settings.promise_ms / 1000:
            # What fails here fails again when its batch is scored, and becomes a dead letter there.
            with suppress(Exception):
                self._scorers.begin_event(record, event)

    def messages(self, outcomes: Sequence[Outcome]) -> list[OutputMessage]:
        """What to publish for the outcomes of a batch.

        Raises:
            DeadLetterLimitError: with these, too many records are refused.
        """
        try:
            self._next_limit = self._limit.after(outcome.dead_letter is not None for outcome in outcomes)
        except DeadLetterLimitError as error:
            raise explain_limit(error, outcomes) from None
        if self._traces is not None:
            self._traces.publish(outcomes)
        now = _moment(self._clock.time())
        messages = [message for outcome in outcomes for message in messages_of(outcome, self._settings, now=now, wire=self._wire)]
        self._publishing_since = self._clock.monotonic()
        return messages

    def failed(self, error: Exception) -> None:
        """Take note that a batch was not committed, and will be done again."""
        if self._traces is not None:
            self._traces.failed(error)

    def enter(self, outcomes: Sequence[Outcome], reason: CloseReason) -> None:
        """Count the outcomes of a batch that was committed just now."""
        if self._traces is not None:
            self._traces.committed()
        self._limit = self._next_limit
        publishing = self._clock.monotonic() - self._publishing_since
        self._metrics.stage_latency.labels("publish").observe(publishing)
        self._cost.published(publishing)
        for outcome in self._accounts.enter(outcomes, reason, now=self._clock.time()):
            if self._on_outcome is not None:
                self._on_outcome(outcome)

    def conclude(self, entries: Sequence[Entry]) -> list[Outcome]:
        """The outcome of every record, in order."""
        if self._traces is None:
            return self._conclude(entries)
        return self._traces.score((record for record, _ in entries), lambda: self._conclude(entries))

    def _conclude(self, entries: Sequence[Entry]) -> list[Outcome]:
        since = self._clock.monotonic()
        verdicts = iter(self._judge([(record, found) for record, found in entries if isinstance(found, Event)]))
        outcomes = [next(verdicts) if isinstance(found, Event) else found for _, found in entries]
        self._cost.scored(sum(len(record.value or b"") for record, _ in entries), self._clock.monotonic() - since)
        return outcomes

    def _judge(self, events: list[tuple[Record, Event]]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        with self._scorers.divide(events) as shares:
            for scorer, places in shares:
                outcomes.update(zip(places, self._score([events[at] for at in places], scorer), strict=True))
        return [outcomes[at] for at in range(len(events))]

    def _score(self, events: list[tuple[Record, Event]], scorer: Scorer) -> list[Outcome]:
        if not events:
            return []
        try:
            with self._stage("score"):
                responses = scorer.score([event.texts for _, event in events])
            now = _moment(self._clock.time())
            return [judge(*pair, response, self._settings, now=now) for pair, response in zip(events, responses, strict=True)]
        except CancelledError:
            # The model is being closed: these events are nobody's fault, and are read again.
            raise
        except Exception as error:  # noqa: BLE001 - whatever a model raises must not stop the stream
            if len(events) == 1:
                _log.warning("event can't be scored", error=type(error).__name__, event_id=events[0][1].event_id)
                return [unscorable(*events[0], error, now=_moment(self._clock.time()))]
        # One of them is poison: alone it becomes a dead letter, and the others get their verdicts.
        return [outcome for pair in events for outcome in self._score([pair], scorer)]

    @contextmanager
    def _stage(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self._metrics.stage_latency.labels(stage).observe(perf_counter() - start)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
