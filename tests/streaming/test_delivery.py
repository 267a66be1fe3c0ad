"""The two guarantees, call by call, on a producer and a consumer that fail on command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from stream_detector.errors import FatalDeliveryError, ProducerLostError, RetryableDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import Kafka
from stream_detector.streaming.delivery import AtLeastOnce, ExactlyOnce
from stream_detector.streaming.records import OutputMessage
from stream_detector.streaming.watchdog import Watchdog

POSITIONS = [TopicPartition("bookings", 0, 8)]
MESSAGES = [OutputMessage("violations", b"key", b"value", ())]


class Script:
    """What was called, in order; and what fails: by call, the exceptions that its next calls raise."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failures: dict[str, list[Exception]] = defaultdict(list)
        self.report: KafkaError | None = None
        self.unsent = 0
        self.error_callbacks: list[Callable[[KafkaError], None]] = []

    def call(self, name: str) -> None:
        """Take note of a call, and fail if that was asked for."""
        self.calls.append(name)
        if self.failures[name]:
            raise self.failures[name].pop(0)

    def fail(self, name: str, code: int, *, fatal: bool = False, abort: bool = False) -> None:
        """Let the next call fail with a Kafka error."""
        self.failures[name].append(KafkaException(KafkaError(code, "reason", fatal=fatal, txn_requires_abort=abort)))


class ScriptedProducer:
    """Stands in for a producer: does nothing, writes it down, fails as told."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def __getattr__(self, name: str) -> Any:
        """Any other call: it only goes into the script."""
        return lambda *_: self.script.call(name)

    def __len__(self) -> int:
        """Nothing is queued."""
        return 0

    def produce(self, topic: str, *_: object, on_delivery: Callable[..., None], **__: object) -> None:
        """Report at once what the script says."""
        self.script.call("produce")
        if self.script.report is not None:
            on_delivery(self.script.report, _Message(topic))

    def flush(self, _: float) -> int:
        """How many the script leaves unsent."""
        self.script.call("flush")
        return self.script.unsent


class _Message:
    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        return self._topic


class ScriptedConsumer:
    """Stands in for a consumer."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def consumer_group_metadata(self) -> object:
        """Any group."""
        return object()

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        """Commit as the script says."""
        assert not asynchronous
        self.script.call("commit")
        return offsets


@pytest.fixture
def script() -> Script:
    """A script that every producer made in the test plays."""
    return Script()


def kafka_of(script: Script) -> Kafka:
    """Makes producers that play the script."""

    def make(config: dict[str, Any]) -> ScriptedProducer:
        script.calls.append("new producer")
        script.error_callbacks.append(config["error_cb"])
        return ScriptedProducer(script)

    return Kafka(producer=make)  # type: ignore[arg-type]


@pytest.fixture
def exactly_once(script: Script) -> Iterator[ExactlyOnce]:
    """A guarantee that is ready, with nothing in its script yet."""
    guarantee = ExactlyOnce(Settings(), "0", ScriptedConsumer(script), Watchdog(), kafka_of(script))  # type: ignore[arg-type]
    guarantee.recover()
    assert script.calls == ["new producer", "init_transactions"]
    script.calls.clear()
    yield guarantee
    guarantee.close()


@pytest.fixture
def at_least_once(script: Script) -> AtLeastOnce:
    """As above."""
    guarantee = AtLeastOnce(Settings(), "0", ScriptedConsumer(script), Watchdog(), kafka_of(script))  # type: ignore[arg-type]
    guarantee.recover()
    script.calls.clear()
    return guarantee


def test_a_batch_is_one_transaction(exactly_once: ExactlyOnce, script: Script) -> None:
    """Output and offsets, between one begin and one commit."""
    exactly_once.deliver(MESSAGES * 2, POSITIONS)
    begin, *middle, offsets, commit = [call for call in script.calls if call != "poll"]
    assert (begin, offsets, commit) == ("begin_transaction", "send_offsets_to_transaction", "commit_transaction")
    assert middle == ["produce", "produce"]


@pytest.mark.parametrize("code", [KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError.ILLEGAL_GENERATION])
def test_a_failure_before_the_commit_aborts(exactly_once: ExactlyOnce, script: Script, code: int) -> None:
    """The outcome is known, so the producer is kept, and the next batch goes through it."""
    script.fail("send_offsets_to_transaction", code)
    with pytest.raises(RetryableDeliveryError):
        exactly_once.deliver(MESSAGES, POSITIONS)
    assert script.calls[-1] == "abort_transaction"
    exactly_once.recover()
    exactly_once.deliver(MESSAGES, POSITIONS)
    assert "new producer" not in script.calls


