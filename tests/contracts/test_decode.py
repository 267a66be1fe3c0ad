"""Decoding refuses with a reason, a field and a remedy; it never crashes, and it never repeats the payload."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_detector.contracts import Event, ScoringRequest, Violation, WireModel, decode
from stream_detector.contracts.codec import MAX_DEPTH
from stream_detector.errors import DecodeError, DecodeReason
from tests.contracts.examples import BOOKING, CLIENT_UPDATE, EVENT

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(EVENT)), inner, max_size=5)
    ),
    max_leaves=20,
)
_MODELS = (Event, ScoringRequest, Violation)


def _refused(document: object, **options: Any) -> DecodeError:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(DecodeError) as caught:
        decode(Event, payload, **options)
    return caught.value


def _error(model: type[WireModel], payload: bytes) -> DecodeError | None:
    try:
        decode(model, payload)
    except DecodeError as error:
        return error
    return None


def _without(name: str, event: dict[str, Any] = EVENT) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


@given(st.binary(max_size=200))
@example(b'{"a":1,"a":1' + b"0" * 5000 + b"}")
@example(b"[" * 100_000)
@example(b'"' + b"[" * 100_000 + b'"')
@example(b'{"a":' * 33 + b"1" + b"}" * 33)
@example(b"\xef\xbb\xbf{}")
@example(b"1" * 5000)
@example(b"-")
@example(b'{"\x00":1}')
def test_bytes_decode_or_are_refused(payload: bytes) -> None:
    """Whatever lies in a topic, the worker gets a model or a DecodeError, nothing else."""
    for model in _MODELS:
        error = _error(model, payload)
        assert error is None or isinstance(error.reason, DecodeReason)


@given(_JSON)
def test_json_decodes_or_is_refused(document: object) -> None:
    """The same for any JSON, NaN and lone surrogates among it."""
    payload = json.dumps(document).encode("utf-8", "surrogatepass")
    for model in _MODELS:
        assert "\n" not in str(_error(model, payload))


@given(st.sampled_from(sorted(EVENT)), _JSON)
def test_one_wrong_field_is_refused_under_its_name(name: str, value: object) -> None:
    """An event with one field replaced is taken or refused for that field."""
    payload = json.dumps(EVENT | {name: value}).encode("utf-8", "surrogatepass")
    error = _error(Event, payload)
    # Another event type asks for other fields; what isn't JSON has no field.
    if error and error.field is not None and name != "eventType":
        assert error.field.split(".")[0] == name


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"x" * 101, DecodeReason.OVERSIZE),
        (b"", DecodeReason.EMPTY_VALUE),
        (b" \n\t", DecodeReason.EMPTY_VALUE),
        (b'{"a":"\xff"}', DecodeReason.INVALID_UTF8),
        (b'{"a":"\\ud800"}', DecodeReason.INVALID_UTF8),
        (b'{"a":"\xed\xa0\x80"}', DecodeReason.INVALID_UTF8),
        (b"{bad", DecodeReason.INVALID_JSON),
        (b"{} {}", DecodeReason.INVALID_JSON),
        (b"{'a': 1}", DecodeReason.INVALID_JSON),
        (b'{"a":1e999}', DecodeReason.INVALID_JSON),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), DecodeReason.TOO_DEEP),
        (b'{"a":1,"a":2}', DecodeReason.DUPLICATE_KEY),
        (b'{"x":{"b":1,"\\u0062":2}}', DecodeReason.DUPLICATE_KEY),
        (b'{"a":NaN}', DecodeReason.NOT_A_NUMBER),
        (b'{"a":-Infinity}', DecodeReason.NOT_A_NUMBER),
        (b"[1]", DecodeReason.NOT_AN_OBJECT),
        (b"null", DecodeReason.NOT_AN_OBJECT),
        (b'"text"', DecodeReason.NOT_AN_OBJECT),
    ],
)
def test_documents_that_are_no_event(payload: bytes, reason: DecodeReason) -> None:
    """Each class of fault in the document itself has its reason, and no field."""
    error = _refused(payload, max_bytes=100)
    assert (error.reason, error.field) == (reason, None)


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        *((_without(name), DecodeReason.MISSING_FIELD, name) for name in sorted(EVENT)),
        (_without("listingId", BOOKING), DecodeReason.MISSING_FIELD, "listingId"),
        (_without("bookingId", BOOKING), DecodeReason.MISSING_FIELD, "bookingId"),
        (_without("clientId", CLIENT_UPDATE), DecodeReason.MISSING_FIELD, "clientId"),
        (EVENT | {"listingId": None}, DecodeReason.MISSING_FIELD, "listingId"),
        (EVENT | {"transactionContext": {}}, DecodeReason.MISSING_FIELD, "transactionContext.transactionId"),
        (EVENT | {"transactionContext": "1"}, DecodeReason.WRONG_TYPE, "transactionContext"),
        (EVENT | {"eventId": 5}, DecodeReason.WRONG_TYPE, "eventId"),
        (EVENT | {"occurredAt": 1700000000}, DecodeReason.WRONG_TYPE, "occurredAt"),
        (EVENT | {"attributes": ["x"]}, DecodeReason.WRONG_TYPE, "attributes"),
        (EVENT | {"attributes": {"houseRules": {"en": "x"}}}, DecodeReason.WRONG_TYPE, "attributes.houseRules"),
        (EVENT | {"occurredAt": "yesterday"}, DecodeReason.INVALID_DATE, "occurredAt"),
        (EVENT | {"eventType": "refund"}, DecodeReason.INVALID_VALUE, "eventType"),
        (EVENT | {"eventId": ""}, DecodeReason.INVALID_VALUE, "eventId"),
        (EVENT | {"partnerId": "x" * 513}, DecodeReason.INVALID_VALUE, "partnerId"),
    ],
)
def test_events_that_break_the_contract(event: dict[str, Any], reason: DecodeReason, field: str) -> None:
    """Each class of fault in a field has its reason and names the field in wire spelling."""
    error = _refused(event)
    assert (error.reason, error.field) == (reason, field)
    assert str(error).startswith(f"{field}: ")


@pytest.mark.parametrize("event", [EVENT, BOOKING, CLIENT_UPDATE])
def test_each_type_of_event_is_taken(event: dict[str, Any]) -> None:
    """The three kinds of change as the contract writes them."""
    assert decode(Event, json.dumps(event).encode()).event_type == event["eventType"]


def test_unknown_fields_are_ignored() -> None:
    """A producer may add fields before this program knows them."""
    assert decode(Event, json.dumps(EVENT | {"new": {"deep": [1]}}).encode()) == decode(Event, json.dumps(EVENT).encode())


def test_python_spelling_is_not_the_wires() -> None:
    """event_id isn't eventId: taking both would make a second contract that nobody wrote down."""
    assert _refused(_without("eventId") | {"event_id": "e"}).field == "eventId"


