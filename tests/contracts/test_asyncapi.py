"""The AsyncAPI document is one, by the specification's own schema, and its references and examples hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stream_detector.cli.schema import documents
from stream_detector.contracts import DeadLetter, Source
from stream_detector.errors import DecodeError, DecodeReason
from stream_detector.settings import Settings
from stream_detector.streaming.topics import output_topics

DOCUMENT = documents(Settings())["asyncapi.json"]
SPECIFICATION = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text(encoding="utf-8"))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _resolve(reference: str) -> Any:
    node = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_it_is_asyncapi_3() -> None:
    """Generators and documentation tools take it."""
    faults = [f"{fault.instance_path}: {fault.message}" for fault in jsonschema_rs.iter_errors(SPECIFICATION, DOCUMENT)]
    assert not faults


def test_the_check_above_finds_faults() -> None:
    """A specification's schema that takes anything would prove nothing."""
    broken = DOCUMENT | {"channels": {"booking": {"adress": "bookings"}}}
    assert not jsonschema_rs.is_valid(SPECIFICATION, broken)


def test_every_reference_leads_somewhere() -> None:
    """And every operation's messages are messages of its channel."""
    references = list(_references(DOCUMENT))
    assert references
    for reference in references:
        assert _resolve(reference)
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_examples_fit_their_payload(name: str) -> None:
    """An example that is copied works."""
    message = DOCUMENT["components"]["messages"][name]
    schema = _resolve(message["payload"]["$ref"])
    assert message["examples"]
    for example in message["examples"]:
        assert jsonschema_rs.is_valid(schema, example["payload"])


def test_dead_letters_have_the_headers_that_are_described() -> None:
    """All of them, and no other that begins with dlq but the one of events that are traced."""
    error = DecodeError(DecodeReason.MISSING_FIELD, "is required; add it", field="partnerId")
    source = Source(topic="t", partition=0, offset=1)
    letter = DeadLetter.of(None, b"{}", (), source=source, error=error, timestamp=datetime(2026, 11, 24, tzinfo=UTC))
    headers = {name: (value or b"").decode() for name, value in letter.to_headers()}
    schema = DOCUMENT["components"]["messages"]["dead-letter"]["headers"]
    assert set(headers) == set(schema["properties"]) - {"dlq.traceparent"} == set(schema["required"])
    assert jsonschema_rs.is_valid(schema, headers)


def test_every_topic_of_the_worker_is_a_channel() -> None:
    """A new output, of the console and of the aggregation too, is a new channel; what only this program reads is none."""
    settings = Settings(publish_scores=True, shadow_model="another")
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    topics = settings.topics
    assert addresses == {*topics.inputs, *output_topics(settings), topics.reviews, topics.repeat_offenders}
