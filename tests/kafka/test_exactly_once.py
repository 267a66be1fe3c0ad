"""Exactly once, on a real Apache Kafka: what a crash, an error or a second worker at any point leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_detector.errors import FatalDeliveryError, RetryableDeliveryError
from stream_detector.observability import State
from stream_detector.settings import Settings
from stream_detector.streaming.clients import consumer_config, make_consumer, producer_config
from stream_detector.streaming.delivery import ExactlyOnce
from stream_detector.streaming.records import OutputMessage
from stream_detector.streaming.topics import create_topics
from stream_detector.streaming.watchdog import Watchdog
from tests.kafka.broker import ApacheKafka
from tests.kafka.conftest import unique_settings
from tests.kafka.running import RunningWorker, until
from tests.kafka.traffic import committed, numbered, received, send, violations

pytestmark = pytest.mark.kafka


def once(count: int) -> dict[str, int]:
    """Events 0 to count - 1, each with one violation."""
    return {f"E-{number}": 1 for number in range(count)}


def test_output_of_an_aborted_batch_is_invisible(exactly_once: Settings) -> None:
    """Output that was written before its batch failed is never seen by read_committed; the next try's is, once."""
    topics = exactly_once.topics
    consumer = _FailingConsumer(exactly_once)
    positions = [TopicPartition(topics.bookings, 0, 7)]
    message = OutputMessage(topics.violations, b"key", b"value", [("name", b"x")])
    with Watchdog() as watchdog:
        guarantee = ExactlyOnce(exactly_once, "0", consumer, watchdog)  # type: ignore[arg-type]
        guarantee.recover()
        with pytest.raises(RetryableDeliveryError, match="_TIMED_OUT"):
            guarantee.deliver([message], positions)
        assert received(exactly_once, topics.violations) == []
        consumer.failing = False
        guarantee.recover()
        guarantee.deliver([message], positions)
        guarantee.close()
    assert [message.value() for message in received(exactly_once, topics.violations)] == [b"value"]
    (position,) = consumer.committed([TopicPartition(topics.bookings, 0)], timeout=10)
    assert position.offset == 7
    consumer.close()