def test_a_commit_without_an_answer_needs_a_new_producer(exactly_once: ExactlyOnce, script: Script) -> None:
    """It may have happened: aborting would guess. Only init_transactions of a new producer decides it."""
    script.fail("commit_transaction", KafkaError._TIMED_OUT)
    with pytest.raises(ProducerLostError):
        exactly_once.deliver(MESSAGES, POSITIONS)
    assert "abort_transaction" not in script.calls
    script.calls.clear()
    exactly_once.recover()
    assert script.calls == ["new producer", "init_transactions"]


def test_a_commit_that_must_be_aborted_is(exactly_once: ExactlyOnce, script: Script) -> None:
    """Messages timed out: the transaction can't have been committed."""
    script.fail("commit_transaction", KafkaError._STATE, abort=True)
    with pytest.raises(RetryableDeliveryError):
        exactly_once.deliver(MESSAGES, POSITIONS)
    assert script.calls[-1] == "abort_transaction"


@pytest.mark.parametrize("where", ["begin_transaction", "send_offsets_to_transaction", "commit_transaction"])
def test_a_fenced_producer_is_dropped(exactly_once: ExactlyOnce, script: Script, where: str) -> None:
    """Wherever it shows; a producer that was lost says so until there is a new one."""
    script.fail(where, KafkaError._FENCED, fatal=True)
    with pytest.raises(ProducerLostError, match="_FENCED"):
        exactly_once.deliver(MESSAGES, POSITIONS)
    with pytest.raises(ProducerLostError):
        exactly_once.deliver(MESSAGES, POSITIONS)
    exactly_once.recover()
    exactly_once.deliver(MESSAGES, POSITIONS)


def test_a_failing_abort_loses_the_producer(exactly_once: ExactlyOnce, script: Script) -> None:
    """Measured: an abort after a broker's death may raise INVALID_TXN_STATE, fatal."""
    script.fail("send_offsets_to_transaction", KafkaError._TRANSPORT)
    script.fail("abort_transaction", KafkaError.INVALID_TXN_STATE, fatal=True)
    with pytest.raises(ProducerLostError, match="_TRANSPORT"):
        exactly_once.deliver(MESSAGES, POSITIONS)


def test_the_first_refused_message_is_the_cause(exactly_once: ExactlyOnce, script: Script) -> None:
    """The transaction only says that it failed; the delivery report says which topic refused what."""
    script.report = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    script.fail("commit_transaction", KafkaError._STATE, abort=True)
    with pytest.raises(FatalDeliveryError, match="publishing to violations: TOPIC_AUTHORIZATION_FAILED"):
        exactly_once.deliver(MESSAGES, POSITIONS)
    assert "abort_transaction" in script.calls


def test_a_producer_that_lost_its_broker_is_replaced(exactly_once: ExactlyOnce, script: Script) -> None:
    """Before the next transaction, which might hang otherwise."""
    script.error_callbacks[-1](KafkaError(KafkaError._ALL_BROKERS_DOWN))
    exactly_once.deliver(MESSAGES, POSITIONS)
    assert script.calls.index("new producer") < script.calls.index("begin_transaction")
    script.calls.clear()
    exactly_once.deliver(MESSAGES, POSITIONS)
    assert "new producer" not in script.calls


def test_a_full_queue_is_waited_for(exactly_once: ExactlyOnce, script: Script) -> None:
    """The client's own queue being full is no failure."""
    script.failures["produce"] += [BufferError("full")] * 3
    exactly_once.deliver(MESSAGES, POSITIONS)
    assert script.calls.count("produce") == 4


def test_at_least_once_commits_after_all_is_written(at_least_once: AtLeastOnce, script: Script) -> None:
    """Output, flushed, then offsets."""
    at_least_once.deliver(MESSAGES, POSITIONS)
    assert script.calls == ["produce", "flush", "commit"]


@pytest.mark.parametrize("unsent", [0, 1])
def test_at_least_once_never_commits_what_was_not_written(at_least_once: AtLeastOnce, script: Script, unsent: int) -> None:
    """A message that failed or is still on its way: its offset stays, and the rest of it isn't sent later."""
    script.unsent = unsent
    script.report = None if unsent else KafkaError(KafkaError._MSG_TIMED_OUT)
    with pytest.raises(RetryableDeliveryError):
        at_least_once.deliver(MESSAGES, POSITIONS)
    assert "commit" not in script.calls
    assert script.calls[-1] == "purge"


def test_at_least_once_tries_again_after_a_refused_commit(at_least_once: AtLeastOnce, script: Script) -> None:
    """The group went on without this worker: the output is repeated by whoever has the partition now."""
    script.fail("commit", KafkaError.ILLEGAL_GENERATION)
    with pytest.raises(RetryableDeliveryError, match="committing offsets: ILLEGAL_GENERATION"):
        at_least_once.deliver(MESSAGES, POSITIONS)
