"""From the settings to librdkafka's keys."""

from __future__ import annotations

import logging

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.settings import Delivery, Settings
from stream_detector.streaming.clients import (
    consumer_config,
    identity,
    kafka_logger,
    make_consumer,
    make_producer,
    producer_config,
)


def test_a_slot_is_an_identity() -> None:
    """A restarted worker must be recognised: by group.instance.id and transactional.id."""
    settings = Settings(slot=3, group_id="g")
    assert identity(settings) == identity(settings) == "3"
    assert consumer_config(settings, "3")["group.instance.id"] == "3"
    assert producer_config(settings, "3")["transactional.id"] == "g-3"


def test_without_a_slot_no_two_are_alike() -> None:
    """Two workers without a slot must never fence each other."""
    settings = Settings()
    assert identity(settings) != identity(settings)
    assert "group.instance.id" not in consumer_config(settings, "x")


def test_only_exactly_once_is_transactional() -> None:
    """At least once needs no transactions, and the embedded broker has none."""
    config = producer_config(Settings(delivery=Delivery.AT_LEAST_ONCE), "0")
    assert "transactional.id" not in config
    assert config["enable.idempotence"] is True


def test_passed_through_keys_win() -> None:
    """The [kafka] table has the last word, on every client."""
    settings = Settings(kafka={"session.timeout.ms": "9000", "security.protocol": "ssl"})
    assert consumer_config(settings, "0")["session.timeout.ms"] == "9000"
    assert producer_config(settings, "0")["security.protocol"] == "ssl"


@pytest.mark.parametrize("key", ["enable.auto.commit", "transactional.id", "partition.assignment.strategy", "group.id"])
def test_keys_that_void_the_guarantee_are_refused(key: str) -> None:
    """Nobody loses events by a line in a configuration file."""
    with pytest.raises(ConfigurationError, match=rf"kafka\.{key}: can't be set: .*; remove it"):
        consumer_config(Settings(kafka={key: "true"}), "0")


@pytest.mark.parametrize("make", [make_consumer, make_producer])
def test_a_wrong_key_is_named(make: object) -> None:
    """A complaint of librdkafka's becomes a configuration error, without a stack trace."""
    with pytest.raises(ConfigurationError, match=r"nonesuch.*\[kafka\] table"):
        make({"bootstrap.servers": "x", "group.id": "g", "nonesuch": "1"})  # type: ignore[operator]


def test_the_configuration_is_one_that_librdkafka_takes() -> None:
    """Clients can be made from it, in every combination."""
    for delivery in Delivery:
        settings = Settings(delivery=delivery, slot=0, bootstrap_servers="127.0.0.1:1")
        make_consumer(consumer_config(settings, "0")).close()
        make_producer(producer_config(settings, "0"))


def test_complaints_about_the_other_clients_keys_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Keys of the [kafka] table go to all clients: that a producer ignores a consumer's key is no news."""
    text = "Configuration property fetch.wait.max.ms is a consumer property and will be ignored by this producer instance"
    with caplog.at_level(logging.WARNING):
        kafka_logger().warning("%s [%s] %s", "CONFWARN", "client", text)
        kafka_logger().warning("%s [%s] %s", "OTHER", "client", "a warning")
    assert [line.getMessage() for line in caplog.records] == ["OTHER [client] a warning"]
