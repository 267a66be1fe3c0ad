"""Violations, scores and dead letters: what subscribers and operators rely on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import (
    DeadLetter,
    Event,
    Headers,
    Source,
    Violation,
    decode,
    encode,
    score_of,
    verdict_id,
    violation_of,
)
from stream_detector.errors import DecodeError, DecodeReason
from tests.contracts.examples import EVENT, response

NOW = datetime(2026, 11, 23, 10, 0, 0, 120_000, tzinfo=UTC)
SOURCE = Source(topic="bookings", partition=3, offset=41)
EVENT_MODEL = decode(Event, json.dumps(EVENT).encode())


def test_the_same_record_gives_the_same_id() -> None:
    """A subscriber drops repetitions by it: tries, times and verdicts don't change it."""
    first = violation_of(EVENT_MODEL, response(), SOURCE, detected_at=NOW, include_text=True)
    again = violation_of(
        EVENT_MODEL,
        response(probability_score="5.00e-01"),
        SOURCE,
        detected_at=datetime(2027, 1, 1, tzinfo=UTC),
        include_text=False,
    )
    assert first.violation_id == again.violation_id
    assert first.violation_id == "9ac52156-b560-53a0-a999-129355bfcdac"


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ({"topic": "client-updates"}, {}),
        ({"partition": 4}, {}),
        ({"offset": 42}, {}),
        ({}, {"model_code": "OTHER"}),
        ({}, {"model_version": "1.1"}),
        ({}, {"refresh_version": "v20261125"}),
    ],
)
def test_another_record_or_model_gives_another_id(source: dict[str, object], changes: dict[str, str]) -> None:
    """Each part of the identity counts."""
    assert verdict_id(SOURCE.model_copy(update=source), response(**changes)) != verdict_id(SOURCE, response())


def test_violation_carries_the_event_and_the_response() -> None:
    """A reviewer has all in one document; the wire spelling is the contract's."""
    violation = violation_of(EVENT_MODEL, response(), SOURCE, detected_at=NOW, include_text=True)
    wire = json.loads(encode(violation))
    assert wire["source"] == {"topic": "bookings", "partition": 3, "offset": 41}
    assert wire["attributes"] == {"listingDescription": "A flat by the sea."}
    assert wire["detectedAt"] == "2026-11-23T10:00:00.120Z"
    assert {"violationId", "eventId", "eventType", "partnerId", "listingId", "occurredAt", "modelCode", "scoreDetails"} <= set(wire)
    assert decode(Violation, encode(violation)) == violation


def test_text_stays_at_home_where_the_setting_says_so() -> None:
    """include_text off: no attribute's text and no empty placeholder for it."""
    violation = violation_of(EVENT_MODEL, response(), SOURCE, detected_at=NOW, include_text=False)
    assert b"attributes" not in encode(violation)


def test_score_has_the_violations_shape() -> None:
    """The same document, with verdictId in place of violationId, and the same id."""
    violation = json.loads(encode(violation_of(EVENT_MODEL, response(), SOURCE, detected_at=NOW, include_text=True)))
    score = json.loads(encode(score_of(EVENT_MODEL, response(), SOURCE, detected_at=NOW, include_text=True)))
    assert score.pop("verdictId") == violation.pop("violationId")
    assert score == violation


def _letter(headers: Headers, key: bytes | None = b"k", value: bytes | None = b"v") -> DeadLetter:
    error = DecodeError(DecodeReason.WRONG_TYPE, "has the wrong type; send a string", field="attributes.größe")
    return DeadLetter.of(key, value, headers, source=SOURCE, error=error, timestamp=NOW)


def test_dead_letter_says_why_and_whence() -> None:
    """The six headers that the command line explains and replays by."""
    assert _letter([]).to_headers() == [
        ("dlq.reason", b"wrong_type"),
        ("dlq.error", "attributes.größe: has the wrong type; send a string".encode()),
        ("dlq.source.topic", b"bookings"),
        ("dlq.source.partition", b"3"),
        ("dlq.source.offset", b"41"),
        ("dlq.timestamp", b"2026-11-23T10:00:00.120Z"),
    ]


@given(st.lists(st.tuples(st.text(max_size=8).filter(lambda name: not name.startswith("dlq.")), st.none() | st.binary(max_size=8))))
def test_dead_letter_keeps_the_records_headers(headers: list[tuple[str, bytes | None]]) -> None:
    """Byte for byte, in order, repeated and null ones too."""
    assert _letter(headers).to_headers()[: len(headers)] == headers


def test_a_second_refusal_replaces_the_first_ones_headers() -> None:
    """A replayed record that fails again tells of its last refusal only."""
    first = _letter([("traceparent", b"00-1")]).to_headers()
    assert _letter(first).to_headers() == first


@given(st.none() | st.binary(), st.none() | st.binary())
def test_dead_letter_keeps_key_and_value(key: bytes | None, value: bytes | None) -> None:
    """The record can be replayed as it was."""
    letter = _letter([], key, value)
    assert (letter.key, letter.value) == (key, value)
