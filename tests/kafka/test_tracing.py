"""Traces of a real worker: from a producer's traceparent to the headers of what is published, as a real collector sees them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Message

from stream_detector.cli.parts import traces_by
from stream_detector.observability import Metrics
from stream_detector.observability.spans import CLOSE_S
from stream_detector.observability.tracing import tracing
from stream_detector.settings import Settings, TracingSettings
from tests.kafka.running import RunningWorker
from tests.kafka.stand_in import FRAUD, POISON
from tests.kafka.traffic import Sent, event, received, send, violations
from tests.observability.collector import Collector, attributes

TRACE = "0af7651916cd43dd8448eb211c80319c"
CLEAN_TRACE, BROKEN_TRACE, POISON_TRACE, LEFT_OUT = ("1" * 32, "2" * 32, "3" * 32, "4" * 32)
PRODUCER = "b7ad6b7169203331"
#: What no trace may hold; the digits also without what stands between them.
CONTACTS = ("+44 7700 900142", "447700900142", "host@sunny-loft.example", "sunny-loft", "secret-handle")


def _headers(trace: str, flags: str = "01", **more: str) -> tuple[tuple[str, bytes], ...]:
    pairs = {"traceparent": f"00-{trace}-{PRODUCER}-{flags}"} | more
    return tuple((name, text.encode()) for name, text in pairs.items())


def _traced(settings: Settings, url: str, **options: object) -> Settings:
    section = TracingSettings.model_validate({"enabled": True, "otlp_endpoint": url, "sample_ratio": 0} | options)
    return settings.model_copy(update={"tracing": section})


@contextmanager
def _running(settings: Settings) -> Iterator[tuple[RunningWorker, Metrics]]:
    metrics = Metrics()
    with tracing(settings, metrics) as tracer, RunningWorker(settings, traces=traces_by(tracer, settings)) as running:
        yield running, metrics


def _by_key(messages: list[Message]) -> dict[bytes | str | None, dict[str, bytes | None]]:
    return {message.key(): dict(message.headers() or ()) for message in messages}


@pytest.mark.kafka
def test_a_trace_from_producer_to_subscriber(exactly_once: Settings) -> None:
    """Each stage has a span below the producer's; batch and events link to each other; outputs name the last span."""
    topic, topics = exactly_once.topics.listing_updates, exactly_once.topics
    with Collector() as collector:
        settings = _traced(exactly_once, collector.url, service_name="worker-under-test").model_copy(
            update={"publish_scores": True}
        )
        state = {"tracestate": "vendor=kept", "own": "header"}
        records = [
            Sent(topic, event(0, text=FRAUD), b"fraud", _headers(TRACE, **state)),
            Sent(topic, event(1), b"clean", _headers(CLEAN_TRACE)),
            Sent(topic, b"{", b"broken", _headers(BROKEN_TRACE)),
            Sent(topic, event(2, text=POISON), b"poison", _headers(POISON_TRACE)),
            Sent(topic, event(3, text=FRAUD), b"left out", _headers(LEFT_OUT, "00")),
            Sent(topic, event(4, text=FRAUD), b"without"),
        ]
        send(settings, records)
        with _running(settings) as (running, metrics):
            running.has(len(records))
        # Leaving sent what there was.
        collector.wait(lambda: len(collector.named(f"process {topic}")) >= 4, "the spans of four events")

    assert set(collector.paths) == {"/v1/traces"}
    assert collector.resource["service.name"] == "worker-under-test"
    assert metrics.registry.get_sample_value("stream_detector_spans_total", {"result": "exported"}) == len(collector.spans)
    processed = {span.trace_id.hex(): span for span in collector.named(f"process {topic}")}
    assert set(processed) == {TRACE, CLEAN_TRACE, BROKEN_TRACE, POISON_TRACE}
    batches = collector.named("batch")
    for span in processed.values():
        assert span.parent_span_id.hex() == PRODUCER
        (link,) = span.links
        (batch,) = (batch for batch in batches if batch.span_id == link.span_id)
        assert span.span_id in {link.span_id for link in batch.links}
        assert set(collector.below(batch)) == {"score", "publish"}
        stages = collector.below(span)
        assert set(stages) - {"score"} == {"decode", "queue", "publish"}
        for name in ("queue", "publish"):
            assert span.start_time_unix_nano <= stages[name].start_time_unix_nano <= stages[name].end_time_unix_nano
        assert stages["publish"].end_time_unix_nano <= span.end_time_unix_nano

    fraud = processed[TRACE]
    stages = collector.below(fraud)
    told = attributes(fraud)
    assert told["stream_detector.outcome"] == "violation"
    assert told["stream_detector.kinds"] == ["messenger"]
    assert (told["messaging.destination.name"], told["messaging.consumer.group.name"]) == (topic, settings.group_id)
    assert attributes(stages["score"])["stream_detector.model.version"] == "1.0"
    expected = f"00-{TRACE}-{stages['publish'].span_id.hex()}-01".encode()
    found = _by_key(received(settings, topics.violations))
    for outputs in (found, _by_key(received(settings, topics.scores))):
        assert outputs[b"fraud"] == {"own": b"header", "traceparent": expected, "tracestate": b"vendor=kept"}
    assert found[b"left out"] == dict(_headers(LEFT_OUT, "00")), "the producer decided against it, and it goes on as it came"
    assert found[b"without"] == {}

    letters = _by_key(received(settings, topics.dead_letters_of(topic)))
    for key, trace, reason in ((b"broken", BROKEN_TRACE, "invalid_json"), (b"poison", POISON_TRACE, "scoring_failed")):
        span = processed[trace]
        assert letters[key]["traceparent"] == dict(_headers(trace))["traceparent"], "a dead letter's headers are the record's"
        publish = collector.below(span)["publish"]
        assert letters[key]["dlq.traceparent"] == f"00-{trace}-{publish.span_id.hex()}-01".encode()
        assert span.status.code == 2
        assert attributes(span)["error.type"] == reason


