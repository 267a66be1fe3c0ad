"""The event as Avro writes it, and back into the document that JSON would have held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stream_detector.contracts.base import WireModel, format_timestamp
from stream_detector.contracts.events import Event, TransactionContext

AvroSchema = dict[str, Any]

_NAMESPACE = "stream_detector"


def event_schema() -> AvroSchema:
    """The Avro schema of change events of all three types."""
    return _record(Event) | {"namespace": _NAMESPACE}


def document_of(value: object) -> object:
    """What Avro read, as JSON would have held it: moments as text."""
    match value:
        case datetime():
            return format_timestamp(value)
        case dict():
            return {name: document_of(item) for name, item in value.items()}
        case list():
            return [document_of(item) for item in value]
        case _:
            return value


def _record(model: type[WireModel]) -> AvroSchema:
    return {
        "type": "record",
        "name": model.__name__,
        "fields": [
            {"name": field.alias or name, "type": _type(name), "doc": field.description or ""}
            | ({} if field.is_required() else {"default": None})
            for name, field in model.model_fields.items()
        ],
    }


def _type(name: str) -> Any:
    match name:
        case "occurred_at":
            return {"type": "long", "logicalType": "timestamp-millis"}
        case "transaction_context":
            return _record(TransactionContext)
        case "attributes":
            return {"type": "map", "values": ["null", "string"]}
        case "listing_id" | "booking_id" | "client_id":
            return ["null", "string"]
        case _:
            # The event's type too: its values hold hyphens, which no symbol of an Avro enumeration may.
            return "string"
