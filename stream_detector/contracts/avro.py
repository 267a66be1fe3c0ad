"""Events and verdicts as Avro writes them, and back into the document that JSON would have held."""

from __future__ import annotations

import builtins
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from stream_detector.contracts.base import WireModel, format_timestamp
from stream_detector.contracts.events import Event

AvroSchema = dict[str, Any]

NAMESPACE: Final = "stream_detector"
_PLAIN: Final = {str: "string", int: "long", float: "double", bool: "boolean"}


def event_schema() -> AvroSchema:
    """The Avro schema of change events of all three types."""
    return schema_of(Event)


def schema_of(model: type[WireModel]) -> AvroSchema:
    """The Avro schema of a message."""
    return _record(model) | {"namespace": NAMESPACE}


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


def datum_of(value: object) -> object:
    """A message as Avro's writer takes it: moments as they are, everything else as JSON would have it."""
    match value:
        case WireModel():
            fields = type(value).model_fields
            return {field.alias or name: datum_of(getattr(value, name)) for name, field in fields.items()}
        case StrEnum():
            return value.value
        case tuple() | list():
            return [datum_of(item) for item in value]
        case Mapping():
            return {name: datum_of(item) for name, item in value.items()}
        case _:
            return value


def _record(model: type[WireModel]) -> AvroSchema:
    return {
        "type": "record",
        "name": model.__name__,
        "fields": [
            {"name": field.alias or name, "type": _type(field.annotation), "doc": field.description or ""}
            | ({} if field.is_required() else {"default": [] if typing.get_origin(field.annotation) is tuple else None})
            for name, field in model.model_fields.items()
        ],
    }


def _type(annotation: Any) -> Any:
    if origin := typing.get_origin(annotation):
        return _compound(origin, typing.get_args(annotation))
    if issubclass(annotation, WireModel):
        return _record(annotation)
    if annotation is datetime:
        return {"type": "long", "logicalType": "timestamp-millis"}
    # Enumerations too: the values of some hold hyphens, which no symbol of Avro's may, and a new value must not break readers.
    return "string" if issubclass(annotation, StrEnum) else _PLAIN[annotation]


def _compound(origin: Any, arguments: tuple[Any, ...]) -> Any:
    match origin:
        case typing.Annotated:
            return _type(arguments[0])
        case types.UnionType | typing.Union:
            (kind,) = (argument for argument in arguments if argument is not types.NoneType)
            return ["null", _type(kind)]
        case builtins.dict:
            return {"type": "map", "values": _type(arguments[1])}
        case _:
            return {"type": "array", "items": _type(arguments[0])}
