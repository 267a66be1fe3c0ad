"""JSON Schemas of what crosses a wire, made from the models.

Each message has two: the one that its producer is checked against is closed (a field that the contract doesn't have is a
misspelling), the one that its consumer reads with is open (a field that it doesn't know yet is no fault).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, Literal

from pydantic.alias_generators import to_camel

from stream_detector.contracts.base import WireModel
from stream_detector.contracts.events import REQUIRED_IDS, Event, EventType
from stream_detector.contracts.repeat_offenders import RepeatOffender
from stream_detector.contracts.reviews import Review
from stream_detector.contracts.scoring import ScoringRequest, ScoringResponse
from stream_detector.contracts.shadow import ShadowDisagreement
from stream_detector.contracts.violations import Score, Violation

JsonSchema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_OF_EVENTS: Final = {
    EventType.BOOKING: "A booking was made or changed.",
    EventType.LISTING_UPDATE: "A listing was made or changed.",
    EventType.CLIENT_UPDATE: "A client was registered or changed.",
}


class Side(StrEnum):
    """Who reads a schema."""

    PRODUCER = "producer"
    CONSUMER = "consumer"


class Direction(StrEnum):
    """Which way a message goes, seen from this program."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Contract:
    """A message: its name, which way it goes, and what makes its schema, open."""

    name: str
    direction: Direction
    make: Callable[[], JsonSchema]

    def schema(self, side: Side) -> JsonSchema:
        """The schema for one side."""
        schema = self.make()
        if side is Side.PRODUCER:
            schema = _closed(schema)
        return {"$schema": DIALECT, "$id": f"urn:stream-detector:{self.name}:{side}"} | schema


def _event(event_type: EventType) -> JsonSchema:
    schema = _schema_of(Event, "validation")
    required_ids = [to_camel(name) for name in REQUIRED_IDS[event_type]]
    for name in required_ids:
        schema["properties"][name]["type"] = "string"
    schema["properties"]["eventType"] = {"const": event_type.value, "description": "Says which kind of change this is."}
    names = {*schema["required"], *required_ids}
    required = [name for name in schema["properties"] if name in names]
    return schema | {"title": event_type.value, "description": _OF_EVENTS[event_type], "required": required}


def file_name(contract: Contract, side: Side) -> str:
    """The file that holds a schema."""
    return f"{contract.name}.{side}.json"


def _schema_of(model: type[WireModel], mode: Literal["validation", "serialization"]) -> JsonSchema:
    schema = model.model_json_schema(by_alias=True, mode=mode)
    plain: JsonSchema = _plain(schema, schema.get("$defs", {}))
    if mode == "serialization":
        # `encode` leaves out what is None and writes every other default.
        _written(plain)
    return {"title": model.__name__} | plain


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without references, invented titles and defaults, and with `null` as one of its types."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _plain(definitions[node["$ref"].rpartition("/")[2]] | beside, definitions)
    if "anyOf" in node:
        (one, null) = node["anyOf"]
        beside = {key: value for key, value in node.items() if key != "anyOf"}
        one = _plain(one, definitions)
        return _plain(one | beside | {"type": [one["type"], null["type"]]}, definitions)
    kept = {key: value for key, value in node.items() if key not in {"$defs", "title"}}
    if "properties" in kept:
        kept["properties"] = {name: _plain(field, definitions) for name, field in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = _plain(kept[key], definitions)
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    if kept.get("default", ...) is None:
        del kept["default"]
    return kept


def _written(node: JsonSchema) -> None:
    properties: dict[str, JsonSchema] = node.get("properties", {})
    for field in properties.values():
        if isinstance(field.get("type"), list):
            (field["type"],) = (kind for kind in field["type"] if kind != "null")
        _written(field)
        _written(field.get("items", {}))
    always = {name for name, field in properties.items() if "default" in field} | set(node.get("required", ()))
    if properties:
        node["required"] = [name for name in properties if name in always]
    for field in properties.values():
        field.pop("default", None)


def _closed(node: JsonSchema) -> JsonSchema:
    closed = dict(node)
    if "properties" in closed:
        closed["properties"] = {name: _closed(field) for name, field in closed["properties"].items()}
        closed["additionalProperties"] = False
    if "items" in closed:
        closed["items"] = _closed(closed["items"])
    return closed


#: Every message that has a schema of its own.
CONTRACTS: Final = (
    *(Contract(kind.value, Direction.IN, partial(_event, kind)) for kind in EventType),
    Contract("violation", Direction.OUT, partial(_schema_of, Violation, "serialization")),
    Contract("score", Direction.OUT, partial(_schema_of, Score, "serialization")),
    Contract("shadow-disagreement", Direction.OUT, partial(_schema_of, ShadowDisagreement, "serialization")),
    Contract("repeat-offender", Direction.OUT, partial(_schema_of, RepeatOffender, "serialization")),
    Contract("review", Direction.OUT, partial(_schema_of, Review, "serialization")),
    Contract("scoring-request", Direction.IN, partial(_schema_of, ScoringRequest, "validation")),
    Contract("scoring-response", Direction.OUT, partial(_schema_of, ScoringResponse, "serialization")),
)
