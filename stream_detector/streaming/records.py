"""What happens to one record: pure functions from what was read to what is published. Nothing here calls Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from confluent_kafka import Message

from stream_detector.contracts import (
    DeadLetter,
    Event,
    EventType,
    Headers,
    Label,
    Score,
    ScoringResponse,
    Source,
    Violation,
    carried,
    score_of,
    violation_of,
)
from stream_detector.contracts.wire import PLAIN, WireFormat
from stream_detector.errors import DecodeError, DecodeReason, FatalDeliveryError
from stream_detector.settings import Settings, TopicSettings

if TYPE_CHECKING:
    from stream_detector.streaming.traces import EventTrace

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read; `trace` where it is one that is traced."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    trace: EventTrace | None = field(default=None, compare=False, repr=False)

    @property
    def origin(self) -> Partition:
        """The partition that it was read from."""
        return self.topic, self.partition

    @property
    def source(self) -> Source:
        """Where it was read, as outputs name it."""
        return Source(topic=self.topic, partition=self.partition, offset=self.offset)


def record_of(message: Message) -> Record:
    """The record in a message that a consumer returned."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise FatalDeliveryError("reading from Kafka: a message without topic, partition or offset")
    # The type says that header values may be text; a consumer only ever gives bytes.
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return Record(topic, partition, offset, message.key(), message.value(), tuple(headers))


@dataclass(frozen=True, slots=True)
class OutputMessage:
    """A message to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class OutcomeKind(StrEnum):
    """What became of a record: the `outcome` label of a metric."""

    VIOLATION = "violation"
    CLEAN = "clean"
    DEAD_LETTER = "dead_letter"
    TOMBSTONE = "tombstone"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a record.

    Attributes:
        latency_s: from the event's occurrence to its outcome being published and committed; None before that, and for a
            record without a time of occurrence.
    """

    record: Record
    kind: OutcomeKind
    event: Event | None = None
    response: ScoringResponse | None = None
    violation: Violation | None = None
    dead_letter: DeadLetter | None = None
    latency_s: float | None = None


def read(record: Record, settings: Settings, *, now: datetime, wire: WireFormat = PLAIN) -> Event | Outcome:
    """The event in a record if it is to be scored, else what became of the record.

    Raises:
        RegistryAwayError: the schema registry must be asked, and doesn't answer.
    """
    if record.value is None:
        # A compacted topic's way to say that the thing is gone: there is no text in it, and nothing wrong with it.
        return Outcome(record, OutcomeKind.TOMBSTONE)
    try:
        event = wire.read(Event, record.value, record.headers, max_bytes=settings.max_event_bytes)
    except DecodeError as error:
        return refuse(record, error, now=now)
    if event.event_type not in settings.policy.event_types:
        return Outcome(record, OutcomeKind.SKIPPED, event)
    return event


def refuse(record: Record, error: DecodeError, *, event: Event | None = None, now: datetime) -> Outcome:
    """The outcome for a record that can't be read or scored."""
    letter = DeadLetter.of(record.key, record.value, record.headers, source=record.source, error=error, timestamp=now)
    return Outcome(record, OutcomeKind.DEAD_LETTER, event, dead_letter=letter)


def unscorable(record: Record, event: Event, error: Exception, *, now: datetime) -> Outcome:
    """The outcome for an event that the model failed on. Only the error's type is told: its message may quote the text."""
    fault = DecodeError(
        DecodeReason.SCORING_FAILED, f"scoring raised {type(error).__name__}; the worker's model failed on it, replay it later"
    )
    return refuse(record, fault, event=event, now=now)


def judge(record: Record, event: Event, response: ScoringResponse, settings: Settings, *, now: datetime) -> Outcome:
    """The outcome for a scored event."""
    if response.score_details.label is not Label.FRAUD:
        return Outcome(record, OutcomeKind.CLEAN, event, response)
    violation = violation_of(event, response, record.source, detected_at=now, include_text=settings.include_text)
    return Outcome(record, OutcomeKind.VIOLATION, event, response, violation)


def messages_of(outcome: Outcome, settings: Settings, *, now: datetime, wire: WireFormat = PLAIN) -> list[OutputMessage]:
    """What to publish for an outcome."""
    record, topics = outcome.record, settings.topics
    if outcome.dead_letter is not None:
        topic = topics.dead_letters_of(record.topic)
        headers = outcome.dead_letter.to_headers()
        if record.trace is not None:
            headers += record.trace.beside_dead_letter()
        return [OutputMessage(topic, record.key, record.value, headers)]
    messages = []
    if outcome.violation is not None:
        messages.append(_verdict_message(topics.violations, record, outcome.violation, settings, wire))
    if settings.publish_scores and outcome.event is not None and outcome.response is not None:
        score = score_of(
            outcome.event, outcome.response, record.source, detected_at=now, include_text=settings.include_text
        )  # fmt: skip
        messages.append(_verdict_message(topics.scores, record, score, settings, wire))
    return messages


def event_type_of(outcome: Outcome, topics: TopicSettings) -> str:
    """The event type to count a record under: its own, or the one that its topic is for where it couldn't be read."""
    if outcome.event is not None:
        return outcome.event.event_type.value
    expected = {
        topics.bookings: EventType.BOOKING,
        topics.listing_updates: EventType.LISTING_UPDATE,
        topics.client_updates: EventType.CLIENT_UPDATE,
    }
    return expected[outcome.record.topic].value


def _verdict_message(topic: str, record: Record, verdict: Violation | Score, settings: Settings, wire: WireFormat) -> OutputMessage:
    # The record's key and headers go along: the key keeps a thing's verdicts in order, traceparent joins the traces.
    headers = carried(record.headers)
    if record.trace is not None:
        headers = record.trace.outgoing(headers)
    value, headers = wire.write(verdict, topic, headers, settings.cloud_events)
    return OutputMessage(topic, record.key, value, headers)
