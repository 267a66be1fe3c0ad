"""A schema registry that is away: its records wait, in order, and nothing is lost, repeated or refused because of it."""

from __future__ import annotations

import struct
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.contracts.registry import RegistryDecoder
from stream_detector.contracts.wire import WireFormat
from stream_detector.observability import State
from stream_detector.streaming import worker as worker_module
from tests.kafka.stand_in import FRAUD
from tests.kafka.traffic import event
from tests.streaming.simulated_kafka import CrashError, SimulatedClock, SimulatedKafka, failure
from tests.streaming.simulated_worker import DUE, TOPIC, SimulatedWorker, out_of_order, visible, wrong

FRAMED = struct.pack(">bI", 0, 7) + event(1, text=f"on {FRAUD}")
PLAIN = event(1, text=f"on {FRAUD}")


class _Schema:
    schema_str, schema_type, references = "{}", "JSON", None


class _Registry:
    """Knows all schemas, or is away."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0

    def get_schema(self, schema_id: int, /) -> _Schema:
        self.asked += 1
        if self.away:
            raise ConnectionError
        return _Schema()

    def get_version(self, subject_name: str, version: int, /) -> None:
        raise NotImplementedError


def _patch(monkeypatch: pytest.MonkeyPatch) -> _Registry:
    """The registry of all workers that are made from now on; each has its own memory of it."""
    registry = _Registry()
    monkeypatch.setattr(worker_module, "wire_format", lambda _: WireFormat(RegistryDecoder(registry)))
    for value in (FRAMED, PLAIN):
        monkeypatch.setitem(DUE, value, {"scores": 1, "violations": 1})
    return registry


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> _Registry:
    """A registry that is away."""
    return _patch(monkeypatch)


def _kafka(*values: bytes, partitions: int = 1) -> SimulatedKafka:
    kafka = SimulatedKafka(SimulatedClock(), [(TOPIC, number) for number in range(partitions)])
    for log in kafka.inputs.values():
        log.extend((b"key", value) for value in values)
    return kafka


def _state(worker: SimulatedWorker) -> State:
    return worker.worker._readiness.state


def test_what_was_in_hand_is_published_and_the_rest_waits(registry: _Registry) -> None:
    """Records in front of one that can't be read have their verdicts; those behind it wait, and readiness says for what."""
    kafka = _kafka(PLAIN, PLAIN, FRAMED, PLAIN)
    worker = SimulatedWorker(kafka, "1", slot=None)
    worker.step(100)
    assert kafka.committed == {(TOPIC, 0): 2}
    assert sum(visible(kafka).values(), Counter()) == {"scores": 2, "violations": 2}
    assert _state(worker) is State.REGISTRY_UNREACHABLE
    assert worker.consumer.paused == set(kafka.inputs)
    registry.away = False
    worker.step(100)
    assert _state(worker) is State.READY
    assert worker.consumer.paused == set()
    assert kafka.committed == {(TOPIC, 0): 4}
    assert wrong(kafka) == []
    assert not out_of_order(kafka)


def test_the_registry_is_asked_now_and_then(registry: _Registry) -> None:
    """Not at every step: it has enough to do."""
    kafka = _kafka(FRAMED)
    worker = SimulatedWorker(kafka, "1", slot=None)
    began = kafka.clock.now
    worker.step(500)
    assert registry.asked <= (kafka.clock.now - began) / 2 + 2


def test_a_stop_leaves_what_waits_to_the_next_worker(registry: _Registry) -> None:
    """It isn't committed; nothing hangs."""
    kafka = _kafka(PLAIN, FRAMED)
    first = SimulatedWorker(kafka, "1", slot=None)
    first.step(50)
    first.worker.stop()
    first.step(50)
    assert not first.alive
    assert first.error is None
    registry.away = False
    SimulatedWorker(kafka, "2", slot=None).step(100)
    assert kafka.committed == {(TOPIC, 0): 2}
    assert wrong(kafka) == []


def test_partitions_that_go_take_what_waits_with_them(registry: _Registry) -> None:
    """The worker that gets them reads it; the one that had them is ready again if nothing else waits."""
    kafka = _kafka(partitions=2)
    kafka.inputs[TOPIC, 1].append((b"key", FRAMED))
    first = SimulatedWorker(kafka, "1", slot=None)
    first.step(30)
    assert _state(first) is State.REGISTRY_UNREACHABLE
    second = SimulatedWorker(kafka, "2", slot=None)
    for _ in range(30):
        first.step()
        second.step()
    holding = [worker for worker in (first, second) if (TOPIC, 1) in worker.consumer.owned]
    assert [_state(worker) for worker in holding] == [State.REGISTRY_UNREACHABLE]
    (free,) = {first, second} - set(holding)
    assert _state(free) is State.READY
    kafka.inputs[TOPIC, 0].append((b"key", PLAIN))
    for _ in range(30):
        first.step()
        second.step()
    assert kafka.committed == {(TOPIC, 0): 1}
    registry.away = False
    for _ in range(60):
        first.step()
        second.step()
    assert wrong(kafka) == []
    assert sum(kafka.committed.values()) == 2


def test_a_batch_that_fails_meanwhile(registry: _Registry) -> None:
    """What waits is forgotten with the rest, and read again from where the group is."""
    kafka = _kafka(PLAIN, FRAMED, PLAIN)
    worker = SimulatedWorker(kafka, "1", slot=None)
    failing = True

    def fail() -> None:
        if failing:
            raise failure(-195)  # _TRANSPORT

    worker.hooks.before["commit_transaction"] = fail
    worker.step(40)
    failing = False
    registry.away = False
    worker.step(200)
    assert kafka.committed == {(TOPIC, 0): 3}
    assert wrong(kafka) == []


_STEPS = st.lists(st.sampled_from(["first", "second", "away", "back", "crash", "time"]), min_size=5, max_size=60)


@given(_STEPS)
@settings(deadline=None, max_examples=60)
def test_whatever_happens_meanwhile(steps: list[str]) -> None:
    """Two workers, a registry that comes and goes, and crashes: in the end each record has its outcome once, in order."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        registry = _patch(monkeypatch)
        kafka = _kafka(PLAIN, FRAMED, PLAIN, FRAMED, FRAMED, partitions=2)
        workers = [SimulatedWorker(kafka, str(number), slot=None) for number in (1, 2)]
        for number, step in enumerate(steps):
            match step:
                case "first" | "second":
                    workers[step == "second"].step(3)
                case "away" | "back":
                    registry.away = step == "away"
                case "time":
                    kafka.clock.sleep(2.5)
                case "crash":
                    workers[0].hooks.before["commit_transaction"] = _crash
                    workers[0].step(5)
                    if not workers[0].alive:
                        workers[0] = SimulatedWorker(kafka, f"1-{number}", slot=None)
        registry.away = False
        for _ in range(200):
            for worker in workers:
                worker.step(2)
        assert not any(worker.error for worker in workers)
        assert sum(kafka.committed.values()) == 10
        assert wrong(kafka) == []
        assert not out_of_order(kafka)


def _crash() -> None:
    raise CrashError
