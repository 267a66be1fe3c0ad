"""Values in the wire format of schema registries: a zero, four bytes that number the schema, then JSON or Avro.

JSON never begins with a zero byte, so a topic may hold both while its producers move. A schema is asked for once.
`registry_output.py` writes what is read here.
"""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

import orjson

from stream_detector.contracts.avro import document_of
from stream_detector.contracts.base import WireModel
from stream_detector.contracts.codec import check_size, decode, validate
from stream_detector.errors import DecodeError, DecodeReason, MissingExtraError, RegistryAwayError, StreamDetectorError

Model = TypeVar("Model", bound=WireModel)

MAGIC: Final = b"\x00"
#: In front of each value: the zero, and the schema's number.
HEAD: Final = struct.Struct(">bI")

_UNKNOWN_FOR_S = 10.0
_NOT_OURS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class RegistryInput(StrEnum):
    """Whether events may come in a registry's format."""

    AUTO = "auto"
    OFF = "off"


class RegistryOutput(StrEnum):
    """In which of a registry's formats violations and scores are written."""

    NONE = "none"
    JSON = "json"
    AVRO = "avro"


class SubjectStrategy(StrEnum):
    """What the schema of a topic is filed under."""

    TOPIC = "topic"
    RECORD = "record"
    TOPIC_RECORD = "topic_record"


class RegisteredSchema(Protocol):
    """A schema as the registry's client returns it."""

    schema_str: Any
    schema_type: Any
    references: Any


class SchemaRegistry(Protocol):
    """What is needed of the registry's client to read."""

    def get_schema(self, schema_id: int, /) -> RegisteredSchema:
        """The schema with a number."""
        ...

    def get_version(self, subject_name: str, version: int, /) -> Any:
        """What is filed under a subject; its `schema` is one."""
        ...


def status_of(error: Exception) -> int | None:
    """The HTTP status in an error of the registry's client; None if the registry didn't answer."""
    status = getattr(error, "http_status_code", None)
    return status if isinstance(status, int) and status > 0 else None


def away(error: Exception, doing: str) -> RegistryAwayError:
    """What to raise in place of an error of the registry's client, which may quote its address and what it was told."""
    status = status_of(error)
    if status in _NOT_OURS:
        cause, remedy = f"HTTP {status}", "check registry.username and its password"
    else:
        cause = type(error).__name__ if status is None else f"HTTP {status}"
        remedy = "check that it is up, and registry.url"
    return RegistryAwayError(f"the schema registry {doing} ({cause}); {remedy}")


class RegistryDecoder:
    """Reads values with and without the registry's head.

    Args:
        registry: the registry's client.
        clock: seconds that only rise; how long a schema stays unknown is counted by it.
    """

    def __init__(self, registry: SchemaRegistry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._readers: dict[int, Callable[[bytes], object] | DecodeError | None] = {}
        self._unknown: dict[int, float] = {}

    def decode(self, model: type[Model], payload: bytes, *, max_bytes: int) -> Model:
        """Read a value as a model.

        Raises:
            DecodeError: as `decode`, or the registry doesn't have the schema, or the value doesn't fit it.
            RegistryAwayError: the registry doesn't answer; nothing is wrong with the record.
            MissingExtraError: the value is Avro, and the extra `registry` isn't installed.
        """
        if not payload.startswith(MAGIC):
            return decode(model, payload, max_bytes=max_bytes)
        check_size(payload, max_bytes)
        if len(payload) <= HEAD.size:
            raise DecodeError(
                DecodeReason.SCHEMA_MISMATCH, "begins with a zero byte but holds no schema's number and no data; send both"
            )
        _, number = HEAD.unpack_from(payload)
        body = payload[HEAD.size :]
        reader = self._reader(number)
        if reader is None:
            return decode(model, body, max_bytes=max_bytes)
        try:
            document = reader(body)
        except Exception:  # noqa: BLE001 - the library raises whatever the bytes lead it to, and its messages may quote them
            raise DecodeError(
                DecodeReason.SCHEMA_MISMATCH, f"is not Avro of schema {number}; write it with the schema whose number it bears"
            ) from None
        return validate(model, document)

    def _reader(self, number: int) -> Callable[[bytes], object] | None:
        """What reads Avro of a schema, or None if its values are JSON."""
        if number not in self._readers:
            self._readers[number] = self._ask(number)
        reader = self._readers[number]
        if isinstance(reader, DecodeError):
            raise reader
        return reader

    def _ask(self, number: int) -> Callable[[bytes], object] | DecodeError | None:
        if self._clock() < self._unknown.get(number, float("-inf")):
            raise _unknown(number)
        try:
            schema = self._registry.get_schema(number)
            if schema.schema_type == "JSON":
                return None
            if schema.schema_type == "AVRO":
                return self._avro_reader(number, schema)
        except StreamDetectorError:
            raise
        except Exception as error:  # noqa: BLE001 - clients raise errors of their own and of whatever they speak HTTP with
            if status_of(error) != HTTPStatus.NOT_FOUND:
                raise away(error, f"doesn't tell schema {number}") from None
            # Records with a number that nobody registered must not become a request each.
            self._unknown = {known: until for known, until in self._unknown.items() if until > self._clock()}
            self._unknown[number] = self._clock() + _UNKNOWN_FOR_S
            raise _unknown(number) from None
        return DecodeError(
            DecodeReason.SCHEMA_MISMATCH, f"schema {number} is neither Avro nor JSON Schema; publish in one of these"
        )

    def _avro_reader(self, number: int, schema: RegisteredSchema) -> Callable[[bytes], object] | DecodeError:
        try:
            from fastavro import parse_schema, schemaless_reader  # noqa: PLC0415 - an extra
        except ImportError:
            raise MissingExtraError("reading Avro", "registry") from None
        texts = [*self._referenced(schema), schema.schema_str]
        named: dict[str, Any] = {}
        try:
            *_, parsed = [parse_schema(orjson.loads(text), named_schemas=named) for text in texts]
        except Exception:  # noqa: BLE001 - as above
            return DecodeError(DecodeReason.SCHEMA_MISMATCH, f"schema {number} can't be read as Avro; register it anew")

        def read(body: bytes) -> object:
            stream = io.BytesIO(body)
            document = schemaless_reader(stream, parsed, None)
            if stream.read(1):
                raise ValueError("bytes are left over")
            return document_of(document)

        return read

    def _referenced(self, schema: RegisteredSchema) -> list[str]:
        """The schemas that one refers to, each before those that need it. The registry lets none refer to itself."""
        found: list[str] = []
        for reference in schema.references or ():
            other = self._registry.get_version(reference.subject, reference.version).schema
            found += [text for text in (*self._referenced(other), other.schema_str) if text not in found]
        return found


def _unknown(number: int) -> DecodeError:
    return DecodeError(DecodeReason.UNKNOWN_SCHEMA, f"schema {number} is not in the registry; register it before sending")
