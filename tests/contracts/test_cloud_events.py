"""CloudEvents around events and verdicts, by the Kafka protocol binding of CloudEvents 1.0."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.contracts import Event, decode
from stream_detector.contracts.cloud_events import CloudEvents, Envelope, carried, mode_of, unwrap, wrap
from stream_detector.errors import DecodeError, DecodeReason
from tests.contracts.examples import EVENT

BARE = json.dumps(EVENT).encode()
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "urn:shop", "type": "listing.changed"}
BINARY = tuple((f"ce_{name}", text.encode()) for name, text in ATTRIBUTES.items())
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
ENVELOPE = Envelope("id-1", "violation", datetime(2026, 11, 24, 10, tzinfo=UTC))
Headers = tuple[tuple[str, bytes | None], ...]


def _read(value: object, headers: Headers, *, max_bytes: int = 10_000) -> Event:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return unwrap(Event, payload, headers, max_bytes=max_bytes)


def _refused(value: object, headers: Headers, **options: Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        _read(value, headers, **options)
    return caught.value


def _without(name: str, headers: Headers = BINARY) -> Headers:
    return tuple(header for header in headers if header[0] != name)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (BARE, ()),
        (BARE, (("content-type", b"application/json"),)),
        (BARE, BINARY),
        (BARE, (*BINARY, ("content-type", b"application/json"))),
        (BARE, tuple((name.upper(), value) for name, value in BINARY)),
        (ATTRIBUTES | {"data": EVENT}, STRUCTURED),
        (ATTRIBUTES | {"data": EVENT, "datacontenttype": "application/json"}, (("Content-Type", b"Application/CloudEvents+JSON"),)),
        (ATTRIBUTES | {"data_base64": base64.b64encode(BARE).decode()}, STRUCTURED),
    ],
)
def test_the_event_is_the_same_however_it_is_wrapped(value: object, headers: Headers) -> None:
    """A producer with CloudEvents need not take them off, and one without need not learn of them."""
    assert _read(value, headers) == decode(Event, BARE)


@pytest.mark.parametrize(
    ("value", "headers", "reason", "field"),
    [
        (BARE, _without("ce_id"), DecodeReason.MISSING_FIELD, "ce_id"),
        (BARE, (*_without("ce_type"), ("ce_type", b"")), DecodeReason.INVALID_VALUE, "ce_type"),
        (BARE, (*_without("ce_specversion"), ("ce_specversion", b"0.3")), DecodeReason.INVALID_VALUE, "ce_specversion"),
        (BARE, (*BINARY, ("content-type", b"text/plain")), DecodeReason.INVALID_VALUE, "content-type"),
        (EVENT | {"partnerId": 1}, BINARY, DecodeReason.WRONG_TYPE, "partnerId"),
        (EVENT, STRUCTURED, DecodeReason.MISSING_FIELD, "specversion"),
        (ATTRIBUTES, STRUCTURED, DecodeReason.MISSING_FIELD, "data"),
        (ATTRIBUTES | {"id": 5, "data": EVENT}, STRUCTURED, DecodeReason.INVALID_VALUE, "id"),
        (ATTRIBUTES | {"data": "text"}, STRUCTURED, DecodeReason.NOT_AN_OBJECT, "data"),
        (ATTRIBUTES | {"data": EVENT | {"partnerId": 1}}, STRUCTURED, DecodeReason.WRONG_TYPE, "data.partnerId"),
        (ATTRIBUTES | {"data": EVENT, "datacontenttype": "text/xml"}, STRUCTURED, DecodeReason.INVALID_VALUE, "datacontenttype"),
        (ATTRIBUTES | {"data_base64": "é"}, STRUCTURED, DecodeReason.INVALID_VALUE, "data_base64"),
        (ATTRIBUTES | {"data_base64": 5}, STRUCTURED, DecodeReason.INVALID_VALUE, "data_base64"),
        ([ATTRIBUTES], STRUCTURED, DecodeReason.NOT_AN_OBJECT, None),
        ([ATTRIBUTES], (("content-type", b"application/cloudevents-batch+json"),), DecodeReason.INVALID_VALUE, "content-type"),
        (b'{"specversion":"1.0","specversion":"1.0"}', STRUCTURED, DecodeReason.DUPLICATE_KEY, None),
    ],
)
def test_faults_name_their_place(value: object, headers: Headers, reason: DecodeReason, field: str | None) -> None:
    """In the header, in the envelope or in the data."""
    error = _refused(value, headers)
    assert (error.reason, error.field) == (reason, field)


def test_the_limit_holds_for_the_envelope_too() -> None:
    """A megabyte of attributes is a megabyte."""
    assert _refused(ATTRIBUTES | {"data": EVENT}, STRUCTURED, max_bytes=100).reason is DecodeReason.OVERSIZE


@given(st.binary(max_size=60), st.dictionaries(st.sampled_from(["content-type", *dict(BINARY)]), st.none() | st.binary(max_size=8)))
@settings(deadline=None)
def test_whatever_comes_is_read_or_refused(value: bytes, headers: dict[str, bytes | None]) -> None:
    """Headers are as hostile as values."""
    for chosen in (tuple(headers.items()), (*headers.items(), *STRUCTURED)):
        assert isinstance(_refused(value, chosen).reason, DecodeReason)


@pytest.mark.parametrize("mode", [CloudEvents.BINARY, CloudEvents.STRUCTURED])
def test_what_is_written_can_be_read(mode: CloudEvents) -> None:
    """By any reader of CloudEvents, this one among them; headers that were carried over stay."""
    value, headers = wrap(mode, BARE, (("traceparent", b"00-1"),), ENVELOPE)
    assert mode_of(headers) is mode
    assert unwrap(Event, value, headers, max_bytes=10_000) == decode(Event, BARE)
    assert ("traceparent", b"00-1") in headers


def test_attributes_of_an_output() -> None:
    """The same in both modes; the id is the violation's, so that a reader can drop repetitions."""
    expected = {
        "specversion": "1.0",
        "id": "id-1",
        "source": "urn:stream-detector",
        "type": "stream-detector.violation.v1",
        "time": "2026-11-24T10:00:00.000Z",
        "dataschema": "urn:stream-detector:violation:consumer",
    }
    _, headers = wrap(CloudEvents.BINARY, b"{}", (), ENVELOPE)
    assert dict(headers) == {f"ce_{name}": text.encode() for name, text in expected.items()} | {"content-type": b"application/json"}
    value, _ = wrap(CloudEvents.STRUCTURED, b'{"a":1}', (), ENVELOPE)
    assert orjson.loads(value) == expected | {"datacontenttype": "application/json", "data": {"a": 1}}
    assert wrap(CloudEvents.NONE, b"{}", (("a", b"b"),), ENVELOPE) == (b"{}", (("a", b"b"),))


def test_an_inputs_envelope_stays_with_it() -> None:
    """Its id and type are not the violation's; its trace goes on, under the name that tracing reads."""
    other = ("x-tenant", b"7")
    headers = (*BINARY, ("content-type", b"application/json"), ("ce_traceparent", b"00-2"), other)
    assert carried(headers) == [("traceparent", b"00-2"), other]
    assert carried((*BINARY, ("ce_traceparent", b"00-2"), ("traceparent", b"00-1"))) == [("traceparent", b"00-1")]
    assert carried((other, ("content-type", b"application/json"))) == (other, ("content-type", b"application/json"))
