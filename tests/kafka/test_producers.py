"""What docs/producers.md shows works: its programs publish events that the closed schemas and the worker take."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Message

from stream_detector.contracts import Event, decode
from stream_detector.contracts.registry import RegistryOutput
from stream_detector.contracts.unknown import unknown_fields
from stream_detector.registry import encoder_for, make_client, wire_format
from stream_detector.settings import RegistrySettings, Settings
from tests.contracts.registry_server import RegistryServer
from tests.kafka.broker import LIBS
from tests.kafka.traffic import received

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "producers.md").read_text(encoding="utf-8")
CHECK, PRODUCE, PRODUCE_AVRO = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def _only(settings: Settings) -> tuple[Message, Event]:
    """The one record of the topic, and the event that it holds by the letter of the contract."""
    (message,) = received(settings, settings.topics.listing_updates)
    value = message.value() or b""
    assert not list(unknown_fields(Event, orjson.loads(value)))
    return message, decode(Event, value)


def _run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.kafka
def test_the_python_producer(exactly_once: Settings) -> None:
    """The block as it stands."""
    _run(sys.executable, "-c", PRODUCE, BROKERS=exactly_once.bootstrap_servers, TOPIC=exactly_once.topics.listing_updates)
    message, event = _only(exactly_once)
    assert message.key() == b"L-9"
    assert event.texts == {"listingDescription": "Sunny loft by the harbour."}


@pytest.mark.kafka
def test_the_python_producer_with_a_registry(exactly_once: Settings) -> None:
    """The block as it stands, after the schemas were filed as the guide says; the worker's codec reads what it sent."""
    topic = exactly_once.topics.listing_updates
    with RegistryServer() as server:
        settings = exactly_once.model_copy(update={"registry": RegistrySettings(url=server.url)})
        encoder_for(make_client(settings.registry), settings.registry, RegistryOutput.AVRO).register_event(topic, "listing-update")
        _run(sys.executable, "-c", PRODUCE_AVRO, BROKERS=settings.bootstrap_servers, TOPIC=topic, REGISTRY=server.url)
        (message,) = received(settings, topic)
        event = wire_format(settings).read(Event, message.value() or b"", (), max_bytes=10_000)
    assert (message.key(), event.listing_id) == (b"L-9", "L-9")
    assert event.texts == {"listingDescription": "Sunny loft by the harbour."}


@pytest.mark.kafka
def test_the_java_producer(exactly_once: Settings, tmp_path: Path) -> None:
    """Compiled and run; texts beyond ASCII arrive as they were given."""
    javac, java = shutil.which("javac"), shutil.which("java")
    assert javac, "no javac: run make kafka-setup, which installs a JDK"
    assert java
    _run(javac, "-encoding", "UTF-8", "-cp", f"{LIBS}/*", "-d", tmp_path, ROOT / "examples/java/ListingUpdateProducer.java")
    topic = exactly_once.topics.listing_updates
    classes = f"{LIBS}/*:{tmp_path}"
    said = _run(
        java, "-cp", classes, "ListingUpdateProducer", exactly_once.bootstrap_servers, topic, "L-9", "Schöne Wohnung 🏡", LC_ALL="C.UTF-8",
    )  # fmt: skip
    message, event = _only(exactly_once)
    assert said.strip() == f"{topic}-{message.partition()}@0"
    assert message.key() == b"L-9"
    assert event.texts == {"listingDescription": "Schöne Wohnung 🏡"}
    assert dict(message.headers() or [])["traceparent"]


def test_the_check_in_python() -> None:
    """The block as it stands, in the repository's root."""
    _run(sys.executable, "-c", CHECK)


def test_the_record_for_kcat() -> None:
    """The program isn't run: its key and its value are what the contract asks for."""
    (line,) = re.findall(r"^echo '(.*?)' \|", GUIDE, re.MULTILINE)
    key, _, value = line.partition("|")
    event = decode(Event, value.encode())
    assert event.listing_id == key
    assert not list(unknown_fields(Event, json.loads(value)))
