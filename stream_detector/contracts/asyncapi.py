"""The AsyncAPI 3 document: which topic carries which message, with the schemas that others must meet or may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream_detector import __version__
from stream_detector.contracts.examples import EXAMPLES
from stream_detector.contracts.schemas import CONTRACTS, Contract, Direction, JsonSchema, Side
from stream_detector.errors import DecodeReason

_JSON = "application/json"
_CONTRACTS = {contract.name: contract for contract in CONTRACTS}
_BYTES = "Any string is allowed; records with the same key keep their order."
_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
_HEADERS_OF_DEAD_LETTERS: JsonSchema = {
    "type": "object",
    "description": "Beside the record's own. Header values are UTF-8 text.",
    "properties": {
        "dlq.reason": {"enum": [reason.value for reason in DecodeReason], "description": "The class of the fault."},
        "dlq.error": _TEXT | {"description": "The field at fault and the remedy; never a value."},
        "dlq.source.topic": _TEXT,
        "dlq.source.partition": _NUMBER,
        "dlq.source.offset": _NUMBER,
        "dlq.timestamp": {"type": "string", "format": "date-time"},
        "dlq.traceparent": _TEXT | {"description": "W3C trace context of the worker's span; absent where the event isn't traced."},
    },
    "required": [
        "dlq.reason", "dlq.error", "dlq.source.topic", "dlq.source.partition", "dlq.source.offset", "dlq.timestamp",
    ],
}  # fmt: skip
_HEADERS_OF_EVENTS: JsonSchema = {
    "type": "object",
    "description": "None is needed; all are carried over to violations.",
    "properties": {"traceparent": _TEXT | {"description": "W3C trace context of the change."}},
}


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics: `inputs` and `dead_letters` by the name of the message that the input carries."""

    inputs: Mapping[str, str]
    dead_letters: Mapping[str, str]
    violations: str
    scores: str
    shadow: str
    reviews: str
    repeat_offenders: str


def describe(topics: Topics) -> dict[str, Any]:
    """The document for topics of such names."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, topic in topics.inputs.items():
        channels[name] = _channel(topic, name, f"Events of the type {name}, from their producers.")
        operations[f"receive-{name}"] = _operation("receive", name, "Scores the texts of the event.")
    for name, topic in (("violation", topics.violations), ("score", topics.scores)):
        channels[name] = _channel(topic, name, f"{_CONTRACTS[name].schema(Side.CONSUMER)['description']}")
        operations[f"send-{name}"] = _operation("send", name, "Publishes what scoring found, with the event's key and headers.")
    name = "shadow-disagreement"
    channels[name] = _channel(topics.shadow, name, f"{_CONTRACTS[name].schema(Side.CONSUMER)['description']}")
    operations[f"send-{name}"] = _operation("send", name, "Publishes what a model that only looks on would decide otherwise.")
    name = "review"
    channels[name] = _channel(topics.reviews, name, f"{_CONTRACTS[name].schema(Side.CONSUMER)['description']}")
    operations[f"send-{name}"] = _operation(
        "send", name, "Publishes what a reviewer decided, once it can't be taken back any more."
    )
    name = "repeat-offender"
    channels[name] = _channel(topics.repeat_offenders, name, f"{_CONTRACTS[name].schema(Side.CONSUMER)['description']}")
    operations[f"send-{name}"] = _operation("send", name, "Publishes that a partner reached a level, once an episode.")
    for name, topic in topics.dead_letters.items():
        channel = f"{name}-dead-letter"
        channels[channel] = _channel(topic, "dead-letter", f"What was refused of the records of {topics.inputs[name]}.")
        operations[f"send-{channel}"] = _operation("send", channel, "Sets a record aside, byte for byte.", message="dead-letter")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stream detector",
            "version": __version__,
            "description": "Change events in, violations out. Operations are named from stream detector's side: producers of "
            "events send what it receives, subscribers receive what it sends. Text is JSON in UTF-8.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {name: _message(contract) for name, contract in _CONTRACTS.items() if name in channels}
            | {"dead-letter": _dead_letter()},
            "schemas": {name: _schema(contract) for name, contract in _CONTRACTS.items() if name in channels},
        },
    }


def _channel(topic: str, message: str, description: str) -> dict[str, Any]:
    return {
        "address": topic,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {"kafka": {"topic": topic}},
    }


def _operation(action: str, channel: str, summary: str, *, message: str | None = None) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message or channel}"}],
    }


def _schema(contract: Contract) -> JsonSchema:
    side = Side.PRODUCER if contract.direction is Direction.IN else Side.CONSUMER
    return {key: value for key, value in contract.schema(side).items() if not key.startswith("$")}


def _message(contract: Contract) -> dict[str, Any]:
    schema = contract.schema(Side.CONSUMER)
    return {
        "name": contract.name,
        "title": schema["title"],
        "summary": schema["description"],
        "contentType": _JSON,
        "headers": _HEADERS_OF_EVENTS,
        "payload": {"$ref": f"#/components/schemas/{contract.name}"},
        "bindings": {"kafka": {"key": _TEXT | {"description": _BYTES}}},
        "examples": [{"payload": example} for example in EXAMPLES[contract.name]],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "dead-letter",
        "title": "Dead letter",
        "summary": "A record that couldn't be read or scored: key, value and headers as they were, and headers that say why.",
        "contentType": "application/octet-stream",
        "headers": _HEADERS_OF_DEAD_LETTERS,
        "payload": {"description": "The record's value, whatever it was."},
        "bindings": {"kafka": {"key": _TEXT | {"description": "The record's key, whatever it was."}}},
    }
