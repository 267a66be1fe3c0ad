"""The registry that the settings name: what is written, what is asked of it, and what is said when it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stream_detector.contracts import CloudEvents, Event, Score, Violation, encode
from stream_detector.errors import ConfigurationError, DecodeError, DecodeReason, MissingExtraError, RegistryAwayError
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.records import OutputMessage, Record, judge, messages_of, read
from stream_detector.streaming.topics import verdict_topics
from tests.contracts.registry_server import RegistryServer
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FORMATS = ["json", "avro"]


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    """A registry without schemas."""
    with RegistryServer() as server:
        yield server


def _settings(url: str, **options: object) -> Settings:
    outer = {name: options.pop(name) for name in ("publish_scores", "cloud_events", "include_text") if name in options}
    return Settings.model_validate(outer | {"registry": {"url": url, "auto_register": True} | options})


def _outputs(settings: Settings, text: str = f"on {FRAUD}") -> tuple[list[OutputMessage], Violation]:
    wire = wire_format(settings)
    record = Record("listing-updates", 0, 1, b"k", event(1, text=text))
    found = read(record, settings, now=NOW, wire=wire)
    assert isinstance(found, Event)
    outcome = judge(record, found, respond(found.texts), settings, now=NOW)
    assert outcome.violation
    return messages_of(outcome, settings, now=NOW, wire=wire), outcome.violation


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("include_text", [True, False])
def test_what_is_written_is_read(server: RegistryServer, output: str, include_text: bool) -> None:  # noqa: FBT001
    """Violations and scores come back as they were, whoever of ours reads them."""
    settings = _settings(server.url, output=output, publish_scores=True, include_text=include_text)
    (violation, score), published = _outputs(settings)
    wire = wire_format(settings)
    again = wire.read(Violation, violation.value or b"", violation.headers, max_bytes=10_000)
    assert encode(again) == encode(published)
    assert wire.read(Score, score.value or b"", score.headers, max_bytes=10_000).event_id == "E-1"


def test_confluents_deserializers_read_it(server: RegistryServer) -> None:
    """Subscribers have theirs: it finds the schema by the number and validates against it."""
    context = SerializationContext("violations", MessageField.VALUE)
    client = SchemaRegistryClient({"url": server.url})
    for output, read_by in (("avro", AvroDeserializer(client)), ("json", JSONDeserializer(None, schema_registry_client=client))):
        (message,), violation = _outputs(_settings(server.url, output=output))
        document = read_by(message.value, context)
        assert (document["violationId"], document["source"]["offset"]) == (violation.violation_id, 1)


def test_the_filed_json_schema_holds(server: RegistryServer) -> None:
    """What is written is what the schema under its number says."""
    (message,), _ = _outputs(_settings(server.url, output="json"))
    ((subject, filed),) = server.filed
    assert subject == "violations-value"
    jsonschema_rs.validator_for(json.loads(filed["schema"])).validate(json.loads((message.value or b"")[5:]))


@pytest.mark.parametrize(
    ("strategy", "subjects"),
    [
        ("topic", ["violations-value", "scores-value"]),
        ("record", ["stream_detector.Violation", "stream_detector.Score"]),
        ("topic_record", ["violations-stream_detector.Violation", "scores-stream_detector.Score"]),
    ],
)
def test_subjects(server: RegistryServer, strategy: str, subjects: list[str]) -> None:
    """Are named as the serializers of registries name them."""
    _outputs(_settings(server.url, output="avro", subject_strategy=strategy, publish_scores=True))
    assert [subject for subject, _ in server.filed] == subjects


@pytest.mark.parametrize("output", FORMATS)
def test_a_binary_envelope(server: RegistryServer, output: str) -> None:
    """A CloudEvent in binary mode may hold such a value, on the way out and on the way in; its type and its schema say so."""
    settings = _settings(server.url, output=output, cloud_events="binary")
    (message,), violation = _outputs(settings)
    headers = dict(message.headers)
    assert headers["content-type"] == f"application/{output}".encode()
    assert headers["ce_dataschema"] == b"urn:schema-registry:1"
    assert wire_format(settings).read(Violation, message.value or b"", message.headers, max_bytes=10_000).violation_id
    assert headers["ce_id"] == violation.violation_id.encode()


def test_a_structured_envelope_is_refused() -> None:
    """Its data is JSON inside JSON: the two settings contradict each other, and that is said at the start."""
    flags = {"registry.url": "mock://", "registry.output": "avro", "cloud_events": CloudEvents.STRUCTURED}
    with pytest.raises(ConfigurationError, match=r"structured envelope can't hold .* set binary or none"):
        Settings.load(environment={}, flags=flags)


def test_the_registry_is_asked_once(server: RegistryServer) -> None:
    """Not once a violation."""
    settings = _settings(server.url, output="avro", auto_register=False)
    server.filed.clear()
    _outputs(_settings(server.url, output="avro"))
    server.asked.clear()
    wire = wire_format(settings)
    wire.prepare(verdict_topics(settings))
    _, violation = _outputs(_settings(server.url))
    for _ in range(3):
        wire.write(violation, "violations", (), CloudEvents.NONE)
    assert server.asked == ["POST /subjects/violations-value"]


def test_nothing_is_filed_unasked(server: RegistryServer) -> None:
    """A missing schema is named with the command that files it."""
    settings = _settings(server.url, output="json", auto_register=False)
    with pytest.raises(
        ConfigurationError, match=r"violations-value doesn't hold .* schema of Violation; run stream-detector schema"
    ):
        wire_format(settings).prepare(verdict_topics(settings))
    assert not server.filed


@pytest.mark.parametrize(("status", "remedy"), [(409, "rule of compatibility"), (422, "rule of compatibility"), (403, "username")])
def test_a_schema_that_is_refused(server: RegistryServer, status: int, remedy: str) -> None:
    """Only a person can help: the worker doesn't start."""
    server.refuses = status
    settings = _settings(server.url, output="avro")
    with pytest.raises(ConfigurationError, match=rf"violations-value: refused \(HTTP {status}\).*{remedy}"):
        wire_format(settings).prepare(verdict_topics(settings))


