"""The shadow looks on in spare time: what it takes, what it drops, and that it disturbs nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from confluent_kafka import KafkaError

from stream_detector.contracts import Event, ScoringResponse, ShadowDisagreement, decode
from stream_detector.observability import Metrics
from stream_detector.rollout.shadow import Shadow
from stream_detector.rollout.share import in_share
from stream_detector.rollout.slot import Role, Slot
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, OutcomeKind, Record
from stream_detector.streaming.clients import Kafka
from tests.detection.stand_in import StandInBackend, detector
from tests.kafka.running import until
from tests.kafka.stand_in import respond
from tests.kafka.traffic import event

AGREED, DISAGREED = "The flat is bright.", "whatsapp is bright."
MOST = 256


class _Producer:
    """Remembers what it was given; fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]] = []
        self.failure: Exception | KafkaError | None = None

    def produce(self, topic: str, value: bytes, key: bytes | None, headers: Any, on_delivery: Callable[..., None]) -> None:
        if isinstance(self.failure, Exception):
            raise self.failure
        self.sent.append((topic, value, key, headers))
        on_delivery(self.failure, None)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        return 0


class Looking:
    """A shadow over the stand-in network, and what is around it."""

    def __init__(self, stack: ExitStack, **values: Any) -> None:
        self.metrics, self.producer, self.busy = Metrics(), _Producer(), False
        self.config: dict[str, Any] = {}
        settings = Settings.model_validate({"shadow_share": 1.0} | values)
        self.slot = Slot(Role.SHADOW, detector(StandInBackend()))
        self.shadow = Shadow(settings, self.slot, lambda: self.busy, self.metrics, Kafka(producer=self._make))
        stack.callback(self.shadow.close)

    def _make(self, config: dict[str, Any]) -> Any:
        self.config = config
        return self.producer

    def offer(self, text: str, *, key: bytes = b"L-1", latency_s: float = 0.05, response: ScoringResponse | None = None) -> None:
        """Offer an event that the worker's stand-in decided."""
        value = event(7, text=text)
        record = Record("listing-updates", 3, 7, key, value, (("traceparent", b"00-1-2-01"),))
        decided = response or respond({"description": text})
        self.shadow.offer(Outcome(record, OutcomeKind.CLEAN, decode(Event, value), decided, latency_s=latency_s))

    def dropped(self, reason: str) -> float:
        """How many were dropped for a reason."""
        return self.metrics.registry.get_sample_value("stream_detector_shadow_dropped_total", {"reason": reason}) or 0

    def compared(self, result: str) -> float:
        """How many comparisons had a result."""
        labels = {"model_version": "1.0", "refresh_version": "v20261124", "result": result}
        return self.metrics.registry.get_sample_value("stream_detector_shadow_events_total", labels) or 0


@pytest.fixture
def look() -> Iterator[Callable[..., Looking]]:
    """Make a shadow; it is closed in the end, and its thread ends."""
    before = set(threading.enumerate())
    with ExitStack() as stack:
        yield lambda **values: Looking(stack, **values)
    assert set(threading.enumerate()) <= before


def test_a_disagreement_is_published(look: Callable[..., Looking]) -> None:
    """With both verdicts, the record's key and its trace, to the topic of the settings; agreement is only counted."""
    looking = look(topics={"shadow": "elsewhere"})
    looking.offer(AGREED)
    looking.offer(DISAGREED)
    until(lambda: looking.compared("only_model") == looking.compared("agreed") == 1, "both comparisons")
    ((topic, value, key, headers),) = looking.producer.sent
    found = decode(ShadowDisagreement, value)
    assert (topic, key, headers) == ("elsewhere", b"L-1", [("traceparent", b"00-1-2-01")])
    assert (found.decided.score_details.label, found.shadow.score_details.label) == ("Fraud", "NonFraud")
    assert (found.source.partition, found.source.offset, found.attributes) == (3, 7, {"description": DISAGREED})
    assert found.compared_at <= datetime.now(UTC)


def test_texts_follow_include_text(look: Callable[..., Looking]) -> None:
    """Where violations carry none, disagreements don't either."""
    looking = look(include_text=False)
    looking.offer(DISAGREED)
    until(lambda: looking.producer.sent, "the disagreement")
    assert "attributes" not in orjson.loads(looking.producer.sent[0][1])


