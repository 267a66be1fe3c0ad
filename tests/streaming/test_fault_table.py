"""Each row of the table of Kafka's errors, driven through the real loop: what the worker does about it, wherever it comes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from confluent_kafka import KafkaError

from stream_detector.errors import START_AGAIN, FatalDeliveryError, GaveUpError
from stream_detector.settings import Delivery
from stream_detector.streaming.faults import TABLE
from stream_detector.streaming.patience import GIVE_UP_S
from tests.streaming.simulated_kafka import SimulatedClock, SimulatedKafka, SimulatedMessage, failure
from tests.streaming.simulated_worker import KINDS, TOPIC, SimulatedWorker, wrong

#: What each error must lead to. Kept apart from the table, so that a row that is new or changed needs a decision here too.
EXPECTED: Final = {
    "wait": """
        _TRANSPORT _TIMED_OUT _MSG_TIMED_OUT _ALL_BROKERS_DOWN _RESOLVE REQUEST_TIMED_OUT BROKER_NOT_AVAILABLE LEADER_NOT_AVAILABLE
        NOT_LEADER_FOR_PARTITION NOT_COORDINATOR COORDINATOR_NOT_AVAILABLE COORDINATOR_LOAD_IN_PROGRESS NOT_ENOUGH_REPLICAS
        NOT_ENOUGH_REPLICAS_AFTER_APPEND KAFKA_STORAGE_ERROR
    """,
    "abort": """
        _QUEUE_FULL UNSTABLE_OFFSET_COMMIT CONCURRENT_TRANSACTIONS _STATE UNKNOWN_MEMBER_ID ILLEGAL_GENERATION REBALANCE_IN_PROGRESS
        STALE_MEMBER_EPOCH
    """,
    "renew": """
        _FENCED PRODUCER_FENCED INVALID_PRODUCER_EPOCH INVALID_PRODUCER_ID_MAPPING INVALID_TXN_STATE UNKNOWN_PRODUCER_ID
        OUT_OF_ORDER_SEQUENCE_NUMBER
    """,
    "restart": "FENCED_INSTANCE_ID _FATAL",
    "stop": """
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED
        SASL_AUTHENTICATION_FAILED INVALID_TRANSACTION_TIMEOUT MSG_SIZE_TOO_LARGE RECORD_LIST_TOO_LARGE UNKNOWN_TOPIC_OR_PART
        _UNKNOWN_TOPIC _UNKNOWN_PARTITION POLICY_VIOLATION UNSUPPORTED_VERSION UNSUPPORTED_FOR_MESSAGE_FORMAT
    """,
}
ACTIONS: Final = {name: action for action, names in EXPECTED.items() for name in names.split()}
HEALED: Final = sorted(name for name, action in ACTIONS.items() if action in {"wait", "abort", "renew"})
ENDED: Final = sorted(name for name, action in ACTIONS.items() if action in {"restart", "stop"})
RECORDS: Final = 18


def test_every_row_is_driven() -> None:
    """A row that is added to the table, or taken out of it, must be decided here."""
    assert set(ACTIONS) == set(TABLE)


@pytest.fixture
def kafka() -> SimulatedKafka:
    """Nine events in each of two partitions."""
    kafka = SimulatedKafka(SimulatedClock(), [(TOPIC, 0), (TOPIC, 1)])
    for log in kafka.inputs.values():
        log.extend([(b"key", KINDS["fraud"][0])] * (RECORDS // 2))
    return kafka


def _fault(name: str) -> Callable[[], None]:
    code = getattr(KafkaError, name)

    def act() -> None:
        # As librdkafka flags them: a fenced producer is lost to its client, a transaction that lost messages waits to be aborted.
        raise failure(code, fatal=name in {"_FENCED", "_FATAL"}, abort=ACTIONS[name] == "abort")

    return act


def _arm(worker: SimulatedWorker, call: str, act: Callable[[], None], *, times: float = 1) -> None:
    """Have a call fail so many times."""
    left = times

    def failing() -> None:
        nonlocal left
        left -= 1
        if left > 0:
            worker.hooks.before[call] = failing
        act()

    worker.hooks.before[call] = failing


def _done(kafka: SimulatedKafka) -> bool:
    return sum(kafka.committed.values()) == RECORDS and wrong(kafka) == []


def _go_on(worker: SimulatedWorker, *, most: int = 200) -> None:
    """Step until all is done, or the worker has ended."""
    for _ in range(most):
        if not worker.alive or sum(worker.kafka.committed.values()) == RECORDS:
            return
        worker.step()


def _assert_ended(worker: SimulatedWorker, name: str) -> None:
    """In one line that names the error and the remedy; with the exit status that tells a supervisor what to do."""
    assert isinstance(worker.error, FatalDeliveryError)
    assert isinstance(worker.error, GaveUpError) == (ACTIONS[name] == "restart")
    assert (worker.error.exit_status == START_AGAIN) == (ACTIONS[name] == "restart")
    assert f" {name}: " in str(worker.error)
    assert str(worker.error).endswith(TABLE[name][1])
    assert "\n" not in str(worker.error)


@pytest.mark.parametrize("call", ["begin_transaction", "produce", "send_offsets_to_transaction", "commit_transaction"])
@pytest.mark.parametrize("name", HEALED)
def test_a_transaction_that_fails_is_done_again(kafka: SimulatedKafka, name: str, call: str) -> None:
    """Three times, at whichever call: everything is done once; a producer is made anew where the table, or a lost answer, says so."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(3)
    before = len(worker.producers)
    _arm(worker, call, _fault(name), times=3)
    _go_on(worker)
    assert worker.error is None
    assert _done(kafka)
    lost = ACTIONS[name] == "renew" or (call == "commit_transaction" and ACTIONS[name] == "wait")
    assert len(worker.producers) == before + (3 if lost else 0)


