"""The partitions that a worker reads, and from where: assignment, going back, lag, reachability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import orjson
import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from stream_detector.errors import GaveUpError, RetryableDeliveryError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.settings import Settings
from stream_detector.streaming.clients import KAFKA, ClientErrors, Kafka, consumer_config
from stream_detector.streaming.clock import Clock, SystemClock
from stream_detector.streaming.faults import Action, action_for, delivery_error, kafka_error
from stream_detector.streaming.patience import GIVE_UP_S
from stream_detector.streaming.records import Partition
from stream_detector.streaming.stopping import StopFlag

_ONE_TRY_S: Final = 5.0
_UP: Final = ("UP", "UPDATE")

_log = structlog.get_logger()


class Subscription:
    """Owns the consumer. All callbacks run inside its `poll`, so nothing here needs a lock."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        metrics: Metrics,
        readiness: Readiness,
        *,
        stopping: StopFlag,
        clock: Clock | None = None,
        kafka: Kafka = KAFKA,
    ) -> None:
        self.errors = ClientErrors()
        self.consumer: Consumer = kafka.consumer(
            consumer_config(settings, name) | {"stats_cb": self._observe, "error_cb": self.errors}
        )
        self._topics = list(settings.topics.inputs)
        self._lag = metrics.consumer_lag
        self._paused_partitions = metrics.paused_partitions
        self._readiness = readiness
        self._stopping = stopping
        self._clock = clock or SystemClock()
        self._started = False
        self._paused = False
        self._assigned: set[Partition] = set()
        self._on_revoked: Callable[[set[Partition]], object] = set

    def start(self, on_revoked: Callable[[set[Partition]], object]) -> None:
        """Join the group, if that isn't done yet; `on_revoked` is told the partitions that go to another worker."""
        if self._started:
            return
        self._started = True
        self._on_revoked = on_revoked
        self.consumer.subscribe(self._topics, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)

    @property
    def paused(self) -> bool:
        """Whether nothing is taken for now."""
        return self._paused

    def pause(self, *, on: bool) -> None:
        """Take nothing more from any partition, or go on. The group doesn't notice: heartbeats and rebalances go on."""
        self._paused = on
        self._apply_pause([TopicPartition(*partition) for partition in self._assigned])

    def _apply_pause(self, partitions: list[TopicPartition]) -> None:
        (self.consumer.pause if self._paused else self.consumer.resume)(partitions)
        self._paused_partitions.set(len(self._assigned) if self._paused else 0)

    def rewind(self, first_offsets: Mapping[Partition, int]) -> None:
        """Go back to where a batch that failed began, in the partitions that are still this worker's.

        What the group has committed decides, not the batch: where the answer to a commit was lost, the transaction may
        have been committed all the same, and reading its records again would repeat their output.

        Raises:
            RetryableDeliveryError: Kafka can't be asked now.
        """
        mine = [TopicPartition(*partition) for partition in first_offsets if partition in self._assigned]
        if not mine:
            return
        for position in self._committed(mine, give_up_s=_ONE_TRY_S, wait_while_away=False):
            key = (position.topic, position.partition)
            # Nothing committed: the batch holds the first records that were ever read here.
            offset = position.offset if position.offset >= 0 else first_offsets[key]
            try:
                self.consumer.seek(TopicPartition(*key, offset))
            except KafkaException as exception:
                raise delivery_error(kafka_error(exception), f"going back in {key[0]}[{key[1]}]") from None

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Asked here, and again until there is an answer, because librdkafka's own asking can end in a silent restart at
        # auto.offset.reset while a dead worker's transaction is open: every record repeated.
        try:
            positions = self._committed(partitions, give_up_s=GIVE_UP_S, wait_while_away=True) if partitions else []
        except RetryableDeliveryError as error:
            if not self._stopping.is_set:
                raise GaveUpError(str(error)) from None
            # Leaving anyway. Without an assignment of ours librdkafka would make its own.
            positions = []
        consumer.incremental_assign(positions)
        self._assigned |= {(position.topic, position.partition) for position in positions}
        # Partitions stay paused through a rebalance, and new ones come running: neither need be right by now.
        self._apply_pause(positions)
        self._readiness.set(State.READY)
        _log.info("partitions assigned", count=len(positions), total=len(self._assigned))

    def _revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(partition.topic, partition.partition) for partition in partitions}
        self._assigned -= gone
        for topic, number in gone:
            # Another worker reports these from now on.
            self._lag.remove(topic, str(number))
        self._on_revoked(gone)
        self._paused_partitions.set(len(self._assigned) if self._paused else 0)
        _log.info("partitions revoked", count=len(gone), total=len(self._assigned))

    def _committed(self, partitions: list[TopicPartition], *, give_up_s: float, wait_while_away: bool) -> list[TopicPartition]:
        cause, away = "no answer", False
        end = self._clock.monotonic() + give_up_s
        while not self._stopping.is_set and self._clock.monotonic() < end:
            try:
                positions = self.consumer.committed(partitions, timeout=2)
            except KafkaException as exception:
                error = kafka_error(exception)
            else:
                faults = [position.error for position in positions if position.error is not None]
                if not faults:
                    return positions
                error = faults[0]
            action = action_for(error)[0]
            if action in (Action.STOP, Action.RESTART):
                raise delivery_error(error, "reading committed offsets") from None
            cause, away = error.name(), action.away
            if away and wait_while_away:
                end = self._clock.monotonic() + give_up_s
            if self._readiness.set(State.KAFKA_UNREACHABLE):
                _log.warning("committed offsets can't be read yet", cause=cause)
            self._stopping.wait(0.1)
        raise RetryableDeliveryError(
            f"reading committed offsets: {self.errors.explain(cause)}; Kafka is down, or a transaction on the group's offsets"
            " hangs (kafka-transactions.sh find-hanging)",
            away=away,
        )

    def _observe(self, statistics: str) -> None:
        """Take lag and reachability from librdkafka's statistics: no call to the broker, no cost in the loop."""
        document = orjson.loads(statistics)
        reachable = any(broker["state"] in _UP for broker in document["brokers"].values())
        if not reachable:
            if self._readiness.set(State.KAFKA_UNREACHABLE):
                _log.warning("kafka unreachable", cause=self.errors.explain("no broker is up"))
        elif document["cgrp"]["join_state"] == "steady" and self._readiness.set(State.READY):
            _log.info("kafka reachable, member of the group")
        for topic, partition in self._assigned:
            figures = document["topics"].get(topic, {}).get("partitions", {}).get(str(partition))
            if figures is not None:
                self._lag.labels(topic, str(partition)).set(_lag(figures))


def _lag(figures: Mapping[str, int]) -> int:
    """Records not yet taken; -1 if unknown.

    Statistics have a lag of their own, but it counts from the last commit that the consumer made itself: in
    transactions the producer commits, and that lag stays unknown forever.
    """
    end, taken, read = figures["ls_offset"], figures["app_offset"], figures["next_offset"]
    if end < 0:
        return -1
    if figures["fetchq_cnt"] == 0 and read >= end:
        # All is taken; what the offsets still differ by are transaction markers, which nobody ever takes.
        return 0
    return max(0, end - (taken if taken >= 0 else read - figures["fetchq_cnt"]))