def test_an_absent_registry_is_waited_for(server: RegistryServer) -> None:
    """Nothing is wrong with the settings."""
    server.away = True
    settings = _settings(server.url, output="avro")
    with pytest.raises(RegistryAwayError, match=r"HTTP 503"):
        wire_format(settings).prepare(verdict_topics(settings))
    with pytest.raises(RegistryAwayError, match="check that it is up"):
        wire_format(_settings("http://127.0.0.1:1")).read(Event, b"\x00\x00\x00\x00\x01{}", (), max_bytes=100)


@pytest.mark.parametrize("in_file", [True, False])
def test_name_and_password(server: RegistryServer, tmp_path: Path, in_file: bool) -> None:  # noqa: FBT001
    """Are shown to the registry, from the settings or a file, and to nobody else."""
    server.user = "key:a:hush"
    secret = tmp_path / "secret"
    secret.write_text("a:hush\n", encoding="utf-8")
    options = {"password_file": secret} if in_file else {"password": "a:hush"}
    settings = _settings(server.url, output="avro", username="key", **options)
    wire_format(settings).prepare(verdict_topics(settings))
    assert "hush" not in repr(settings)
    with pytest.raises(ConfigurationError, match="HTTP 401") as caught:
        wire_format(_settings(server.url, output="avro", username="key", password="wrong")).prepare(verdict_topics(settings))
    assert "hush" not in str(caught.value)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"registry.output": "avro"}, "output needs url"),
        ({"registry.url": "registry:8081"}, "must be a URL"),
        ({"registry.url": "https://key:hidden@registry.example.org"}, "must be a URL"),
        ({"registry.url": "http://r", "registry.password_file": "/x"}, "password needs username"),
        (
            {"registry.url": "http://r", "registry.username": "u", "registry.password": "a", "registry.password_file": "b"},
            "both set",
        ),
    ],
)
def test_settings_that_are_wrong(options: dict[str, object], message: str) -> None:
    """Are named, and no secret with them."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        Settings.load(environment={}, flags=options)
    assert "hidden" not in str(caught.value)


def test_files_that_arent_there() -> None:
    """A secret or a certificate that can't be read is named by its setting."""
    with pytest.raises(ConfigurationError, match=r"registry.password_file: /not/there: No such file"):
        wire_format(_settings("http://r", username="u", password_file="/not/there"))
    with pytest.raises(ConfigurationError, match=r"files that \[registry\] names"):
        wire_format(_settings("https://r", ca_file="/not/there"))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to install; who has no registry doesn't need it."""
    monkeypatch.setitem(__import__("sys").modules, "confluent_kafka.schema_registry", None)
    with pytest.raises(MissingExtraError, match=r"stream-detector\[registry\]"):
        wire_format(_settings("http://r"))
    assert wire_format(Settings()).encoder is None


@pytest.mark.parametrize("settings", [Settings(), _settings("mock://", input="off")], ids=["no registry", "input off"])
def test_input_off(settings: Settings) -> None:
    """A value in the format is then a dead letter that says what to set, and nobody is asked."""
    with pytest.raises(DecodeError, match=r"format of a schema registry, .* set registry.url") as caught:
        wire_format(settings).read(Event, b"\x00\x00\x00\x00\x01{}", (), max_bytes=100)
    assert caught.value.reason is DecodeReason.UNKNOWN_SCHEMA


_WIRES = [wire_format(_settings("mock://", output=output)) for output in FORMATS]


@given(st.text(min_size=1).map(lambda text: text.encode("utf-8", "ignore").decode() + FRAUD))
@hypothesis_settings(deadline=None, max_examples=50)
def test_any_text_survives(text: str) -> None:
    """Avro and JSON carry the same: what a reviewer sees is what was written."""
    (plain,), violation = _outputs(Settings(), text)
    for wire in _WIRES:
        value, headers = wire.write(violation, "violations", (), CloudEvents.NONE)
        assert encode(wire.read(Violation, value, headers, max_bytes=100_000)) == plain.value
