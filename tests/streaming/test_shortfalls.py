"""Where librdkafka falls short of the protocol, and the worker's answers: with each answer all is well, without it it isn't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from stream_detector.errors import FatalDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import Kafka
from stream_detector.streaming.delivery import ExactlyOnce
from stream_detector.streaming.faults import TABLE, Action
from stream_detector.streaming.subscription import Subscription
from stream_detector.streaming.watchdog import Watchdog
from tests.streaming.simulated_kafka import CrashError, SimulatedClock, SimulatedKafka, failure
from tests.streaming.simulated_worker import KINDS, TOPIC, SimulatedWorker, visible, wrong

PARTITIONS = [(TOPIC, 0), (TOPIC, 1)]


@pytest.fixture
def kafka() -> SimulatedKafka:
    """Nine events in each of two partitions."""
    kafka = SimulatedKafka(SimulatedClock(), PARTITIONS)
    _add(kafka, 9)
    return kafka


def _add(kafka: SimulatedKafka, count: int) -> None:
    for log in kafka.inputs.values():
        log.extend([(b"key", KINDS["fraud"][0])] * count)


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def _crash_with_an_open_transaction(kafka: SimulatedKafka) -> None:
    """A worker commits some events, dies in the transaction after that, and another one takes over while it is open."""
    first = SimulatedWorker(kafka, "first", slot=None)
    first.step(3)
    assert 0 < sum(kafka.committed.values()) < 9
    first.hooks.after["send_offsets_to_transaction"] = _raise(CrashError())
    first.step(5)
    assert not first.alive
    second = SimulatedWorker(kafka, "second", slot=None)
    second.step(2)
    kafka.clock.sleep(7)
    second.step(60)
    assert sum(kafka.committed.values()) == 18


def test_offsets_are_awaited_on_assignment(kafka: SimulatedKafka) -> None:
    """1. The silent rewind: the answer waits for the dead worker's transaction to end, and nothing is repeated."""
    _crash_with_an_open_transaction(kafka)
    assert wrong(kafka) == []


def test_without_awaiting_offsets_partitions_start_anew(kafka: SimulatedKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """1, without the answer: events that were done are done once more."""
    monkeypatch.setattr(Subscription, "_committed", lambda self, partitions, **_: [TopicPartition(*_key(at)) for at in partitions])
    _crash_with_an_open_transaction(kafka)
    assert max(count["scores"] for count in visible(kafka).values()) == 2


def _key(at: TopicPartition) -> tuple[str, int]:
    return at.topic, at.partition


def test_a_hanging_call_is_ended() -> None:
    """2. Each call that may hang is watched, for longer than its own time-out; between them nothing is."""
    hung: list[str] = []
    now = 0.0
    watchdog = Watchdog(hung.append, clock=lambda: now)

    class Hangs:
        """Takes a minute for everything."""

        def __getattr__(self, name: str) -> Callable[..., object]:
            def call(*_: object, **__: object) -> object:
                nonlocal now
                now += 60
                watchdog.check()
                return None

            return call

    hangs: Any = Hangs()
    guarantee = ExactlyOnce(Settings(), "0", hangs, watchdog, Kafka(producer=lambda _: hangs))
    guarantee.recover()
    guarantee.deliver([], [])
    guarantee.close()
    assert list(dict.fromkeys(hung)) == [
        "starting a transactional producer",
        "committing offsets in a transaction",
        "committing a transaction",
        "closing a producer",
    ]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_commit_without_an_answer_is_decided_by_a_new_producer(kafka: SimulatedKafka, arrives: bool) -> None:  # noqa: FBT001
    """3. No KIP-890: whether the commit was carried out or not, the events are done once, and by a producer made anew."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(3)
    before = len(worker.producers)
    hooks = worker.hooks.after if arrives else worker.hooks.before
    hooks["commit_transaction"] = _raise(failure(KafkaError._TIMED_OUT))
    worker.step(60)
    assert len(worker.producers) == before + 1
    assert sum(kafka.committed.values()) == 18
    assert wrong(kafka) == []


def _take_too_long(kafka: SimulatedKafka) -> SimulatedWorker:
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(3)
    worker.hooks.before["commit_transaction"] = lambda: kafka.clock.sleep(11)
    worker.step(60)
    return worker


def test_a_transaction_past_its_time_is_done_again(kafka: SimulatedKafka) -> None:
    """4. _FENCED on the legitimate worker: it goes on with a new producer."""
    worker = _take_too_long(kafka)
    assert worker.error is None
    assert sum(kafka.committed.values()) == 18
    assert wrong(kafka) == []


def test_taken_for_a_second_worker_it_would_stop(kafka: SimulatedKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """4, without the answer: a slow moment ends the worker."""
    monkeypatch.setitem(TABLE, "_FENCED", (Action.STOP, "another worker runs"))
    assert isinstance(_take_too_long(kafka).error, FatalDeliveryError)


def _abort(kafka: SimulatedKafka) -> None:
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(3)
    worker.hooks.before["send_offsets_to_transaction"] = _raise(failure(KafkaError._TRANSPORT))
    worker.step(20)
    _add(kafka, 3)
    worker.step(60)
    assert sum(kafka.committed.values()) == 24


def test_an_abort_goes_back(kafka: SimulatedKafka) -> None:
    """5. The consumer goes on where it is; the worker seeks to what is committed."""
    _abort(kafka)
    assert wrong(kafka) == []


def test_without_going_back_events_are_lost(kafka: SimulatedKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """5, without the answer: the batch that was aborted is never done, and its offsets are committed over."""
    monkeypatch.setattr(Subscription, "rewind", lambda *_: None)
    _abort(kafka)
    assert any("seen {}" in fault for fault in wrong(kafka))
