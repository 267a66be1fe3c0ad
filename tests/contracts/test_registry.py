"""Values in the wire format of schema registries, against the mock registry of Confluent's client."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.contracts import Event, decode
from stream_detector.contracts.avro import event_schema
from stream_detector.contracts.registry import RegistryDecoder
from stream_detector.contracts.schemas import CONTRACTS, Side
from stream_detector.errors import DecodeError, DecodeReason, RegistryAwayError
from tests.contracts.examples import BOOKING, CLIENT_UPDATE, EVENT

AVRO = json.dumps(event_schema())
JSON = json.dumps(next(contract for contract in CONTRACTS if contract.name == "listing-update").schema(Side.PRODUCER))
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Counting:
    """A registry that counts what it is asked."""

    def __init__(self) -> None:
        self.client: Any = SchemaRegistryClient.new_client({"url": "mock://"})
        self.asked = 0
        self.error: Exception | None = None

    def get_schema(self, schema_id: int, /) -> Schema:
        """The mock's answer, or the error that was set."""
        self.asked += 1
        if self.error:
            raise self.error
        schema: Schema = self.client.get_schema(schema_id)
        return schema

    def get_version(self, subject_name: str, version: int, /) -> Any:
        """The mock's answer."""
        return self.client.get_version(subject_name, version)

    def register(self, schema: str, kind: str) -> int:
        """The number of a schema."""
        number: int = self.client.register_schema("bookings-value", Schema(schema, kind))
        return number


@pytest.fixture
def registry() -> Counting:
    """A registry without schemas."""
    return Counting()


def _read(registry: Counting, payload: bytes, **options: Any) -> Event:
    return RegistryDecoder(registry, **options).decode(Event, payload, max_bytes=10_000)


def _refused(registry: Counting, payload: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        _read(registry, payload)
    return caught.value


def _framed(number: int, body: bytes) -> bytes:
    return struct.pack(">bI", 0, number) + body


def _avro(document: dict[str, Any], schema: dict[str, Any] | None = None) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema or event_schema()), document | {"occurredAt": MOMENT})
    return stream.getvalue()


def test_json_schema(registry: Counting) -> None:
    """The five bytes are taken off; the rest is the contract as it is."""
    number = registry.register(JSON, "JSON")
    assert _read(registry, _framed(number, json.dumps(EVENT).encode())) == decode(Event, json.dumps(EVENT).encode())


@pytest.mark.parametrize("event", [EVENT, BOOKING, CLIENT_UPDATE])
def test_avro(registry: Counting, event: dict[str, Any]) -> None:
    """The exported Avro schema carries all that JSON does."""
    number = registry.register(AVRO, "AVRO")
    assert _read(registry, _framed(number, _avro(event))) == decode(Event, json.dumps(event).encode())


def test_what_confluents_serializer_writes(registry: Counting) -> None:
    """The format is theirs, so theirs must be understood: Avro with the schema that is committed."""
    serializer = AvroSerializer(registry.client, AVRO)
    written = serializer(EVENT | {"occurredAt": MOMENT}, SerializationContext("listing-updates", MessageField.VALUE))
    assert _read(registry, written or b"") == decode(Event, json.dumps(EVENT).encode())


def test_another_writers_schema(registry: Counting) -> None:
    """A producer's own schema may have more fields, and moments as text."""
    schema = event_schema()
    for field in schema["fields"]:
        if field["name"] == "occurredAt":
            field["type"] = "string"
    schema["fields"].append({"name": "more", "type": {"type": "array", "items": "long"}})
    number = registry.register(json.dumps(schema), "AVRO")
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), EVENT | {"more": [1]})
    assert _read(registry, _framed(number, stream.getvalue())) == decode(Event, json.dumps(EVENT).encode())


def test_plain_json_stays_readable(registry: Counting) -> None:
    """Producers move one by one."""
    assert _read(registry, json.dumps(EVENT).encode()).event_id == "e-1"
    assert registry.asked == 0


def test_a_schema_is_asked_for_once(registry: Counting) -> None:
    """Not once an event."""
    number = registry.register(JSON, "JSON")
    decoder = RegistryDecoder(registry)
    for _ in range(3):
        decoder.decode(Event, _framed(number, json.dumps(EVENT).encode()), max_bytes=10_000)
    assert registry.asked == 1


