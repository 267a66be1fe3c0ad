"""Values in a schema registry's format through a real worker: read, written, waited for, and proven by `verify`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from stream_detector.contracts.avro import event_schema
from stream_detector.observability import State
from stream_detector.settings import RegistrySettings, Settings
from stream_detector.streaming.proof import choose_spans, prove
from stream_detector.streaming.reading import Reader
from tests.contracts.registry_server import RegistryServer
from tests.kafka.running import RunningWorker, until
from tests.kafka.stand_in import FRAUD
from tests.kafka.traffic import Sent, event, received, send


def _avro(server: RegistryServer, topic: str, number: int) -> bytes:
    document = json.loads(event(number, text=f"on {FRAUD}"))
    document["occurredAt"] = datetime.now(UTC)
    serializer = AvroSerializer(SchemaRegistryClient({"url": server.url}), json.dumps(event_schema()))
    written = serializer(document, SerializationContext(topic, MessageField.VALUE))
    assert written
    return written


@pytest.mark.kafka
def test_avro_in_avro_out(exactly_once: Settings) -> None:
    """Producers and subscribers with Confluent's serializers; JSON beside it; what doesn't fit is a dead letter, as it came."""
    topic, topics = exactly_once.topics.listing_updates, exactly_once.topics
    with RegistryServer() as server:
        section = RegistrySettings.model_validate({"url": server.url, "output": "avro", "auto_register": True})
        settings = exactly_once.model_copy(update={"registry": section, "publish_scores": True})
        unknown, mismatch = b"\x00\x00\x00\x03\xe7{}", _avro(server, topic, 3)[:5] + b"\xff\xff"
        headers = (("own", b"\xff\x00"),)
        records = [
            Sent(topic, _avro(server, topic, 1), b"a"),
            Sent(topic, event(2, text=f"on {FRAUD}"), b"b"),
            Sent(topic, unknown, b"unknown", headers),
            Sent(topic, mismatch, b"mismatch", headers),
        ]
        send(settings, records)
        server.asked.clear()
        with RunningWorker(settings) as running:
            running.has(len(records))
        assert server.asked.count("GET /schemas/ids/1") == 1

        read = AvroDeserializer(SchemaRegistryClient({"url": server.url}))
        context = SerializationContext(topics.violations, MessageField.VALUE)
        found = {message.key(): read(message.value(), context) for message in received(settings, topics.violations)}
        assert {key: document["eventId"] for key, document in found.items()} == {b"a": "E-1", b"b": "E-2"}
        assert found[b"a"]["attributes"] == {"description": f"on {FRAUD}"}
        assert len(received(settings, topics.scores)) == 2

        letters = {message.key(): message for message in received(settings, topics.dead_letters_of(topic))}
        assert {key: letter.value() for key, letter in letters.items()} == {b"unknown": unknown, b"mismatch": mismatch}
        whys = {key: dict(letter.headers() or ()) for key, letter in letters.items()}
        assert {key: why["dlq.reason"] for key, why in whys.items()} == {
            b"unknown": b"unknown_schema",
            b"mismatch": b"schema_mismatch",
        }
        assert whys[b"unknown"]["own"] == b"\xff\x00"
        assert b"schema 999" in (whys[b"unknown"]["dlq.error"] or b"")
        assert b"schema 1" in (whys[b"mismatch"]["dlq.error"] or b"")

        with Reader(settings) as reader, Reader(settings, isolation="read_uncommitted") as latest:
            report = prove(reader, latest, settings, choose_spans(reader, settings))
        assert report.proven, report.examples
        assert report.outputs == {"violation": 2, "score": 2, "dead letter": 2}


@pytest.mark.kafka
def test_a_registry_that_comes_and_goes(exactly_once: Settings) -> None:
    """Away at the start it is waited for; away later, its records wait and others before them go on; no dead letter comes of it."""
    topic, topics = exactly_once.topics.listing_updates, exactly_once.topics
    with RegistryServer() as server:
        section = RegistrySettings.model_validate({"url": server.url, "output": "json", "auto_register": True})
        settings = exactly_once.model_copy(update={"registry": section})
        value = _avro(server, topic, 2)
        server.away = True
        with RunningWorker(settings) as running:
            until(lambda: running.readiness.state is State.REGISTRY_UNREACHABLE, "waiting for the registry")
            server.away = False
            running.ready()
            server.away = True
            send(settings, [Sent(topic, event(1, text=FRAUD), b"one key"), Sent(topic, value, b"one key")])
            running.has(1)
            until(lambda: running.readiness.state is State.REGISTRY_UNREACHABLE, "waiting for the schema")
            send(settings, [Sent(topic, event(3, text=FRAUD), b"one key")])
            server.away = False
            running.has(3)
            assert running.readiness.ready
    assert [outcome.event.event_id for outcome in running.outcomes if outcome.event] == ["E-1", "E-2", "E-3"]
    found = [json.loads((message.value() or b"")[5:])["eventId"] for message in received(settings, topics.violations)]
    assert found == ["E-1", "E-2", "E-3"]
    assert not received(settings, topics.dead_letters_of(topic))
