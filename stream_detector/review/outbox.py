"""The store's decisions into Kafka, each review exactly once.

Reviews are rows with rising numbers. A transaction in Kafka holds some of them in that order and, as the committed offset of a
group that nobody joins, the number of the last one: both are there or neither. Only then does the store note that number. After
a crash between the two the store asks Kafka, whose answer is the truth.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from sqlalchemy import insert, select, update

from stream_detector.contracts import Decision, Reason, Review, Violation, encode, review_id
from stream_detector.errors import RetryableDeliveryError
from stream_detector.observability import Metrics
from stream_detector.review.database import AnyRow, moment
from stream_detector.review.lease import Lease
from stream_detector.review.reading import spans_in, violation_in
from stream_detector.review.schema import DecisionRow, MarkRow, OutboxRow, ViolationRow
from stream_detector.review.store import Store
from stream_detector.settings import Delivery, Settings
from stream_detector.streaming.clients import KAFKA, Kafka, reader_config
from stream_detector.streaming.delivery import ExactlyOnce
from stream_detector.streaming.faults import delivery_error, kafka_error
from stream_detector.streaming.records import OutputMessage
from stream_detector.streaming.watchdog import Watchdog

_BATCH: Final = 200
_CALL_S: Final = 10.0
#: A dead console's open transaction is over after its own time-out.
_STABLE_S: Final = 30.0
_PUBLISHED: Final = "published_sequence"

_log = structlog.get_logger()


class Outbox:
    """Publishes what was decided.

    Args:
        settings: where Kafka is, and the topic's name.
        store: whose decisions.
        lease: without it nothing is published.
        watchdog: for calls that hang.
        metrics: where reviews are counted.
        kafka: what makes the clients.
    """

    def __init__(
        self, settings: Settings, store: Store, lease: Lease, watchdog: Watchdog, metrics: Metrics, kafka: Kafka = KAFKA
    ) -> None:
        self._store = store
        self._lease = lease
        self._metrics = metrics
        self._topic = settings.topics.reviews
        self._settings = settings.model_copy(update={"delivery": Delivery.EXACTLY_ONCE})
        self._watchdog = watchdog
        self._kafka = kafka
        self._consumer: Consumer | None = None
        self._delivery: ExactlyOnce | None = None
        self._published: int | None = None

    def step(self) -> int:
        """Publish what is due, at most a batch; how many reviews it was.

        Raises:
            DeliveryError: Kafka can't be written; with whether trying again can help.
            LeaseLostError: another console does this now.
        """
        # Before Kafka is asked for anything: a store without decisions needs no producer.
        if self._published is None and not self._waiting():
            return 0
        published, delivery = self._begin()
        rows = self._rows(published)
        if not rows:
            return 0
        reviews = [_review_of(row, violation) for row, violation in rows]
        messages = [OutputMessage(self._topic, review.partner_id.encode(), encode(review), ()) for review in reviews]
        last = rows[-1][0].sequence
        # The offset of a partition that this group doesn't read: nothing but a number that is committed with the messages.
        mark = TopicPartition(self._topic, 0, last, reviews[-1].review_id)
        self._published = None  # unknown until the transaction's end is
        delivery.deliver(messages, [mark])
        self._note(last)
        for (_, violation), review in zip(rows, reviews, strict=True):
            kinds = {item.kind.value for item in violation.score_details.evidence} or {"none"}
            for kind in kinds:
                self._metrics.reviews.labels(review.decision.value, review.event_type.value, kind).inc()
        return len(rows)

    def close(self) -> None:
        """Let go of the clients."""
        if self._delivery is not None:
            self._delivery.close()
        if self._consumer is not None:
            self._consumer.close()

    def _begin(self) -> tuple[int, ExactlyOnce]:
        """Have a producer that is alone in its name, and know up to where it is published."""
        if self._delivery is None or self._consumer is None:
            name = f"console-{self._mark('store_id')}"
            group = {"group.id": f"{self._settings.group_id}-{name}"}
            self._consumer = self._kafka.consumer(reader_config(self._settings) | group)
            self._delivery = ExactlyOnce(self._settings, name, self._consumer, self._watchdog, self._kafka)
        # Waits for the end of whatever transaction is left from before, and fences whoever began it.
        self._delivery.recover()
        if self._published is None:
            # Whoever had the lease before may have published what this one is about to.
            self._lease.renew()
            self._published = self._reconcile(self._consumer)
        return self._published, self._delivery

    def _reconcile(self, consumer: Consumer) -> int:
        noted = int(self._mark(_PUBLISHED) or 0)
        in_kafka, last_review = self._committed(consumer)
        if in_kafka <= noted:
            return noted
        if self._names(in_kafka, last_review):
            self._note(in_kafka)
            return in_kafka
        return self._under_a_new_name()

    def _committed(self, consumer: Consumer) -> tuple[int, str | None]:
        """The number that Kafka holds, and the review that it is of."""
        end = time.monotonic() + _STABLE_S
        while True:
            try:
                with self._watchdog.limit(2 * _CALL_S, "asking for what is published"):
                    (found,) = consumer.committed([TopicPartition(self._topic, 0)], timeout=_CALL_S)
            except KafkaException as exception:
                raise delivery_error(kafka_error(exception), "asking for what is published") from None
            if found.error is None:
                return max(0, found.offset), found.metadata
            if time.monotonic() > end:
                raise delivery_error(found.error, "asking for what is published")
            time.sleep(0.2)

    def _names(self, sequence: int, review: str | None) -> bool:
        """Whether the store has the review that Kafka says it published under this number."""
        query = (
            select(OutboxRow.violation_id, DecisionRow.revision)
            .join(DecisionRow, DecisionRow.decision_id == OutboxRow.decision_id)
            .where(OutboxRow.sequence == sequence)
        )
        with self._store.database.read() as connection:
            row = connection.execute(query).one_or_none()
        return row is not None and review_id(row.violation_id, row.revision) == review

    def _under_a_new_name(self) -> int:
        """The store is older than what it has published: it was put back from a copy. Its numbers start anew."""
        _log.warning(
            "the store is older than what it has published, so it was put back from a copy; it goes on under a new name",
            remedy="reviews published since the copy may come twice, under the same reviewId; decisions since then are only in the topic",
        )
        with self._store.database.write() as connection:
            self._lease.hold(connection)
            connection.execute(update(MarkRow).where(MarkRow.name == "store_id").values(value=secrets.token_hex(8)))
        self.close()
        self._consumer = self._delivery = None
        raise RetryableDeliveryError("publishing reviews: the store has a new name in Kafka; trying again")

    def _waiting(self) -> bool:
        with self._store.database.read() as connection:
            last = connection.scalar(select(OutboxRow.sequence).order_by(OutboxRow.sequence.desc()).limit(1))
        return (last or 0) > int(self._mark(_PUBLISHED) or 0)

    def _rows(self, after: int) -> list[tuple[AnyRow, Violation]]:
        query = (
            select(
                OutboxRow.sequence,
                DecisionRow.revision,
                DecisionRow.decision,
                DecisionRow.reason,
                DecisionRow.spans,
                DecisionRow.reviewer,
                DecisionRow.decided_ms,
                ViolationRow.document,
            )
            .join(DecisionRow, DecisionRow.decision_id == OutboxRow.decision_id)
            .join(ViolationRow, ViolationRow.violation_id == OutboxRow.violation_id)
            .where(OutboxRow.sequence > after)
            .order_by(OutboxRow.sequence)
            .limit(_BATCH)
        )
        with self._store.database.read() as connection:
            return [(row, violation_in(row.document)) for row in connection.execute(query)]

    def _note(self, sequence: int) -> None:
        with self._store.database.write() as connection:
            self._lease.hold(connection)
            noted = update(MarkRow).where(MarkRow.name == _PUBLISHED).values(value=str(sequence))
            if not connection.execute(noted).rowcount:
                connection.execute(insert(MarkRow).values(name=_PUBLISHED, value=str(sequence)))
        self._published = sequence

    def _mark(self, name: str) -> str | None:
        with self._store.database.read() as connection:
            return connection.scalar(select(MarkRow.value).where(MarkRow.name == name))


def _review_of(row: AnyRow, violation: Violation) -> Review:
    return Review(
        review_id=review_id(violation.violation_id, row.revision),
        violation_id=violation.violation_id,
        revision=row.revision,
        decision=Decision(row.decision),
        reason=Reason(row.reason) if row.reason else None,
        spans=spans_in(row.spans),
        partner_id=violation.partner_id,
        listing_id=violation.listing_id,
        event_type=violation.event_type,
        occurred_at=violation.occurred_at,
        reviewer=row.reviewer,
        decided_at=moment(row.decided_ms),
    )