def test_a_schema_that_nobody_registered(registry: Counting) -> None:
    """A dead letter that says so; the registry isn't asked again at once, but it is later."""
    now = 0.0
    decoder = RegistryDecoder(registry, clock=lambda: now)
    payload = _framed(1, json.dumps(EVENT).encode())
    for _ in range(3):
        with pytest.raises(DecodeError, match="schema 1 is not in the registry; register it"):
            decoder.decode(Event, payload, max_bytes=10_000)
    assert registry.asked == 1
    assert registry.register(JSON, "JSON") == 1
    now = 11.0
    assert decoder.decode(Event, payload, max_bytes=10_000).event_id == "e-1"


@pytest.mark.parametrize("error", [SchemaRegistryError(500, 50001, "no"), ConnectionError(), TimeoutError()])
def test_an_absent_registry_is_no_fault_of_the_record(registry: Counting, error: Exception) -> None:
    """Nothing becomes a dead letter because of it: the worker waits and tries again."""
    registry.error = error
    with pytest.raises(RegistryAwayError, match="registry"):
        _read(registry, _framed(1, b"{}"))


def test_a_registry_that_refuses_us(registry: Counting) -> None:
    """Is no fault of the record either, and the remedy is another; what the registry said isn't repeated."""
    registry.error = SchemaRegistryError(401, 40101, "no user by that name: secret")
    with pytest.raises(RegistryAwayError, match=r"HTTP 401\); check registry.username") as caught:
        _read(registry, _framed(1, b"{}"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("payload", [b"\x00", b"\x00\x00\x00\x00\x01", b"\x00\x00"])
def test_a_head_without_data(registry: Counting, payload: bytes) -> None:
    """Is refused before anyone is asked."""
    assert _refused(registry, payload).reason is DecodeReason.SCHEMA_MISMATCH
    assert registry.asked == 0


def test_a_schema_in_parts(registry: Counting) -> None:
    """Avro's records may be filed one by one, and refer to each other."""
    schema = event_schema()
    (context,) = (field for field in schema["fields"] if field["name"] == "transactionContext")
    part = context["type"] | {"namespace": "stream_detector"}
    context["type"] = "stream_detector.TransactionContext"
    registry.client.register_schema("context", Schema(json.dumps(part), "AVRO"))
    whole = Schema(json.dumps(schema), "AVRO", [SchemaReference("stream_detector.TransactionContext", "context", 1)])
    number = registry.client.register_schema("event", whole)
    assert _read(registry, _framed(number, _avro(EVENT))) == decode(Event, json.dumps(EVENT).encode())


@pytest.mark.parametrize("schema", ['{"type": "nobody.knows.this"}', "not JSON", '{"type": "record"}'])
def test_a_schema_that_is_none(registry: Counting, schema: str) -> None:
    """A registry may hold what our library can't read: its records are dead letters, and it is asked once."""
    decoder = RegistryDecoder(registry)
    payload = _framed(registry.register(schema, "AVRO"), b"x")
    for _ in range(2):
        with pytest.raises(DecodeError, match="can't be read as Avro") as caught:
            decoder.decode(Event, payload, max_bytes=100)
        assert caught.value.reason is DecodeReason.SCHEMA_MISMATCH
    assert registry.asked == 1


def test_other_kinds_of_schemas(registry: Counting) -> None:
    """Protobuf is named as what isn't read."""
    number = registry.register('syntax = "proto3";', "PROTOBUF")
    assert "neither Avro nor JSON Schema" in str(_refused(registry, _framed(number, b"x")))


def test_avro_that_breaks_the_contract(registry: Counting) -> None:
    """What Avro can't promise, the contract still asks for: the fault and the field are those of JSON."""
    number = registry.register(AVRO, "AVRO")
    error = _refused(registry, _framed(number, _avro(EVENT | {"listingId": None})))
    assert (error.reason, error.field) == (DecodeReason.MISSING_FIELD, "listingId")
    assert _refused(registry, _framed(number, _avro(EVENT) + b"\x00")).reason is DecodeReason.SCHEMA_MISMATCH


_REGISTRY = Counting()
_NUMBERS = (_REGISTRY.register(JSON, "JSON"), _REGISTRY.register(AVRO, "AVRO"))
_DECODER = RegistryDecoder(_REGISTRY)


@given(st.sampled_from(_NUMBERS), st.binary(min_size=1, max_size=60))
@settings(deadline=None)
def test_whatever_comes_is_refused(number: int, body: bytes) -> None:
    """Bytes under a known number end as a dead letter, and its message is one line."""
    with pytest.raises(DecodeError) as caught:
        _DECODER.decode(Event, _framed(number, body), max_bytes=10_000)
    assert "\n" not in str(caught.value)
