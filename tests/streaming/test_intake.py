"""The queue between Kafka and the scorer, and when it is too much."""

from __future__ import annotations

from stream_detector.batching import BatchLimits, CloseReason, Supply
from stream_detector.streaming.intake import BackPressure, Intake
from stream_detector.streaming.records import Outcome, OutcomeKind, Record
from tests.streaming.simulated_kafka import SimulatedClock, SimulatedKafka
from tests.streaming.simulated_worker import KINDS, TOPIC, SimulatedWorker, wrong

LIMITS = BatchLimits(max_events=3, max_bytes=1000)


def filled(*sizes: int) -> Intake:
    """An intake of records of such sizes, in partitions 0 and 1 by turns."""
    intake = Intake(promise_s=0.25)
    for offset, size in enumerate(sizes):
        record = Record("t", offset % 2, offset, None, b"x" * size)
        intake.put(record, Outcome(record, OutcomeKind.TOMBSTONE), now=10.0 + offset)
    return intake


def test_pressure_has_hysteresis() -> None:
    """On above either limit, off only below half of both: it doesn't flutter."""
    pressure = BackPressure(max_bytes=100, max_age_s=1.0)
    steps = [(100, 0.0), (101, 0.0), (60, 0.0), (50, 0.6), (50, 0.5), (10, 1.1), (10, 0.51), (0, 0.0)]
    seen = [(pressure.update(*step), pressure.on) for step in steps]
    assert seen == [
        (False, False), (True, True), (False, True), (False, True), (True, False), (True, True), (False, True), (True, False),
    ]  # fmt: skip


def test_batches_are_cut_off_the_front() -> None:
    """In order, as large as the rule says; what is left waits for more unless there is none."""
    intake = filled(10, 10, 10, 10)
    cut = intake.cut(LIMITS, Supply.MORE, now=0.0)
    assert cut is not None
    assert ([record.offset for record, _ in cut[0].entries], cut[1]) == ([0, 1, 2], CloseReason.FULL)
    assert (len(intake), intake.payload_bytes) == (1, 10)
    assert intake.cut(LIMITS, Supply.MORE, now=0.0) is None
    cut = intake.cut(LIMITS, Supply.IDLE, now=0.0)
    assert cut is not None
    assert cut[1] is CloseReason.IDLE
    assert (len(intake), intake.payload_bytes, intake.age(99.0)) == (0, 0, 0.0)


def test_draining_cuts_batches_of_the_usual_size() -> None:
    """A stop must not make one giant batch of all that waits."""
    intake = filled(*[10] * 5)
    reasons = []
    while cut := intake.cut(LIMITS, Supply.CLOSED, now=0.0):
        reasons.append((len(cut[0]), cut[1]))
    assert reasons == [(3, CloseReason.FULL), (2, CloseReason.DRAIN)]


def test_revoked_partitions_leave_nothing_behind() -> None:
    """Their records are read by whoever has them now."""
    intake = filled(10, 20, 30)
    intake.drop({("t", 0)})
    assert (intake.first_offsets, intake.payload_bytes, intake.age(12.0)) == ({("t", 1): 1}, 20, 1.0)
    intake.clear()
    assert (intake.first_offsets, intake.payload_bytes) == ({}, 0)


def _paused(worker: SimulatedWorker) -> float | None:
    return worker.metrics.registry.get_sample_value("stream_detector_paused_partitions")


def _loaded(who: int = 1) -> tuple[SimulatedKafka, SimulatedWorker]:
    """A worker whose model is slow and whose input isn't."""
    kafka = SimulatedKafka(SimulatedClock(), [(TOPIC, 0), (TOPIC, 1)])
    for log in kafka.inputs.values():
        log.extend([(b"key", KINDS["fraud"][0])] * 40)
    worker = SimulatedWorker(kafka, str(who), slot=None)
    worker.beside.at_once = False
    worker.step(30)
    return kafka, worker


def test_a_queue_that_holds_too_much_pauses_its_partitions() -> None:
    """What is taken stays bounded however much there is; when it is worked off, taking goes on, and all is done."""
    kafka, worker = _loaded()
    assert _paused(worker) == 2
    assert worker.consumer.paused == set(kafka.inputs)
    taken = sum(worker.consumer.positions.values())
    worker.step(30)
    assert sum(worker.consumer.positions.values()) == taken < 20
    worker.beside.at_once = True
    worker.beside.go_on()
    worker.step(100)
    assert _paused(worker) == 0
    assert worker.consumer.paused == set()
    assert sum(kafka.committed.values()) == 80
    assert wrong(kafka) == []


def test_a_queue_that_is_too_old_pauses_its_partitions() -> None:
    """A few records that wait for longer than the promise are as bad as many."""
    kafka = SimulatedKafka(SimulatedClock(), [(TOPIC, 0)])
    log = kafka.inputs[TOPIC, 0]
    worker = SimulatedWorker(kafka, "1", slot=None)
    worker.beside.at_once = False
    log.append((b"key", KINDS["fraud"][0]))
    worker.step(4)
    log.append((b"key", KINDS["clean"][0]))
    worker.step(4)
    assert _paused(worker) == 0
    while kafka.clock.now < 1_800_000_001:
        worker.step()
    assert _paused(worker) == 1


def test_pausing_survives_a_rebalance_and_ends_after_it() -> None:
    """Partitions that come while others are paused are paused too, and all are resumed; those that went away don't count."""
    kafka, worker = _loaded()
    other = SimulatedWorker(kafka, "2", slot=None)
    for _ in range(3):
        other.step(2)
        worker.step(2)
    assert _paused(worker) == len(worker.consumer.owned) == 1
    other.worker.stop()
    other.step(20)
    worker.step(2)
    assert _paused(worker) == len(worker.consumer.owned) == 2
    worker.beside.at_once = True
    worker.beside.go_on()
    worker.step(100)
    assert _paused(worker) == 0
    assert wrong(kafka) == []
    assert sum(kafka.committed.values()) == 80
