"""Values in the wire format of schema registries: a zero, four bytes that number the schema, then JSON or Avro.

JSON never begins with a zero byte, so a topic may hold both while its producers move. The schema is asked for once.
"""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

import orjson

from stream_detector.contracts.avro import document_of
from stream_detector.contracts.base import WireModel
from stream_detector.contracts.codec import check_size, decode, validate
from stream_detector.errors import DecodeError, DecodeReason, MissingExtraError, RetryableDeliveryError

Model = TypeVar("Model", bound=WireModel)

MAGIC: Final = b"\x00"

_HEAD = struct.Struct(">bI")
_UNKNOWN_FOR_S = 10.0
_NOT_FOUND = 404


class RegisteredSchema(Protocol):
    """A schema as the registry's client returns it."""

    schema_str: Any
    schema_type: Any


class SchemaRegistry(Protocol):
    """What is needed of the registry's client."""

    def get_schema(self, schema_id: int, /) -> RegisteredSchema:
        """The schema with a number."""
        ...


class RegistryDecoder:
    """Reads values with and without the registry's head.

    Args:
        registry: the registry's client.
        clock: seconds that only rise; how long a schema stays unknown is counted by it.
    """

    def __init__(self, registry: SchemaRegistry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._readers: dict[int, Callable[[bytes], object] | None] = {}
        self._unknown: dict[int, float] = {}

    def decode(self, model: type[Model], payload: bytes, *, max_bytes: int) -> Model:
        """Read a value as a model.

        Raises:
            DecodeError: as `decode`, or the registry doesn't have the schema.
            RetryableDeliveryError: the registry doesn't answer; nothing is wrong with the record.
        """
        if not payload.startswith(MAGIC):
            return decode(model, payload, max_bytes=max_bytes)
        check_size(payload, max_bytes)
        if len(payload) <= _HEAD.size:
            raise DecodeError(DecodeReason.INVALID_VALUE, "begins with a zero byte but holds no schema's number and no data")
        _, number = _HEAD.unpack_from(payload)
        body = payload[_HEAD.size :]
        reader = self._reader(number)
        if reader is None:
            return decode(model, body, max_bytes=max_bytes)
        try:
            document = reader(body)
        except Exception:  # noqa: BLE001 - the library raises whatever the bytes lead it to, and its messages may quote them
            raise DecodeError(
                DecodeReason.INVALID_VALUE, f"is not Avro of schema {number}; write it with the schema whose number it bears"
            ) from None
        return validate(model, document)

    def _reader(self, number: int) -> Callable[[bytes], object] | None:
        """What reads Avro of a schema, or None if its values are JSON."""
        if number not in self._readers:
            self._readers[number] = self._ask(number)
        return self._readers[number]

    def _ask(self, number: int) -> Callable[[bytes], object] | None:
        if self._clock() < self._unknown.get(number, float("-inf")):
            raise _unknown(number)
        try:
            schema = self._registry.get_schema(number)
        except Exception as error:  # noqa: BLE001 - clients raise errors of their own and of whatever they speak HTTP with
            if getattr(error, "http_status_code", None) != _NOT_FOUND:
                raise RetryableDeliveryError(
                    f"the schema registry doesn't tell schema {number} ({type(error).__name__}); check that it is up", away=True
                ) from None
            # Records with a number that nobody registered must not become a request each.
            self._unknown = {known: until for known, until in self._unknown.items() if until > self._clock()}
            self._unknown[number] = self._clock() + _UNKNOWN_FOR_S
            raise _unknown(number) from None
        match schema.schema_type:
            case "JSON":
                return None
            case "AVRO":
                return _avro_reader(schema.schema_str)
            case _:
                raise DecodeError(
                    DecodeReason.INVALID_VALUE, f"schema {number} is neither Avro nor JSON Schema; publish in one of these"
                )


def _avro_reader(schema: str) -> Callable[[bytes], object]:
    try:
        from fastavro import parse_schema, schemaless_reader  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("reading Avro", "registry") from None
    parsed = parse_schema(orjson.loads(schema))

    def read(body: bytes) -> object:
        stream = io.BytesIO(body)
        document = schemaless_reader(stream, parsed, None)
        if stream.read(1):
            raise ValueError("bytes are left over")
        return document_of(document)

    return read


def _unknown(number: int) -> DecodeError:
    return DecodeError(DecodeReason.INVALID_VALUE, f"schema {number} is not in the registry; register it before sending")
