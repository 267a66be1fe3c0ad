"""Creating the topics."""

from __future__ import annotations

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.settings import Settings
from stream_detector.streaming import create_topics, topics
from stream_detector.streaming.clients import ClientErrors, consumer_config, make_admin, make_consumer
from tests.kafka.broker import ApacheKafka
from tests.kafka.conftest import unique_settings


@pytest.mark.kafka
def test_topics_are_created_once(apache: ApacheKafka) -> None:
    """Running it again is no error, and says what was there."""
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers)
    first = create_topics(settings, partitions=1, replication_factor=1)
    second = create_topics(settings, partitions=1, replication_factor=1)
    names = settings.topics
    assert {report.name for report in first} == {
        *names.inputs,
        *map(names.dead_letters_of, names.inputs),
        names.violations,
        names.scores,
        names.shadow,
        names.replays,
        names.reviews,
        names.partner_cases,
        names.partner_cases_state,
        names.partner_episodes_state,
        names.repeat_offenders,
    }
    assert all(report.created for report in first)
    assert not any(report.created for report in second)


@pytest.mark.kafka
def test_a_refusal_names_the_topic(apache: ApacheKafka) -> None:
    """More replicas than brokers: the broker's reason is told."""
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers)
    with pytest.raises(ConfigurationError, match=r"topics: .*: the broker refuses to create it: INVALID_REPLICATION_FACTOR"):
        create_topics(settings, partitions=1, replication_factor=3)


def test_no_broker_is_a_matter_of_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting, the address and what to check."""
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    with pytest.raises(ConfigurationError, match=r"bootstrap_servers: no Kafka broker answers at 127\.0\.0\.1:1: .*check"):
        create_topics(Settings(bootstrap_servers="127.0.0.1:1"), partitions=1, replication_factor=1)


@pytest.mark.parametrize("kind", ["consumer", "producer"])
def test_a_worker_without_a_broker_says_so(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Starting against a wrong address ends in the same error, with the cause that only the error callback knows."""
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    settings = Settings(bootstrap_servers="127.0.0.1:1")
    errors = ClientErrors()
    client = (
        make_consumer(consumer_config(settings, "0") | {"error_cb": errors})
        if kind == "consumer"
        else make_admin(settings, {"error_cb": errors})
    )
    with pytest.raises(ConfigurationError, match=r"no Kafka broker answers .*Connection refused"):
        topics.require_topics(client, settings.topics.inputs, errors, settings)