def test_a_key_inside_a_string_is_no_repetition() -> None:
    """Text may look like JSON."""
    event = EVENT | {"attributes": {"a": '"eventId": 1, "eventId": 2, \\"x\\": '}}
    assert decode(Event, json.dumps(event).encode()).texts == event["attributes"]


def test_brackets_inside_a_string_are_no_depth() -> None:
    """A text of brackets isn't nesting."""
    event = EVENT | {"attributes": {"a": "[" * 1000 + '\\"{' * 100}}
    assert decode(Event, json.dumps(event).encode()).texts == event["attributes"]


def test_messages_hold_nothing_of_the_payload() -> None:
    """Errors go to logs and headers, which travel further than the text they are about."""
    secret = "ring 07700 900123"
    for event in (
        EVENT | {"eventType": secret},
        EVENT | {"occurredAt": secret},
        EVENT | {"attributes": secret},
        EVENT | {"eventId": [secret]},
        EVENT | {"listingId": {"x": secret}},
    ):
        assert "900123" not in str(_refused(event))
    assert "900123" not in str(_refused(f'{{"a": "{secret}'.encode()))


@pytest.mark.parametrize("name", ["a\r\n\x1b[2J", "b" * 65, "+44 7700 900142", "call447700900142now", "host@sunny-loft.example"])
def test_an_attributes_name_that_is_no_name_is_not_told(name: str) -> None:
    """An attribute's name is the producer's own: it can't spoil a log, nor carry a contact there."""
    assert _refused(EVENT | {"attributes": {name: 1}}).field == "attributes.?"


def test_limit_is_inclusive() -> None:
    """A record of exactly max_event_bytes is taken."""
    payload = json.dumps(EVENT).encode()
    assert decode(Event, payload, max_bytes=len(payload))
    assert _refused(payload, max_bytes=len(payload) - 1).reason is DecodeReason.OVERSIZE
