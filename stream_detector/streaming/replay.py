"""Replaying dead letters: back to the partition that each came from, once.

A record goes back in one transaction with a note of it on the replays topic, which is compacted and never forgets. So
either both are there or neither; and because all replays of a group share one transactional id, a second one that runs at
the same time fences the first before it reads the notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_detector.contracts import format_timestamp
from stream_detector.errors import DeliveryError, FatalDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import TRANSACTION_TIMEOUT_S, ClientErrors, make_producer, replay_config
from stream_detector.streaming.faults import delivery_error, kafka_error
from stream_detector.streaming.letters import Address, Letter
from stream_detector.streaming.reading import Reader
from stream_detector.streaming.topics import create_replays_topic

REPLAYED_HEADER: Final = "dlq.replayed"
_MOST_AT_ONCE: Final = 100
_MOST_BYTES_AT_ONCE: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one letter: `at` is when it had been replayed before, None if it was replayed now."""

    letter: Letter
    before: str | None = None


def replayed_before(reader: Reader, settings: Settings) -> dict[Address, str]:
    """When which dead letters were replayed."""
    topic = settings.topics.replays
    if not reader.exists(topic):
        return {}
    notes = {}
    for item in reader.read(reader.whole(topic)):
        key, value = item.record.key, item.record.value
        if key is not None and value is not None:
            notes[Address.parse(key.decode())] = str(orjson.loads(value).get("replayedAt"))
    return notes


class Replay:
    """Replays letters while in a with statement.

    Raises:
        DeliveryError: Kafka refuses, or another replay has taken over. What was reported as replayed is; the rest can be
            replayed by calling again.
    """

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self._reader = reader
        self._settings = settings
        self._errors = ClientErrors()
        self._producer: Producer = make_producer(replay_config(settings) | {"error_cb": self._errors})
        self._before: dict[Address, str] = {}

    def __enter__(self) -> Self:
        """Fence off any other replay, then read what was replayed before."""
        if not self._reader.exists(self._settings.topics.replays):
            create_replays_topic(self._settings)
        try:
            self._producer.init_transactions(TRANSACTION_TIMEOUT_S + 5)
        except KafkaException as exception:
            raise delivery_error(kafka_error(exception), self._errors.explain("starting to replay")) from None
        self._before = replayed_before(self._reader, self._settings)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the producer; what it still holds isn't sent."""
        self._producer.purge()

    def run(self, letters: Iterable[Letter], *, force: bool) -> Iterator[Replayed]:
        """Replay letters; those that were replayed before only by force."""
        batch: list[Letter] = []
        size = 0
        for letter in letters:
            before = self._before.get(letter.address)
            if before is not None and not force:
                yield Replayed(letter, before)
                continue
            batch.append(letter)
            size += len(letter.content.value or b"")
            if len(batch) >= _MOST_AT_ONCE or size >= _MOST_BYTES_AT_ONCE:
                yield from self._send(batch)
                batch, size = [], 0
        if batch:
            yield from self._send(batch)

    def _send(self, batch: list[Letter]) -> list[Replayed]:
        refusals: list[DeliveryError] = []

        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None and not error.name().startswith("_PURGE"):
                refusals.append(delivery_error(error, f"replaying to {message.topic()}"))

        now = format_timestamp(datetime.now(UTC))
        producer = self._producer
        try:
            producer.begin_transaction()
            for letter in batch:
                content, source = letter.content, letter.content.source
                mark = str(letter.address).encode()
                headers: list[tuple[str, str | bytes | None]] = [*content.headers, (REPLAYED_HEADER, mark)]
                producer.produce(
                    source.topic, content.value, content.key, partition=source.partition, headers=headers, on_delivery=report
                )
                note = orjson.dumps({"deadLetter": str(letter.address), "replayedTo": source.topic, "replayedAt": now})
                producer.produce(self._settings.topics.replays, note, mark, on_delivery=report)
            producer.commit_transaction(TRANSACTION_TIMEOUT_S)
        except KafkaException as exception:
            raise self._failure(kafka_error(exception), refusals) from None
        self._before |= {letter.address: now for letter in batch}
        return [Replayed(letter) for letter in batch]

    def _failure(self, error: KafkaError, refusals: list[DeliveryError]) -> DeliveryError:
        if error.name() in ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"):
            return FatalDeliveryError("replaying: another replay of this group has taken over; see dlq list for what it has done")
        return refusals[0] if refusals else delivery_error(error, self._errors.explain("replaying"))