@pytest.mark.kafka
def test_an_event_without_a_trace_begins_one(exactly_once: Settings) -> None:
    """Where the producer says nothing, the setting decides; the violation then names the trace that began here."""
    topic = exactly_once.topics.listing_updates
    with Collector() as collector:
        settings = _traced(exactly_once, collector.url, sample_ratio=1)
        send(settings, [Sent(topic, event(1, text=FRAUD), b"k", (("traceparent", b"not one"),))])
        with _running(settings) as (running, _):
            running.has(1)
        collector.wait(lambda: collector.named(f"process {topic}"), "the event's span")
    (span,) = collector.named(f"process {topic}")
    assert not span.parent_span_id
    (message,) = received(settings, settings.topics.violations)
    publish = collector.below(span)["publish"]
    ((name, value),) = message.headers() or ()
    # Flag 1 says that it is kept, 2 that its id is random.
    assert (name, value) == ("traceparent", f"00-{span.trace_id.hex()}-{publish.span_id.hex()}-03".encode())


@pytest.mark.kafka
def test_no_contact_in_a_trace(exactly_once: Settings) -> None:
    """Texts, keys, headers, ids and broken values that hold contacts, scored and refused: none of it goes to the collector."""
    topic = exactly_once.topics.listing_updates
    text = f"Write to host@sunny-loft.example or @secret-handle, or call +44 7700 900142, {FRAUD}."
    key = b"key of host@sunny-loft.example"
    values = [
        event(0, text=text),
        event(1, text=text).replace(b'"E-1"', b'"host@sunny-loft.example"').replace(b'"P-1"', b'"+44 7700 900142"'),
        event(2, text=text).replace(b'"P-1"', b"5"),
        event(3, text=text)[:-20],
        event(4, text=f"{text} {POISON}"),
        event(5).replace(b'"gone":null', b'"+44 7700 900142":7'),
        text.encode(),
    ]
    with Collector() as collector:
        settings = _traced(exactly_once, collector.url, sample_ratio=1)
        headers = (("x-contact", b"host@sunny-loft.example"),)
        send(settings, [Sent(topic, value, key, headers) for value in values])
        with _running(settings) as (running, _):
            running.has(len(values))
        collector.wait(lambda: len(collector.named(f"process {topic}")) == len(values), "all spans")
    everything = b"".join(collector.bodies)
    assert topic.encode() in everything
    for contact in CONTACTS:
        assert contact.encode() not in everything


@pytest.mark.kafka
@pytest.mark.parametrize("answers", [False, True], ids=["refuses", "hangs"])
def test_a_dead_collector_changes_nothing(exactly_once: Settings, answers: bool) -> None:  # noqa: FBT001
    """It refuses connections, or takes them and never answers: each event has its violation, once, and leaving doesn't hang."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not answers:
            silent.close()
        settings = _traced(exactly_once, f"http://127.0.0.1:{port}", sample_ratio=1)
        topic = settings.topics.listing_updates
        send(settings, [Sent(topic, event(number, text=FRAUD), str(number % 7).encode()) for number in range(300)])
        with _running(settings) as (running, metrics):
            running.has(300)
    assert violations(settings) == {f"E-{number}": 1 for number in range(300)}
    assert not metrics.registry.get_sample_value("stream_detector_spans_total", {"result": "exported"})
    assert CLOSE_S < 10, "the bound on leaving"
