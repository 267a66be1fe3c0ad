"""`stream-detector play`: example events into a Kafka."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream_detector.settings import Settings
from stream_detector.streaming import EmbeddedBroker
from tests.cli.calling import Call, Start

EVENT = '{"topic": "bookings", "key": "k", "value": {"eventId": "E-1"}}\n'


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process."""
    with EmbeddedBroker(Settings().topics) as broker:
        yield broker


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A few events to play."""
    file = tmp_path / "events.jsonl"
    file.write_text(EVENT * 3, encoding="utf-8")
    return file


def _count(broker: EmbeddedBroker, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "count"})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        return sum(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[1] for partition in partitions)
    finally:
        consumer.close()


def test_once_sends_each_event(call: Call, broker: EmbeddedBroker, events: Path) -> None:
    """All of them are in the topic when it says so."""
    called = call("play", "--once", "--rate", "1000", "--events", events, "--bootstrap-servers", broker.bootstrap_servers)
    assert (called.status, called.out) == (0, "3 events sent\n")
    assert _count(broker, "bookings") == 3


def test_sigterm_ends_it_with_0(start: Start, broker: EmbeddedBroker, events: Path) -> None:
    """A container that is stopped leaves in good order, with what it sent delivered."""
    process = start("play", "--rate", "100", "--events", events, "--bootstrap-servers", broker.bootstrap_servers)
    while _count(broker, "bookings") < 5:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert int(out.split()[0]) == _count(broker, "bookings")


def test_a_missing_topic_is_told_before_the_first_event(call: Call, broker: EmbeddedBroker) -> None:
    """Events that nobody takes would look like a worker that finds nothing."""
    missing = "--topics.client-updates=nowhere"
    called = call("play", "--once", "--bootstrap-servers", broker.bootstrap_servers, missing)
    assert called.status == 2
    assert "nowhere" in called.err
    assert "topics create" in called.err