def test_the_producer_is_outside_of_transactions(look: Callable[..., Looking]) -> None:
    """One that shared the worker's identity would fence it off."""
    assert "transactional.id" not in look(slot=0).config


def test_the_sample_is_by_key(look: Callable[..., Looking]) -> None:
    """All events of a key or none, the same keys in every worker."""
    looking = look(shadow_share=0.3)
    keys = [f"L-{number}".encode() for number in range(50)]
    for key in keys:
        looking.offer(AGREED, key=key)
    expected = sum(in_share(key, 0.3, b"shadow") for key in keys)
    until(lambda: looking.compared("agreed") == expected, "the sample")
    assert 0 < expected < len(keys)


def test_it_waits_while_the_deciding_networks_work(look: Callable[..., Looking]) -> None:
    """Nothing is scored then; what doesn't fit into the queue meanwhile, or waits for too long, is dropped and counted."""
    looking = look()
    looking.busy = True
    for _ in range(MOST + 10):
        looking.offer(AGREED)
    assert looking.dropped("busy") >= 9
    assert looking.compared("agreed") == 0
    looking.busy = False
    until(lambda: looking.compared("agreed") + looking.dropped("busy") == MOST + 10, "all of them")
    assert looking.compared("agreed") > 0


def test_it_gives_up_an_event_that_waits_for_too_long(look: Callable[..., Looking], monkeypatch: pytest.MonkeyPatch) -> None:
    """So its model can be swapped, and the process can leave, however busy the others are."""
    monkeypatch.setattr("stream_detector.rollout.shadow._PATIENCE_S", 0.0)
    looking = look()
    looking.busy = True
    looking.offer(AGREED)
    until(lambda: looking.dropped("busy") == 1, "the drop")


@pytest.mark.parametrize(("text", "latency_s", "reason"), [(AGREED, 0.3, "late"), ("The flat is bright. " * 1000, 0.05, "large")])
def test_what_it_does_not_take(look: Callable[..., Looking], text: str, latency_s: float, reason: str) -> None:
    """Behind the promise there is no spare time, and a long event would take a core for too long."""
    looking = look()
    looking.offer(text, latency_s=latency_s)
    assert looking.dropped(reason) == 1


def test_what_was_not_scored_is_not_compared(look: Callable[..., Looking]) -> None:
    """Dead letters and tombstones have no verdict."""
    looking = look()
    looking.shadow.offer(Outcome(Record("t", 0, 0, None, None), OutcomeKind.TOMBSTONE))
    looking.offer(AGREED)
    until(lambda: looking.compared("agreed") == 1, "the one with a verdict")


@pytest.mark.parametrize("failure", [BufferError(), KafkaError(KafkaError._MSG_TIMED_OUT)])
def test_what_kafka_does_not_take_is_counted(look: Callable[..., Looking], failure: Any) -> None:
    """A full client or a broker that is away costs disagreements, and nothing else."""
    looking = look()
    looking.producer.failure = failure
    looking.offer(DISAGREED)
    until(lambda: looking.dropped("unpublished") == 1, "the count")
    looking.offer(AGREED)
    until(lambda: looking.compared("agreed") == 1, "the next comparison")


def test_a_shadow_that_fails_is_counted(look: Callable[..., Looking], monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on with the next event."""
    looking = look()

    def fail(texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        raise ZeroDivisionError("this may quote the text")

    with monkeypatch.context() as patch:
        patch.setattr(looking.slot.detector, "score", fail)
        looking.offer(AGREED)
        until(lambda: looking.compared("failed") == 1, "the failure")
    looking.offer(AGREED)
    until(lambda: looking.compared("agreed") == 1, "the next comparison")


def test_it_is_not_compared_with_itself(look: Callable[..., Looking]) -> None:
    """A shadow that was swapped in, or that is the canary too, would always agree."""
    looking = look()
    (own,) = looking.slot.detector.score([{"description": AGREED}])
    looking.offer(AGREED, response=own)
    looking.offer(AGREED)
    until(lambda: looking.compared("agreed") == 1, "the one by another model")
    assert not looking.producer.sent


def test_leaving_does_not_wait_for_the_queue(look: Callable[..., Looking]) -> None:
    """A worker that is stopped leaves, whatever waits for its shadow."""
    looking = look()
    looking.busy = True
    for _ in range(20):
        looking.offer(AGREED)
    looking.shadow.close()
    assert not looking.shadow._thread.is_alive()
