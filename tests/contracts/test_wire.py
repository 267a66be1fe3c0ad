"""What is written: round trips, names, probabilities, dates."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stream_detector.contracts import (
    Event,
    EventType,
    Kind,
    Label,
    ScoreDetails,
    ScoringRequest,
    ScoringResponse,
    TransactionContext,
    decode,
    encode,
    format_probability,
    format_timestamp,
)
from stream_detector.errors import DecodeError, DecodeReason
from tests.contracts.examples import EVENT, response

_text = st.text(st.characters(exclude_categories=["Cs"]))
_id = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_moments = st.integers(0, 250_000_000_000_000).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
_events = st.fixed_dictionaries(
    {
        "event_id": _id,
        "event_type": st.sampled_from(EventType),
        "occurred_at": _moments,
        "transaction_context": _id.map(lambda name: TransactionContext(transaction_id=name)),
        "partner_id": _id,
        "listing_id": _id,
        "booking_id": _id,
        "client_id": _id,
        "attributes": st.dictionaries(_text, _text, max_size=4),
    }
).map(Event.model_validate)
_evidence = st.fixed_dictionaries(
    {"attribute": _text, "start": st.integers(0, 99), "end": st.integers(0, 99), "kind": st.sampled_from(Kind), "surface": _text}
)
_details = st.fixed_dictionaries(
    {
        "label": st.sampled_from(Label),
        "threshold": st.floats(0, 1),
        "evidence": st.lists(_evidence, max_size=3),
        "windows": st.integers(0, 1000),
        "backend": _text,
        "latency_ms": st.floats(0, 1e6),
    }
).map(ScoreDetails.model_validate)


@given(_events)
def test_events_survive_the_wire(event: Event) -> None:
    """What is encoded decodes to the same event, whatever the texts hold."""
    assert decode(Event, encode(event)) == event


@given(_details, st.floats(0, 1))
def test_responses_survive_the_wire(details: ScoreDetails, probability: float) -> None:
    """The same for responses, evidence and figures among them."""
    before = response(score_details=details, probability_score=format_probability(probability))
    assert decode(ScoringResponse, encode(before)) == before


def test_the_wire_is_camel_case_and_compact() -> None:
    """The published spelling, and no field that says nothing."""
    event = json.loads(encode(decode(Event, json.dumps(EVENT).encode())))
    assert set(event) == set(EVENT)
    payload = encode(response())
    assert b'"probabilityScore":"9.87e-01"' in payload
    assert b'"scoreDetails":{"label":"Fraud"' in payload
    assert b": " not in payload


def test_texts_leave_nulls_out() -> None:
    """A null attribute is a text that was taken out: there is nothing to score."""
    request = ScoringRequest(transaction_context=TransactionContext(transaction_id="1"), attributes={"a": "x", "b": None, "c": ""})
    assert request.texts == {"a": "x", "c": ""}


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.02e-10, "1.02e-10"),
        (0.0, "0.00e+00"),
        (1.0, "1.00e+00"),
        (0.5, "5.00e-01"),
        (0.999999, "1.00e+00"),
        (5e-324, "4.94e-324"),
    ],
)
def test_probabilities_are_in_scientific_notation(probability: float, text: str) -> None:
    """The format that the followed system publishes, at its edges too."""
    assert format_probability(probability) == text


@given(st.floats(0, 1))
def test_every_probability_fits_the_contract(probability: float) -> None:
    """Whatever the model says can be published, and is right to three digits."""
    text = response(probability_score=format_probability(probability)).probability_score
    assert float(text) == pytest.approx(probability, rel=0.005)


@pytest.mark.parametrize("text", ["0.5", "nan", "inf", "1e-10", "1.0e-1", "1.00E-01", " 1.00e-01", "1.00e-01\n", "-1.00e-01"])
def test_other_spellings_are_no_probability(text: str) -> None:
    """A number in another format doesn't get out."""
    with pytest.raises(ValidationError):
        response(probability_score=text)


@given(_moments)
def test_moments_survive_the_wire(moment: datetime) -> None:
    """To the millisecond."""
    assert decode(Event, json.dumps(EVENT | {"occurredAt": format_timestamp(moment)}).encode()).occurred_at == moment


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23t10:00:00z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23 10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.5+05:30", datetime(2026, 11, 23, 4, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23T10:00:00.123456789-08:00", datetime(2026, 11, 23, 18, 0, 0, 123_456, tzinfo=UTC)),
        ("2024-02-29T00:00:00-00:00", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_rfc_3339_in_all_its_forms(text: str, utc: datetime) -> None:
    """Producers write the same moment in different ways."""
    assert decode(Event, json.dumps(EVENT | {"occurredAt": text}).encode()).occurred_at == utc


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23", "2026-11-23T10:00:00", "2026-11-23T10:00Z", "20261123T100000Z", "2026-W48-1T10:00:00Z", "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T10:00:00+0530", "2026-11-23T10:00:00+25:00", "2026-11-23T10:00:00 Z",
        "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "١٢٣٤-11-23T10:00:00Z", "1700000000", "", " 2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00Z\n",
    ],
)  # fmt: skip
def test_other_dates_are_refused(text: str) -> None:
    """A moment without an offset, or one that doesn't exist, would be guessed; it is refused instead."""
    with pytest.raises(DecodeError) as caught:
        decode(Event, json.dumps(EVENT | {"occurredAt": text}).encode())
    assert (caught.value.reason, caught.value.field) == (DecodeReason.INVALID_DATE, "occurredAt")


@given(st.text(string.digits + "-:TZ+. ", max_size=30))
def test_no_date_crashes(text: str) -> None:
    """Anything like a date is taken or refused."""
    with suppress(DecodeError):
        decode(Event, json.dumps(EVENT | {"occurredAt": text}).encode())


def test_timestamps_are_written_in_utc() -> None:
    """An offset is converted, and microseconds are cut, not rounded into the future."""
    moment = datetime(2026, 11, 23, 1, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_timestamp(moment) == "2026-11-22T23:00:00.999Z"
