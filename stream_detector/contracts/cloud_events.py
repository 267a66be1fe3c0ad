"""CloudEvents 1.0 around what crosses the wire: taken off on the way in, put on by a setting on the way out.

Binary mode puts the envelope into `ce_` headers, structured mode into a JSON document with the message under `data`; both as
the Kafka protocol binding says. What is scored is the data, which is a change event in full: the envelope decides nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import orjson

from stream_detector.contracts.base import WireModel, format_timestamp
from stream_detector.contracts.codec import check_size, decode, parse, validate
from stream_detector.contracts.dead_letters import Headers
from stream_detector.contracts.violations import Score, Violation
from stream_detector.errors import DecodeError, DecodeReason

Model = TypeVar("Model", bound=WireModel)

VERSION: Final = "1.0"
SOURCE: Final = "urn:stream-detector"

_PREFIX = "ce_"
_STRUCTURED = "application/cloudevents"
_REQUIRED = ("specversion", "id", "source", "type")
_JSON = "application/json"
_TRACES = ("traceparent", "tracestate")


class CloudEvents(StrEnum):
    """How a message is wrapped."""

    NONE = "none"
    BINARY = "binary"
    STRUCTURED = "structured"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an output's envelope says of it."""

    id: str
    name: str
    time: datetime
    schema: str | None = None

    def attributes(self) -> dict[str, str]:
        """The attributes of CloudEvents, in its spelling."""
        return {
            "specversion": VERSION,
            "id": self.id,
            "source": SOURCE,
            "type": f"stream-detector.{self.name}.v1",
            "time": format_timestamp(self.time),
            "dataschema": self.schema or f"{SOURCE}:{self.name}:consumer",
        }


def envelope_of(verdict: Violation | Score, *, schema: str | None = None) -> Envelope:
    """The envelope of a verdict: the same at every try, but for the time; `schema` names what it is written by, if not our own."""
    if isinstance(verdict, Violation):
        return Envelope(verdict.violation_id, "violation", verdict.detected_at, schema)
    return Envelope(verdict.verdict_id, "score", verdict.detected_at, schema)


def mode_of(headers: Headers) -> CloudEvents:
    """How a record with such headers is wrapped."""
    if not headers:
        return CloudEvents.NONE
    names = _lower(headers)
    if names.get("content-type", "").lower().startswith(_STRUCTURED):
        return CloudEvents.STRUCTURED
    return CloudEvents.BINARY if f"{_PREFIX}specversion" in names else CloudEvents.NONE


class DecodeData(Protocol):
    """Reads bytes as a model, as `codec.decode` does."""

    def __call__(self, model: type[Model], payload: bytes, *, max_bytes: int) -> Model:
        """Read."""
        ...


def unwrap(model: type[Model], payload: bytes, headers: Headers, *, max_bytes: int, decode_data: DecodeData = decode) -> Model:
    """Read a record's value as a model, whether it is wrapped or not; `decode_data` reads what isn't an envelope.

    Raises:
        DecodeError: as `decode`; a fault of the envelope names its header or its field, one of the data begins with `data`.
    """
    match mode_of(headers):
        case CloudEvents.NONE:
            return decode_data(model, payload, max_bytes=max_bytes)
        case CloudEvents.BINARY:
            names = _lower(headers)
            attributes = {name.removeprefix(_PREFIX): text for name, text in names.items() if name.startswith(_PREFIX)}
            # A value in a registry's format says itself what it is; its type is whatever its serializer calls it.
            framed = payload.startswith(b"\x00")
            _check(attributes, None if framed else names.get("content-type"), prefix=_PREFIX)
            return decode_data(model, payload, max_bytes=max_bytes)
        case CloudEvents.STRUCTURED:
            return _unwrap_structured(model, payload, _lower(headers)["content-type"], max_bytes)


def wrap(
    mode: CloudEvents, payload: bytes, headers: Headers, envelope: Envelope, *, media_type: str = _JSON
) -> tuple[bytes, Headers]:
    """Put an output into an envelope; `headers` are those to carry over. Only JSON fits into a structured one."""
    match mode:
        case CloudEvents.NONE:
            return payload, headers
        case CloudEvents.BINARY:
            own = {"content-type": media_type} | {_PREFIX + name: text for name, text in envelope.attributes().items()}
            return payload, [*headers, *((name, text.encode()) for name, text in own.items())]
        case CloudEvents.STRUCTURED:
            head = orjson.dumps(envelope.attributes() | {"datacontenttype": _JSON})
            # The payload is JSON already: it is put in as it is.
            return head[:-1] + b',"data":' + payload + b"}", [
                *headers,
                ("content-type", b"application/cloudevents+json; charset=UTF-8"),
            ]


def carried(headers: Headers) -> Headers:
    """The headers of an input that fit its output: an envelope is the input's own, but the trace in it goes on."""
    if mode_of(headers) is CloudEvents.NONE:
        return headers
    names = {name.lower() for name, _ in headers}
    kept: list[tuple[str, bytes | None]] = []
    for name, value in headers:
        plain = name.lower().removeprefix(_PREFIX)
        if plain in _TRACES and (plain == name.lower() or plain not in names):
            kept.append((plain, value))
        elif name.lower() != "content-type" and not name.lower().startswith(_PREFIX):
            kept.append((name, value))
    return kept


def _unwrap_structured(model: type[Model], payload: bytes, content_type: str, max_bytes: int) -> Model:
    if content_type.split(";", maxsplit=1)[0].strip().lower() != f"{_STRUCTURED}+json":
        raise DecodeError(
            DecodeReason.INVALID_VALUE, "is another format of CloudEvents; send application/cloudevents+json", field="content-type"
        )
    check_size(payload, max_bytes)
    document = parse(payload)
    if not isinstance(document, dict):
        raise DecodeError(DecodeReason.NOT_AN_OBJECT, "a CloudEvent is a JSON object; send one event a record")
    data_type = document.get("datacontenttype")
    _check(document, data_type if isinstance(data_type, str) else None, prefix="")
    if "data_base64" in document:
        return decode(model, _bytes(document["data_base64"]), max_bytes=max_bytes)
    if "data" not in document:
        raise DecodeError(DecodeReason.MISSING_FIELD, "is required; put the event there", field="data")
    return validate(model, document["data"], at=("data",))


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError(DecodeReason.INVALID_VALUE, "is not Base64; send data instead", field="data_base64") from None


def _check(attributes: Mapping[str, object], data_type: str | None, *, prefix: str) -> None:
    for name in _REQUIRED:
        value = attributes.get(name)
        if value is None:
            raise DecodeError(DecodeReason.MISSING_FIELD, "is required in a CloudEvent; add it", field=prefix + name)
        if not isinstance(value, str) or not value:
            raise DecodeError(DecodeReason.INVALID_VALUE, "must be a string that isn't empty", field=prefix + name)
    if attributes["specversion"] != VERSION:
        raise DecodeError(DecodeReason.INVALID_VALUE, f"is not {VERSION}; send CloudEvents {VERSION}", field=f"{prefix}specversion")
    media = (data_type or _JSON).split(";")[0].strip().lower()
    if media != _JSON and not media.endswith("+json"):
        field = "content-type" if prefix else "datacontenttype"
        raise DecodeError(DecodeReason.INVALID_VALUE, "is not JSON; send the event as application/json", field=field)


def _lower(headers: Headers) -> dict[str, str]:
    """Headers by their name in lower case; of one that stands twice, the last."""
    return {name.lower(): (value or b"").decode("utf-8", "replace") for name, value in headers}