@pytest.mark.parametrize(
    ("point", "slot", "protocol"),
    [
        ("produced", 0, "classic"),
        ("sent", 0, "classic"),
        ("sent", None, "classic"),
        ("sent", 0, "consumer"),
        ("sent", None, "consumer"),
    ],
)
def test_a_crash_in_mid_transaction_loses_and_repeats_nothing(
    exactly_once: Settings, tmp_path: Path, point: str, slot: int | None, protocol: str
) -> None:
    """SIGKILL between output and commit: the next worker, with the dead one's identity or another, does the rest once."""
    settings = exactly_once.model_copy(update={"slot": slot, "max_batch_events": 20, "kafka": {"group.protocol": protocol}})
    send(settings, numbered(settings, range(200)))
    file = tmp_path / "settings.json"
    file.write_text(settings.model_dump_json(), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.mortal_worker", str(file), point],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        assert any(line == b"here\n" for line in lines), process.communicate()[1].decode()
    finally:
        process.kill()
        process.communicate()
    before = violations(settings)
    assert 50 <= sum(before.values()) < 200
    assert sum(violations(settings, "read_uncommitted").values()) > sum(before.values()), "no output was left hanging"
    with RunningWorker(settings) as running:
        running.has(200 - sum(before.values()))
        # Without the dead worker's identity nobody ends its transaction: until it times out, readers wait before it.
        until(lambda: len(violations(settings)) == 200, "the end of the dead worker's transaction")
    assert violations(settings) == once(200)


def test_a_fenced_producer_is_made_anew(exactly_once: Settings) -> None:
    """A producer that was fenced off, as after a transaction that took too long, is replaced; nothing is lost or repeated."""
    send(exactly_once, numbered(exactly_once, range(50)))
    with RunningWorker(exactly_once) as running:
        running.has(50)
        usurper = Producer(producer_config(exactly_once, "0"))
        usurper.init_transactions(20)
        send(exactly_once, numbered(exactly_once, range(50, 100)))
        running.has(100)
    assert violations(exactly_once) == once(100)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_second_worker_takes_its_share(exactly_once: Settings, protocol: str) -> None:
    """Workers that come and go while events flow: partitions move, and every event has its output once."""
    update = {"slot": None, "max_batch_events": 5, "kafka": {"group.protocol": protocol}}
    first_settings = exactly_once.model_copy(update=update)
    topics = exactly_once.topics.inputs
    with RunningWorker(first_settings) as first:
        first.has(send(exactly_once, numbered(exactly_once, range(100))))
        with RunningWorker(first_settings) as second:
            until(lambda: any(map(second.lags, topics)), "partitions for the second worker")
            # To all partitions, for either worker has some of them.
            total = 100
            for topic in topics:
                total += send(exactly_once, numbered(exactly_once, range(total, total + 70), topic))
            until(lambda: second.outcomes, "a share for the second worker")
        total += send(exactly_once, numbered(exactly_once, range(total, total + 50)))
        first.has(total - len(second.outcomes))
    assert violations(exactly_once) == once(total)


def test_a_second_worker_in_the_same_slot_ends_the_first(exactly_once: Settings) -> None:
    """Two workers with one slot don't fight forever: the older one stops and says why."""
    with RunningWorker(exactly_once) as second_holder:
        second_holder.ready()
        with RunningWorker(exactly_once) as usurper:
            usurper.ready()
            send(exactly_once, numbered(exactly_once, range(20)))
            usurper.has(20)
            until(lambda: second_holder.error, "the end of the first worker")
        error, second_holder.error = second_holder.error, None
    assert isinstance(error, FatalDeliveryError)
    assert "slot" in str(error)
    assert violations(exactly_once) == once(20)


def test_a_message_that_a_topic_refuses_stops_the_worker(apache: ApacheKafka) -> None:
    """A violation too large for its topic ends in an error that names the topic and the remedy, not in endless tries."""
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers, max_event_bytes=4096)
    create_topics(settings.model_copy(update={"max_event_bytes": 1}), partitions=1, replication_factor=1)
    settings = settings.model_copy(update={"max_event_bytes": 1 << 20})
    [record] = numbered(settings, [0])
    assert record.value is not None
    record = type(record)(record.topic, record.value.replace(b"on whatsapp", b"on whatsapp " + b"x" * 200_000), record.key)
    send(settings, [record])
    with (
        pytest.raises(FatalDeliveryError, match=rf"publishing to {settings.topics.violations}: .*max\.message\.bytes"),
        RunningWorker(settings) as running,
    ):
        running.join()
    assert violations(settings) == {}


def test_a_broker_that_dies_and_returns(tmp_path: Path) -> None:
    """The worker outlives its broker's death: not ready meanwhile, and afterwards every event has its output once."""
    with ApacheKafka() as kafka:
        settings = unique_settings(bootstrap_servers=kafka.bootstrap_servers, slot=0)
        create_topics(settings, partitions=2, replication_factor=1)
        send(settings, numbered(settings, range(50)))
        with RunningWorker(settings) as running:
            running.has(50)
            # Not before the transaction's end is written everywhere: a broker that dies in between can leave the group's
            # offsets unreadable until it is restarted once more (Apache Kafka 4.3.1, see docs).
            until(lambda: committed(settings, settings.topics.listing_updates) == 50, "the offsets")
            kafka.kill()
            until(lambda: running.readiness.state is State.KAFKA_UNREACHABLE, "unreadiness")
            kafka.start()
            send(settings, numbered(settings, range(50, 100)))
            running.has(100)
            assert running.readiness.ready
        assert violations(settings) == once(100)


class _FailingConsumer:
    """A consumer whose group can't be named, so that a transaction fails after its output was written."""

    def __init__(self, settings: Settings) -> None:
        self.failing = True
        self._real: Consumer = make_consumer(consumer_config(settings, "0"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def consumer_group_metadata(self) -> object:
        if self.failing:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return self._real.consumer_group_metadata()