@pytest.mark.parametrize("call", ["produce", "send_offsets_to_transaction", "commit_transaction", "init_transactions"])
@pytest.mark.parametrize("name", ENDED)
def test_a_transaction_that_cannot_succeed_ends_the_worker(kafka: SimulatedKafka, name: str, call: str) -> None:
    """Nothing of the batch is visible, nothing that was done before is lost."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    if call != "init_transactions":
        worker.step(3)
    _arm(worker, call, _fault(name))
    _go_on(worker)
    _assert_ended(worker, name)
    assert sum(kafka.committed.values()) < RECORDS
    assert wrong(kafka) == []


@pytest.mark.parametrize("name", HEALED)
def test_a_producer_that_cannot_start_yet_is_tried_again(kafka: SimulatedKafka, name: str) -> None:
    """The worker rests, and begins when Kafka lets it."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    _arm(worker, "init_transactions", _fault(name), times=3)
    started = kafka.clock.now
    _go_on(worker)
    assert worker.error is None
    assert len(worker.producers) == 4
    assert kafka.clock.now > started
    assert _done(kafka)


@pytest.mark.parametrize("name", [*HEALED, *ENDED])
def test_a_consumer_that_meets_it(kafka: SimulatedKafka, name: str) -> None:
    """In the place of a record: what the client mends by itself is left to it, the rest ends the worker."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(2)
    poll, given = worker.consumer._poll, iter([SimulatedMessage((TOPIC, 0, -1), problem=KafkaError(getattr(KafkaError, name)))])
    worker.consumer._poll = lambda timeout: next(given, None) or poll(timeout)  # type: ignore[method-assign]
    _go_on(worker)
    assert next(given, None) is None
    if name in HEALED:
        assert worker.error is None
        assert _done(kafka)
    else:
        _assert_ended(worker, name)
        assert wrong(kafka) == []


@pytest.mark.parametrize("name", [*HEALED, *ENDED])
def test_offsets_that_cannot_be_read(kafka: SimulatedKafka, name: str) -> None:
    """On assignment: asked again until they can be read, or the end; never a start at another place."""
    kafka.committed = {(TOPIC, 0): 4}
    worker = SimulatedWorker(kafka, "0", slot=0)
    _arm(worker, "committed", _fault(name), times=3)
    _go_on(worker)
    if name in HEALED:
        assert worker.error is None
        assert sum(kafka.committed.values()) == RECORDS
        assert len([output for output in kafka.outputs if output.topic == "violations"]) == RECORDS - 4
    else:
        _assert_ended(worker, name)
        assert kafka.outputs == []


@pytest.mark.parametrize("name", [*HEALED, *ENDED])
def test_at_least_once_a_commit_that_fails(kafka: SimulatedKafka, name: str) -> None:
    """Output may repeat, and is never lost."""
    worker = SimulatedWorker(kafka, "0", slot=0, delivery=Delivery.AT_LEAST_ONCE)
    worker.step(3)
    _arm(worker, "commit", _fault(name), times=3)
    _go_on(worker)
    assert wrong(kafka, repeats_allowed=True) == []
    if name in HEALED:
        assert worker.error is None
        assert sum(kafka.committed.values()) == RECORDS
    else:
        _assert_ended(worker, name)


@pytest.mark.parametrize("name", HEALED)
def test_how_long_it_is_borne(kafka: SimulatedKafka, name: str) -> None:
    """Kafka that is away is waited for however long it takes; one that refuses for longer than two minutes ends the process."""
    worker = SimulatedWorker(kafka, "0", slot=0)
    worker.step(3)
    _arm(worker, "send_offsets_to_transaction", _fault(name), times=float("inf"))
    started = kafka.clock.now
    while worker.alive and kafka.clock.now - started < 3 * GIVE_UP_S:
        worker.step()
    if ACTIONS[name] == "wait":
        assert worker.alive
        worker.hooks.before.clear()
        _go_on(worker)
        assert _done(kafka)
    else:
        assert isinstance(worker.error, GaveUpError)
        assert kafka.clock.now - started > GIVE_UP_S
        assert wrong(kafka) == []
