"""`stream-detector verify` on a real Apache Kafka."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from stream_detector.cli.main import main
from stream_detector.settings import Settings
from tests.kafka.running import RunningWorker
from tests.kafka.stand_in import FRAUD, POISON
from tests.kafka.traffic import Sent, event, numbered, received, send

pytestmark = pytest.mark.kafka

Verify = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture
def verify(exactly_once: Settings, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Call the command on the test's group, with scores; give its status and its report."""

    def _verify(*arguments: str) -> tuple[int, dict[str, object]]:
        topics = [part for name, topic in exactly_once.topics for part in (f"--topics.{name.replace('_', '-')}", topic)]
        where = ["--bootstrap-servers", exactly_once.bootstrap_servers, "--group-id", exactly_once.group_id]
        capsys.readouterr()
        status = main(["verify", "--json", *where, *topics, "--publish-scores", *arguments])
        out = capsys.readouterr().out
        return status, json.loads(out) if out else {}

    return _verify


@pytest.fixture
def done(exactly_once: Settings) -> Settings:
    """A group that has done 26 records of all sorts, with transactions in its input."""
    settings = exactly_once.model_copy(update={"publish_scores": True, "max_batch_events": 7, "slot": None})
    topic = settings.topics.listing_updates
    records = [
        *numbered(settings, range(10)),
        *(Sent(topic, event(number), b"clean") for number in range(10, 22)),
        Sent(topic, b"{", b"broken"),
        Sent(topic, None, b"gone"),
        Sent(settings.topics.bookings, event(24, "booking", POISON), b"poison"),
    ]
    send(settings, records)
    _abort_some(settings, topic)
    send(settings, [Sent(topic, event(30, text=FRAUD), b"key")])
    with RunningWorker(settings) as running:
        running.has(len(records) + 1)
    return settings


def test_a_ledger_in_order_is_proven(done: Settings, verify: Verify) -> None:
    """Verdicts, dead letters, a tombstone, and the gaps that transactions leave."""
    status, report = verify("--to-end")
    assert report["faults"] == {}, report["examples"]
    assert (status, report["proven"], report["records"], report["presumedClean"]) == (0, True, 26, 0)
    assert report["outputs"] == {"violation": 11, "score": 23, "dead letter": 2}


def test_a_repeated_violation_is_found(done: Settings, verify: Verify) -> None:
    """What the fault runs would find if the guarantee broke."""
    message = received(done, done.topics.violations)[-1]  # the last of its partition: repeating an older one breaks the order too
    producer = Producer({"bootstrap.servers": done.bootstrap_servers})
    producer.produce(done.topics.violations, message.value(), message.key())
    producer.flush(10)
    status, report = verify()
    assert status == 1
    assert report["faults"] == {"repeated": 1}


def test_what_is_not_done_is_found(done: Settings, verify: Verify) -> None:
    """Committed offsets without output are lost records; records behind them are not done."""
    topic = done.topics.client_updates
    send(done, [Sent(topic, event(number, "client-update"), b"one key") for number in range(5)])
    assert verify()[0] == 0, "by default only what the group has committed is looked at"
    assert verify("--to-end")[1]["faults"] == {"not done": 5}
    consumer = Consumer({"bootstrap.servers": done.bootstrap_servers, "group.id": done.group_id})
    partition = next(number for number in (0, 1) if consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1])
    consumer.commit(offsets=[TopicPartition(topic, partition, 3)], asynchronous=False)
    consumer.close()
    assert verify()[1]["faults"] == {"lost": 3}
    assert verify("--span", f"{topic}:{partition}:1-3")[1]["faults"] == {"lost": 2}


def test_a_span_in_time(done: Settings, verify: Verify) -> None:
    """Nothing was written in the future; all of it was since an hour ago."""
    assert verify("--since", "2100-01-01T00:00:00Z")[1]["records"] == 0
    assert verify("--since", "1h")[1]["records"] == 26
    assert verify("--until", "1h")[1]["records"] == 0


@pytest.mark.parametrize("span", ["nonesuch:0:0-1", "{topic}:77:0-1", "{topic}:0:0-9999", "{topic}"])
def test_a_wrong_span_is_a_wrong_call(exactly_once: Settings, verify: Verify, span: str) -> None:
    """It is named, and nothing is proven by accident."""
    assert verify("--span", span.format(topic=exactly_once.topics.bookings))[0] == 2


def _abort_some(settings: Settings, topic: str) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "transactional.id": settings.group_id + "-test"})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, event(99, text=FRAUD), b"key")
    producer.flush(10)
    producer.abort_transaction(10)
