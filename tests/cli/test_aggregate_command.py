"""`stream-detector aggregate` as a process, on the embedded broker; and how it refuses to start."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from stream_detector.cli import aggregate as command
from stream_detector.contracts.examples import EXAMPLES
from stream_detector.settings import Settings
from stream_detector.streaming import EmbeddedBroker
from tests.cli.calling import Call
from tests.kafka.mortal_aggregate import MortalAggregate
from tests.kafka.running import until
from tests.kafka.traffic import received

CONTACTS = ("sunny-loft", "host@", "P-secret-447700900142", "Traceback")


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process, with the topics that the program makes for itself elsewhere."""
    with EmbeddedBroker() as broker:
        topics = Settings().topics
        broker.create_topics(topics.partner_cases, topics.partner_cases_state, topics.partner_episodes_state)
        yield broker


def settings_for(bootstrap_servers: str, folder: Path) -> Settings:
    """Settings with free ports."""
    ours = {"web_port": 0, "data_directory": str(folder / "data")}
    return Settings.model_validate(
        {"bootstrap_servers": bootstrap_servers, "metrics_port": 0, "aggregation": ours, "log_level": "DEBUG"}
    )


def violation(number: int) -> bytes:
    """A violation of a partner whose id looks like a contact."""
    return orjson.dumps(
        EXAMPLES["violation"][0] | {"violationId": f"V-{number}", "partnerId": CONTACTS[2], "listingId": f"L-{number}"}
    )


def test_it_counts_tells_and_shows(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """From violations to a message, a page and metrics; what can't be read is passed over with its place, and no contact in logs."""
    settings = settings_for(broker.bootstrap_servers, tmp_path)
    topics = settings.topics
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for number in range(4):
        producer.produce(topics.violations, violation(number), b"key", 0)
    for value in (b'{"host@sunny-loft.example":', violation(9).replace(b'"P-secret-447700900142"', b"5"), None):
        producer.produce(topics.violations, value, b"key", 0)
    producer.produce(topics.reviews, b'{"violationId":"V-1"}', b"key", 0)
    producer.produce(topics.partner_cases, b"rubbish", b"key", 0)
    assert producer.flush(20) == 0
    aggregate = MortalAggregate(settings, tmp_path)
    until(lambda: len(received(settings, topics.repeat_offenders, "read_uncommitted")) == 2, "messages")
    until(lambda: aggregate.page()["partners"], "a row")
    (row,) = aggregate.page()["partners"]
    assert (row["partnerId"], row["violations"], row["listings"], row["contacts"], row["level"]) == (CONTACTS[2], 4, 4, 1, "notice")
    until(lambda: aggregate.get("/readyz")[0] == 200, "readiness")
    until(lambda: 'refused",record="case"} 1.0' in aggregate.get("/metrics")[1], "all records")
    metrics = aggregate.get("/metrics")[1]
    assert 'stream_detector_aggregation_records_total{outcome="taken",record="violation"} 4.0' in metrics
    assert 'stream_detector_aggregation_refused_total{reason="missing_field",record="review"} 1.0' in metrics
    assert 'stream_detector_repeat_offenders_total{level="notice",window="1d"} 1.0' in metrics
    assert 'stream_detector_partner_violations_total{partner="repeat",window="7d"} 3.0' in metrics
    assert aggregate.stop() == 0
    refused = [line for line in aggregate.log if line["event"] == "a record can't be read, and is passed over"]
    assert [(line["offset"], line["reason"]) for line in refused if line["topic"] == topics.violations] == [
        (4, "invalid_json"), (5, "wrong_type"), (6, "empty_value"),
    ]  # fmt: skip
    told = json.dumps(aggregate.log) + metrics
    assert not [contact for contact in CONTACTS if contact in told]


def test_kafka_away_is_waited_for(tmp_path: Path) -> None:
    """Not ready, and it says why; SIGTERM ends the waiting with status 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    aggregate = MortalAggregate(settings_for(f"127.0.0.1:{port}", tmp_path), tmp_path)
    line = aggregate.wait_for("kafka unreachable, trying again")
    assert f"no Kafka broker answers at 127.0.0.1:{port}" in line["cause"]
    assert aggregate.get("/readyz") == (503, '{"ready":false,"reason":"kafka unreachable"}\n')
    assert aggregate.get("/healthz")[0] == 200
    assert aggregate.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--aggregation.windows", "7d notice=1"], "aggregation.windows: '7d' is no length and hop"),
        (["--aggregation.weights", "fax=1"], "aggregation.weights: 'fax=1' is no weight"),
        (["--aggregation.keep-days", "3"], "aggregation.keep_days: 3 days are too few"),
        (["--aggregation.store", "disk"], "Invalid value for '--aggregation.store'"),
        (["--aggregation.data-directory", "/proc/nowhere"], "fingerprint_key: /proc/nowhere"),
    ],
)
def test_a_wrong_setting_is_named(call: Call, arguments: list[str], what: str) -> None:
    """Status 2, before anything is asked of Kafka."""
    called = call("aggregate", "--metrics-port", "0", *arguments)
    assert called.status == 2
    assert what in called.err
    assert "Traceback" not in called.err


def test_a_missing_extra_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Faust the error says what to install."""
    monkeypatch.setattr(command, "_is_installed", lambda _: False)
    called = call("aggregate")
    assert called.status == 2
    assert "stream-detector aggregate needs packages that are not installed: pip install 'stream-detector[aggregate]'" in called.err


def test_a_taken_port_is_named(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """The page's port is a setting, and the error says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for(broker.bootstrap_servers, tmp_path)
        ours = settings.aggregation.model_copy(update={"web_port": taken.getsockname()[1]})
        aggregate = MortalAggregate(settings.model_copy(update={"aggregation": ours}), tmp_path)
        status, last = aggregate.ended()
    assert status == 2
    assert "aggregation.web_port: can't listen on 127.0.0.1" in last
