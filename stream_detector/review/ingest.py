"""Kafka into the store: violations and repeat offenders, with their offsets in the same transaction as their rows.

No group is joined and nothing is committed to Kafka: where reading goes on is what the store says. So a crash at any instruction
loses nothing and repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stream_detector.contracts import RepeatOffender, Violation, WireModel
from stream_detector.errors import ConfigurationError, DecodeError
from stream_detector.registry import wire_format
from stream_detector.review.database import milliseconds
from stream_detector.review.lease import Lease
from stream_detector.review.schema import OffenderRecord, PositionRow
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.streaming.clients import KAFKA, ClientErrors, Kafka, reader_config
from stream_detector.streaming.faults import delivery_error, kafka_error
from stream_detector.streaming.records import Record, record_of

_BATCH: Final = 500
_CALL_S: Final = 10.0
#: How often the topics' partitions are looked at again.
_LOOK_EVERY_S: Final = 60.0
#: A violation carries its event's texts and evidence on them. Whatever the broker took is read.
_LARGEST: Final = 1 << 30

_log = structlog.get_logger()
Model = TypeVar("Model", bound=WireModel)
Partition = tuple[str, int]


class Ingest:
    """Reads what is new.

    Args:
        settings: where Kafka is, and the topics' names.
        store: where it goes.
        lease: without it nothing is written.
        kafka: what makes the consumer.
    """

    def __init__(self, settings: Settings, store: Store, lease: Lease, kafka: Kafka = KAFKA) -> None:
        self._settings = settings
        self._store = store
        self._lease = lease
        self._wire = wire_format(settings)
        self._errors = ClientErrors()
        config = reader_config(settings) | {"error_cb": self._errors, "client.id": "stream-detector-console"}
        self._consumer: Consumer = kafka.consumer(config)
        self._assigned: set[Partition] = set()
        self._looked_at = -_LOOK_EVERY_S

    def step(self, timeout_s: float) -> int:
        """Read what is there now, waiting so long for the first of it, and store it; how many records it was.

        Raises:
            ConfigurationError: a topic is missing.
            DeliveryError: Kafka can't be read; with whether trying again can help.
            LeaseLostError: another console does this now.
        """
        self._assign()
        try:
            messages = self._consumer.consume(_BATCH, timeout=timeout_s)
        except KafkaException as exception:
            raise delivery_error(kafka_error(exception), "reading violations") from None
        records = [record_of(message) for message in messages if self._is_record(message)]
        if records:
            self._write(records)
        return len(records)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _assign(self) -> None:
        """Take partitions that are new, each from where the store says."""
        if time.monotonic() < self._looked_at + _LOOK_EVERY_S:
            return
        there = {(topic, partition) for topic in self._topics() for partition in self._partitions(topic)}
        new = there - self._assigned
        if new:
            with self._store.database.read() as connection:
                positions = _positions(connection)
            found = [TopicPartition(*key, positions.get(key, OFFSET_BEGINNING)) for key in sorted(new)]
            self._consumer.incremental_assign(found)
            self._assigned |= new
        self._looked_at = time.monotonic()

    def _topics(self) -> tuple[str, ...]:
        return self._settings.topics.violations, self._settings.topics.repeat_offenders

    def _partitions(self, topic: str) -> list[int]:
        try:
            found = self._consumer.list_topics(topic, timeout=_CALL_S).topics[topic]
        except KafkaException as exception:
            self._consumer.poll(0)  # serves the error callback, which knows the cause
            raise delivery_error(kafka_error(exception), self._errors.explain("asking for topics")) from None
        if found.error is None:
            return sorted(found.partitions)
        if topic == self._settings.topics.repeat_offenders:
            # There is none where nobody runs the aggregation; it may come.
            return []
        raise ConfigurationError(
            f"topics.violations: {topic}: {found.error.name()}; create it with stream-detector topics create, or correct its name"
        )

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return False
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its public name
            self._begin_again(message)
            return False
        raise delivery_error(error, f"reading {message.topic()}")

    def _begin_again(self, message: Message) -> None:
        """The store's offset isn't there: the topic was made anew, or its records were deleted before they were read.

        Reading begins with the oldest that there is. What was read before is known by its id.
        """
        _log.error(
            "the offset to read on from is not in the topic; reading from its beginning",
            topic=message.topic(),
            partition=message.partition(),
            remedy="if the topic was not made anew, violations were deleted before the console read them: lengthen its retention",
        )
        topic, partition = message.topic(), message.partition()
        if topic is not None and partition is not None:
            self._consumer.incremental_unassign([TopicPartition(topic, partition)])
            self._consumer.incremental_assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])

    def _write(self, records: Sequence[Record]) -> None:
        topics = self._settings.topics
        violations = list(self._decoded(Violation, [record for record in records if record.topic == topics.violations]))
        offenders = list(self._decoded(RepeatOffender, [record for record in records if record.topic == topics.repeat_offenders]))
        positions = {record.origin: record.offset + 1 for record in records}
        with self._store.database.write() as connection:
            self._lease.hold(connection)
            _advance(connection, positions)
            _report(connection, offenders)
            taken = self._store.take(connection, violations)
        _log.debug("stored", violations=taken.violations, repeated=taken.repeated, cases=taken.cases, offenders=len(offenders))

    def _decoded(self, model: type[Model], records: Iterable[Record]) -> Iterable[Model]:
        for record in records:
            if record.value is None:
                continue
            try:
                yield self._wire.read(model, record.value, record.headers, max_bytes=_LARGEST)
            except DecodeError as error:
                # The worker writes none such; whoever did must know, and the others must not wait for it.
                _log.error(
                    "a record can't be read and is passed over",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    reason=error.reason.value,
                    error=str(error),
                )


def _positions(connection: Connection) -> dict[Partition, int]:
    query = select(PositionRow.topic, PositionRow.partition, PositionRow.next_offset)
    return {(row.topic, row.partition): row.next_offset for row in connection.execute(query)}


def _advance(connection: Connection, positions: dict[Partition, int]) -> None:
    for (topic, partition), offset in sorted(positions.items()):
        where = (PositionRow.topic == topic, PositionRow.partition == partition)
        if not connection.execute(update(PositionRow).where(*where).values(next_offset=offset)).rowcount:
            connection.execute(_insert(connection, PositionRow).values(topic=topic, partition=partition, next_offset=offset))


def _report(connection: Connection, offenders: Sequence[RepeatOffender]) -> None:
    """Keep the newest report by partner and length of window; the later record is the newer one."""
    for offender in offenders:
        values = {
            "level": offender.level,
            "points": offender.points,
            "violations": offender.violations,
            "listings": offender.listings,
            "contacts": offender.contacts,
            "window_start_ms": milliseconds(offender.window_start),
            "window_end_ms": milliseconds(offender.window_end),
            "reported_ms": milliseconds(offender.reported_at),
        }
        key = {"partner_id": offender.partner_id, "window_length": offender.window_length}
        connection.execute(
            _insert(connection, OffenderRecord).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
        )


def _insert(connection: Connection, table: type[Any]) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
