"""The brokers that the contract is tested on: the embedded one, and a real Apache Kafka."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from functools import partial

import pytest

from stream_detector.settings import Delivery, Settings, TopicSettings
from stream_detector.streaming import EmbeddedBroker, create_topics, worker
from stream_detector.streaming.watchdog import Watchdog
from tests.kafka.broker import ApacheKafka


@pytest.fixture(autouse=True)
def _no_sudden_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging call must fail its test, not end pytest: in a thread, the watchdog only says what hangs."""
    monkeypatch.setattr(worker, "Watchdog", partial(Watchdog, lambda call: sys.stderr.write(f"hangs: {call}\n")))


@pytest.fixture(scope="session")
def apache() -> Iterator[ApacheKafka]:
    """A real broker. Where Java or the jars are missing the tests fail and say what to run: they are never skipped."""
    with ApacheKafka() as kafka:
        yield kafka


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """A broker in this process."""
    with EmbeddedBroker() as broker:
        yield broker


def unique_settings(**values: object) -> Settings:
    """Settings with topics and a group that no other test uses."""
    tag = uuid.uuid4().hex[:8]
    names = {name: f"{name}-{tag}" for name in TopicSettings.model_fields if name != "dead_letter_suffix"}
    return Settings.model_validate({"group_id": f"group-{tag}", "topics": names} | values)


@pytest.fixture
def exactly_once(apache: ApacheKafka) -> Settings:
    """Settings for exactly-once delivery on Apache Kafka, with topics that exist."""
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers, slot=0)
    create_topics(settings, partitions=2, replication_factor=1)
    return settings


@pytest.fixture(
    params=[
        "embedded",
        pytest.param(Delivery.EXACTLY_ONCE, marks=pytest.mark.kafka),
        pytest.param(Delivery.AT_LEAST_ONCE, marks=pytest.mark.kafka),
    ]
)
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings with topics that exist, on each broker and under each guarantee that the broker can give."""
    if request.param == "embedded":
        broker: EmbeddedBroker = request.getfixturevalue("embedded")
        settings = broker.settings_for(unique_settings(publish_scores=True))
        topics = settings.topics
        broker.create_topics(*topics.inputs, *map(topics.dead_letters_of, topics.inputs), topics.violations, topics.scores)
        return settings
    kafka: ApacheKafka = request.getfixturevalue("apache")
    settings = unique_settings(bootstrap_servers=kafka.bootstrap_servers, delivery=request.param, publish_scores=True)
    create_topics(settings, partitions=4, replication_factor=1)
    return settings
