"""What a worker does with records, whatever the broker and the guarantee."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from stream_detector.contracts import EventType, Score, ScoringResponse, Violation, decode
from stream_detector.errors import ConfigurationError, DeadLetterLimitError
from stream_detector.observability import State
from stream_detector.settings import Settings
from stream_detector.streaming import OutcomeKind
from tests.kafka.running import RunningWorker, until
from tests.kafka.stand_in import FRAUD, POISON, StandInScorer
from tests.kafka.traffic import Sent, committed, event, numbered, received, send, violations

HEADERS = (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("empty", None), ("bytes", b"\xff\x00"))


def test_every_record_is_accounted_for_once(settings: Settings) -> None:
    """Each record of a mixed input has exactly one outcome and exactly the output that belongs to it."""
    topics = settings.topics
    settings = settings.model_copy(
        update={"policy": settings.policy.model_copy(update={"event_types": (EventType.LISTING_UPDATE, EventType.BOOKING)})}
    )
    records = [
        *(Sent(topics.listing_updates, event(number, text=f"text {FRAUD}"), b"fraud", HEADERS) for number in range(10)),
        *(Sent(topics.bookings, event(number, "booking"), b"clean") for number in range(10, 30)),
        *(Sent(topics.client_updates, event(number, "client-update", FRAUD), b"off") for number in range(30, 40)),
        *(Sent(topics.listing_updates, None, b"gone") for _ in range(5)),
        Sent(topics.bookings, b'{"eventId": "E-1"', b"broken\xff", HEADERS),
        Sent(topics.bookings, b"", None),
        Sent(topics.client_updates, event(1).replace(b"partnerId", b"partner"), b"field"),
        Sent(topics.listing_updates, event(50, text=f"a {POISON}"), b"poison", HEADERS),
    ]
    send(settings, records)
    with RunningWorker(settings) as running:
        running.has(len(records))

    assert Counter(outcome.kind for outcome in running.outcomes) == {
        OutcomeKind.VIOLATION: 10,
        OutcomeKind.CLEAN: 20,
        OutcomeKind.SKIPPED: 10,
        OutcomeKind.TOMBSTONE: 5,
        OutcomeKind.DEAD_LETTER: 4,
    }
    assert violations(settings) == {f"E-{number}": 1 for number in range(10)}
    for message in received(settings, topics.violations):
        assert message.key() == b"fraud"
        assert message.headers() == list(HEADERS)
        assert decode(Violation, message.value() or b"").attributes == {"description": f"text {FRAUD}"}
    scores = [decode(Score, message.value() or b"").event_id for message in received(settings, topics.scores)]
    assert Counter(scores) == {f"E-{number}": 1 for number in range(30)}

    letters = {message.key(): message for topic in topics.inputs for message in received(settings, topics.dead_letters_of(topic))}
    assert {key: dict(letter.headers() or ())["dlq.reason"] for key, letter in letters.items()} == {
        b"broken\xff": b"invalid_json",
        None: b"empty_value",
        b"field": b"missing_field",
        b"poison": b"scoring_failed",
    }
    sent = {record.key: record for record in records}
    for key, letter in letters.items():
        assert (letter.value() or b"") == sent[key].value, "a dead letter's value is the record's, byte for byte"
        headers = list(letter.headers() or ())
        assert headers[:-6] == list(sent[key].headers)
        assert {name for name, _ in headers[-6:]} == {
            "dlq.reason",
            "dlq.error",
            "dlq.source.topic",
            "dlq.source.partition",
            "dlq.source.offset",
            "dlq.timestamp",
        }
        assert POISON.encode() not in dict(headers)["dlq.error"], "an exception's message may quote the text"

    assert running.metric("events_total", event_type="listing-update", outcome="violation") == 10
    assert running.metric("events_total", event_type="client-update", outcome="skipped") == 10
    assert running.metric("violations_total", event_type="listing-update", kind="messenger") == 10
    assert running.metric("dead_letters_total", topic=topics.bookings, reason="invalid_json") == 1
    assert running.readiness.state is State.STOPPED


def test_a_new_worker_goes_on_where_the_last_one_stopped(settings: Settings) -> None:
    """Progress is committed: nothing is read twice over a restart in good order."""
    send(settings, numbered(settings, range(20)))
    with RunningWorker(settings) as first:
        first.has(20)
    send(settings, numbered(settings, range(20, 25)))
    with RunningWorker(settings) as second:
        second.has(5)
    assert violations(settings) == {f"E-{number}": 1 for number in range(25)}
    assert len(second.outcomes) == 5


def test_order_of_a_key_is_kept(settings: Settings) -> None:
    """Violations of one key come in the order of its events."""
    topic = settings.topics.listing_updates
    send(settings, [Sent(topic, event(number, text=FRAUD), b"one key") for number in range(200)])
    with RunningWorker(settings) as running:
        running.has(200)
    ids = [decode(Violation, message.value() or b"").event_id for message in received(settings, settings.topics.violations)]
    assert ids == [f"E-{number}" for number in range(200)]


def test_stop_finishes_what_is_in_hand(settings: Settings) -> None:
    """A worker that is stopped in mid-batch publishes and commits the batch before it returns."""
    scorer = _HeldScorer()
    send(settings, numbered(settings, range(5)))
    with RunningWorker(settings, scorer) as running:
        assert scorer.entered.wait(60)
        running.worker.stop()
        scorer.released.set()
        running.join()
    done = len(running.outcomes)
    assert done == scorer.scored > 0
    assert sum(violations(settings).values()) == done == committed(settings, settings.topics.listing_updates)


def test_too_many_dead_letters_stop_the_worker(settings: Settings) -> None:
    """Past the limit the worker stops with an error that names topic and reason, and what was too much isn't committed."""
    settings = settings.model_copy(update={"dead_letter_limit_consecutive": 5, "max_batch_events": 4})
    topic = settings.topics.bookings
    send(settings, [Sent(topic, b"not json", b"one key") for _ in range(50)])
    with pytest.raises(DeadLetterLimitError, match=f"invalid_json on {topic}"), RunningWorker(settings) as running:
        until(lambda: running.error, "the error")
    letters = received(settings, settings.topics.dead_letters_of(topic))
    assert len(letters) == committed(settings, topic) < 5


def test_an_event_alone_is_not_kept_waiting(settings: Settings) -> None:
    """A batch is closed as soon as nothing else is there; then all is taken, and the lag says so."""
    # A promise that a busy machine keeps too: an event that is late already closes its batch for another reason.
    with RunningWorker(settings.model_copy(update={"promise_ms": 60_000})) as running:
        running.ready()
        send(settings, numbered(settings, range(1)))
        running.has(1)
        until(lambda: running.lags(settings.topics.listing_updates) == {0.0}, "a lag of 0 in all partitions")
    assert running.metric("batch_closed_total", reason="idle") == 1
    assert running.metric("event_latency_seconds_count", event_type="listing-update") == 1


def test_a_missing_topic_is_named(settings: Settings) -> None:
    """A misspelt topic doesn't look like an input without events."""
    topics = settings.topics.model_copy(update={"bookings": "bokings"})
    with (
        pytest.raises(ConfigurationError, match=r"bokings: not on .*topics create"),
        RunningWorker(settings.model_copy(update={"topics": topics})) as running,
    ):
        running.join()


class _HeldScorer(StandInScorer):
    """Holds its first call until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.released = threading.Event()

    @property
    def scored(self) -> int:
        return sum(self.calls)

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        self.entered.set()
        assert self.released.wait(60)
        return super().score(texts)
