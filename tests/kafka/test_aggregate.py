"""`stream-detector aggregate` on a real Apache Kafka: killed in the middle, and again; what it counts, tells and shows."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from stream_detector.settings import AggregationSettings, Settings
from stream_detector.streaming.topics import aggregation_topics, create_topics
from tests.kafka.broker import ApacheKafka
from tests.kafka.conftest import unique_settings
from tests.kafka.mortal_aggregate import MortalAggregate, differences
from tests.kafka.partners import Expected, faults_of_messages, make_traffic, send, send_aborted
from tests.kafka.running import until
from tests.kafka.secure_broker import PASSWORD, SecureKafka
from tests.kafka.traffic import received

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def aggregate_settings(apache: ApacheKafka, folder: Path, **values: object) -> Settings:
    """Settings with topics of their own, which exist."""
    ours = {"web_port": 0, "data_directory": str(folder / "data")} | values
    settings = unique_settings(
        bootstrap_servers=apache.bootstrap_servers, metrics_port=0, slot=0, aggregation=ours, log_level="WARNING"
    )
    group = {"group_id": f"aggregate-{settings.group_id}"}
    settings = settings.model_copy(
        update={"aggregation": AggregationSettings.model_validate(ours | group), "log_level": "INFO", "slot": 0}
    )
    create_topics(settings, partitions=3, replication_factor=1)
    return settings


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureKafka]:
    """A broker with passwords, certificates and ACLs."""
    with SecureKafka() as kafka:
        yield kafka


def test_with_a_password_over_tls_and_the_written_acls(secure: SecureKafka, tmp_path: Path) -> None:
    """The [kafka] table's keys reach Faust's client too, and the ACLs of the role are enough. The password is in no log."""
    settings = unique_settings(
        bootstrap_servers=secure.bootstrap_servers, metrics_port=0, slot=0, kafka=secure.kafka_keys("aggregate")
    )
    ours = AggregationSettings(group_id=f"aggregate-{settings.group_id}", web_port=0, data_directory=tmp_path / "data")
    settings = settings.model_copy(update={"aggregation": ours})
    names = [settings.topics.violations, *aggregation_topics(settings)]
    admin = secure.admin()
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(20)
    secure.grant("aggregate", settings)
    producer = Producer({"bootstrap.servers": secure.bootstrap_servers, "log_level": 0} | secure.kafka_keys("admin"))
    for topic, key, value in make_traffic(settings, seed=1, violations=10, partners=1).records:
        producer.produce(topic, value, key)
    assert producer.flush(20) == 0
    aggregate = MortalAggregate(settings, tmp_path)
    aggregate.wait_for("a partner reached a level")
    until(lambda: aggregate.page()["partners"], "a row")
    assert aggregate.stop() == 0
    assert PASSWORD not in str(aggregate.log)


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_killed_in_the_middle_it_counts_as_if_nothing_had_been(apache: ApacheKafka, tmp_path: Path, store: str) -> None:
    """Killed by -9 while it works, twice: the sums are those of a batch over the topics, and each episode was told, once."""
    settings = aggregate_settings(apache, tmp_path, store=store)
    chance = random.Random(store)
    traffic = make_traffic(settings, seed=7, violations=400, partners=12)
    send_aborted(settings, 20)
    for part in traffic.parts(2):
        send(settings, part)
        aggregate = MortalAggregate(settings, tmp_path)
        aggregate.wait_for("partitions assigned")
        time.sleep(chance.random() / 2)
        aggregate.kill()
    expected = Expected(settings)
    aggregate = MortalAggregate(settings, tmp_path)
    aggregate.wait_for("partitions assigned")
    until(lambda: not differences(aggregate, expected), "the sums of a batch computation")
    assert aggregate.stop() == 0
    assert faults_of_messages(settings, expected) == []
    keys = [message.key() for message in received(settings, settings.topics.repeat_offenders)]
    assert len(keys) > 10
    assert len(set(keys)) == len(keys)
