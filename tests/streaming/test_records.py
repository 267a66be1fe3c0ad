"""What becomes of one record."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from stream_detector.contracts import Event, EventType, Score, Violation, decode
from stream_detector.errors import DecodeReason
from stream_detector.settings import PolicySettings, Settings
from stream_detector.streaming.records import (
    Outcome,
    OutcomeKind,
    Record,
    event_type_of,
    judge,
    messages_of,
    read,
    unscorable,
)
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SETTINGS = Settings()
HEADERS = (("traceparent", b"00-1-2-01"), ("dlq.reason", b"an earlier one"), ("none", None))


def record(value: bytes | None, topic: str = "listing-updates") -> Record:
    """A record of a topic."""
    return Record(topic, 3, 42, b"key\xff", value, HEADERS)


def scored(text: str, settings: Settings = SETTINGS) -> Outcome:
    """The outcome for an event with a text."""
    given = record(event(1, text=text))
    found = read(given, settings, now=NOW)
    assert isinstance(found, Event)
    return judge(given, found, respond(found.texts), settings, now=NOW)


def test_a_tombstone_is_no_fault() -> None:
    """A null value says that a thing is gone: it is counted and gives no output."""
    outcome = read(record(None), SETTINGS, now=NOW)
    assert isinstance(outcome, Outcome)
    assert outcome.kind is OutcomeKind.TOMBSTONE
    assert messages_of(outcome, SETTINGS, now=NOW) == []


def test_disabled_event_types_are_skipped() -> None:
    """Events of a type that isn't scored are counted under it, and give no output, not even a score."""
    settings = Settings(policy=PolicySettings(event_types=(EventType.BOOKING,)), publish_scores=True)
    outcome = read(record(event(1, text=FRAUD)), settings, now=NOW)
    assert isinstance(outcome, Outcome)
    assert outcome.kind is OutcomeKind.SKIPPED
    assert event_type_of(outcome, settings.topics) == "listing-update"
    assert messages_of(outcome, settings, now=NOW) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", DecodeReason.EMPTY_VALUE),
        (b"{", DecodeReason.INVALID_JSON),
        (b"x" * (SETTINGS.max_event_bytes + 1), DecodeReason.OVERSIZE),
        (event(1).replace(b'"partnerId"', b'"partner"'), DecodeReason.MISSING_FIELD),
    ],
)
def test_a_dead_letter_is_the_record_and_why(value: bytes, reason: DecodeReason) -> None:
    """Key, value and the record's own headers go on unchanged; why it was refused is told beside them."""
    outcome = read(record(value), SETTINGS, now=NOW)
    assert isinstance(outcome, Outcome)
    (message,) = messages_of(outcome, SETTINGS, now=NOW)
    assert (message.topic, message.key, message.value) == ("listing-updates.dlq", b"key\xff", value)
    assert list(message.headers[:2]) == [("traceparent", b"00-1-2-01"), ("none", None)]
    why = dict(message.headers[2:])
    assert why["dlq.reason"] == reason.value.encode()
    assert (why["dlq.source.topic"], why["dlq.source.partition"], why["dlq.source.offset"]) == (b"listing-updates", b"3", b"42")
    assert why["dlq.timestamp"] == b"2026-11-24T10:00:00.000Z"


@pytest.mark.parametrize(("topic", "expected"), [("bookings", "booking"), ("client-updates", "client-update")])
def test_an_unreadable_record_counts_for_its_topic(topic: str, expected: str) -> None:
    """What couldn't be read still shows at the producer that sent it."""
    outcome = read(record(b"?", topic), SETTINGS, now=NOW)
    assert isinstance(outcome, Outcome)
    assert event_type_of(outcome, SETTINGS.topics) == expected


def test_a_violation_carries_key_headers_and_texts() -> None:
    """What a reviewer and a tracer need goes along."""
    outcome = scored(f"call me on {FRAUD}")
    assert outcome.kind is OutcomeKind.VIOLATION
    (message,) = messages_of(outcome, SETTINGS, now=NOW)
    violation = decode(Violation, message.value or b"")
    assert (message.topic, message.key, message.headers) == ("violations", b"key\xff", HEADERS)
    assert violation.attributes == {"description": f"call me on {FRAUD}"}
    assert (violation.source.partition, violation.source.offset, violation.detected_at) == (3, 42, NOW)


def test_the_same_record_gives_the_same_violation() -> None:
    """Under at-least-once a subscriber drops repetitions by their id."""
    first, second = scored(FRAUD).violation, scored(FRAUD).violation
    assert first is not None
    assert second is not None
    assert first.violation_id == second.violation_id


def test_texts_stay_at_home_where_they_should() -> None:
    """With include_text off no text leaves in a violation or a score."""
    settings = Settings(include_text=False, publish_scores=True)
    messages = messages_of(scored(f"secret {FRAUD}", settings), settings, now=NOW)
    assert [message.topic for message in messages] == ["violations", "scores"]
    assert not any(b"secret" in (message.value or b"") for message in messages)


def test_scores_tell_of_every_verdict() -> None:
    """With publish_scores a clean event has a score and nothing else; without, nothing."""
    settings = Settings(publish_scores=True)
    (message,) = messages_of(scored("quiet", settings), settings, now=NOW)
    assert message.topic == "scores"
    assert decode(Score, message.value or b"").score_details.label == "NonFraud"
    assert messages_of(scored("quiet"), SETTINGS, now=NOW) == []


def test_a_failure_of_the_model_quotes_nothing() -> None:
    """An exception's message may hold the text: only its type is told."""
    given = record(event(1, text="my secret"))
    found = read(given, SETTINGS, now=NOW)
    assert isinstance(found, Event)
    outcome = unscorable(given, found, ValueError("can't read 'my secret'"), now=NOW)
    (message,) = messages_of(outcome, SETTINGS, now=NOW)
    headers = dict(message.headers)
    assert headers["dlq.reason"] == b"scoring_failed"
    assert b"ValueError" in (headers["dlq.error"] or b"")
    assert b"secret" not in orjson.dumps([str(value) for _, value in message.headers])
