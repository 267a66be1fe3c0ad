"""Whatever bytes come, they are scored or dead-lettered: none crashes the worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hostile_payloads import HOSTILE, fuzz
from stream_detector.contracts import Event
from stream_detector.settings import Settings
from stream_detector.streaming.records import Outcome, Record, messages_of, read
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SETTINGS = Settings()


def outcome_of(value: bytes) -> str:
    """What becomes of a value."""
    found = read(Record("bookings", 0, 0, b"key", value), SETTINGS, now=NOW)
    if isinstance(found, Outcome):
        messages_of(found, SETTINGS, now=NOW)
        return found.dead_letter.reason.value if found.dead_letter else found.kind.value
    return "event"


def test_mutated_events() -> None:
    """The short run of `make fuzz`."""
    found = fuzz(20_000, seed=7)
    assert found.total() == 20_000
    assert found["event"] > 100
    assert len(found) > 8


@given(st.binary(max_size=300) | st.tuples(st.binary(max_size=50), st.sampled_from(HOSTILE), st.binary(max_size=50)).map(b"".join))
def test_any_bytes(value: bytes) -> None:
    """Not only those that were an event once."""
    assert outcome_of(value) != ""


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (event(1, text="x" * 1_000_000), "event"),
        (event(1, text="a" + "\u0301" * 100_000), "event"),
        (event(1, text="\u202e\u2066" * 50_000), "event"),
        (event(1).replace(b"A quiet flat", b"\\ud800"), "invalid_utf8"),
        (event(1).replace(b"A quiet flat", b"\\ud83d\\ude00"), "event"),
        (event(1)[:-2] + b',"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "too_deep"),
        (b"[" * 500_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (event(1).replace(b'"gone":null', b'"gone":null,"gone":"x"'), "duplicate_key"),
        (event(1)[:-1] + b"," + b",".join(b'"k%d":1' % number for number in range(50_000)) + b"}", "event"),
        (event(1).replace(b'"gone":null', b'"gone":NaN'), "not_a_number"),
        (json.dumps(event(1).decode()).encode(), "not_an_object"),
    ],
    ids=range(12),
)
def test_known_traps(value: bytes, outcome: str) -> None:
    """A text of a megabyte, marks, overrides, half surrogates, depth, repeated keys."""
    assert outcome_of(value) == outcome


def test_a_megabyte_is_an_event() -> None:
    """The largest record that is allowed is read whole."""
    found = read(Record("bookings", 0, 0, None, event(1, text="x" * 1_000_000)), SETTINGS, now=NOW)
    assert isinstance(found, Event)
    assert len(found.texts["description"]) == 1_000_000
