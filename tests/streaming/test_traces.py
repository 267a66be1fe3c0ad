"""The worker's spans, without Kafka: what becomes of them where things go wrong, and what the logs say meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from stream_detector.contracts import CloudEvents, Event
from stream_detector.errors import RetryableDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.records import Outcome, Record, judge, messages_of, read
from stream_detector.streaming.traces import Traces
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was ended."""
    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: InMemorySpanExporter) -> Iterator[Traces]:
    """Spans that all are kept."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield Traces(provider.get_tracer("test"), Settings())
    provider.shutdown()


def _scored(traces: Traces, *headers: tuple[str, bytes], settings: Settings | None = None) -> list[Outcome]:
    settings = settings or Settings()
    record = traces.take(Record("listing-updates", 0, 1, None, event(1, text=FRAUD), headers))
    found = read(record, settings, now=NOW)
    assert isinstance(found, Event)
    return traces.score([record], lambda: [judge(record, found, respond(found.texts), settings, now=NOW)])


def _named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def test_a_batch_that_fails_says_so(traces: Traces, spans: InMemorySpanExporter) -> None:
    """Its spans end with the error's type; the next try has spans of its own, and those end well."""
    for failing in (True, False):
        spans.clear()
        traces.publish(_scored(traces))
        if failing:
            traces.failed(RetryableDeliveryError("a message that nobody needs"))
        else:
            traces.committed()
        found = _named(spans)
        assert set(found) == {"process listing-updates", "decode", "queue", "score", "publish", "batch"}
        for name in ("process listing-updates", "publish", "batch"):
            assert (found[name].status.status_code is StatusCode.ERROR) is failing
            assert (dict(found[name].attributes or {}).get("error.type") == "RetryableDeliveryError") is failing
        assert "nobody needs" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_failure_with_nothing_in_hand(traces: Traces, spans: InMemorySpanExporter) -> None:
    """The loop tells of every failure, also of batches that had not come so far."""
    traces.failed(RetryableDeliveryError("before anything"))
    assert not spans.get_finished_spans()


def test_logs_within_a_batch_bear_its_ids(traces: Traces, spans: InMemorySpanExporter) -> None:
    """A line that is written while a batch is scored leads to its trace, and one after it to none."""
    record = traces.take(Record("listing-updates", 0, 1, None, event(1)))
    seen: list[dict[str, object]] = []

    def score() -> list[Outcome]:
        seen.append(structlog.contextvars.get_contextvars())
        return []

    traces.score([record], score)
    found = _named(spans)["score"].get_span_context()
    assert found is not None
    assert seen == [{"trace_id": format_trace_id(found.trace_id), "span_id": format_span_id(found.span_id)}]
    assert not structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("mode", list(CloudEvents))
def test_the_trace_in_an_envelope(traces: Traces, mode: CloudEvents) -> None:
    """A CloudEvent's own traceparent is the parent, and the output has one, in the record's headers."""
    envelope = {
        "specversion": "1.0",
        "id": "input",
        "source": "urn:shop",
        "type": "listing.changed",
        "traceparent": PARENT.decode(),
    }
    headers = tuple((f"ce_{name}", text.encode()) for name, text in envelope.items())
    settings = Settings(cloud_events=mode)
    (outcome,) = _scored(traces, *headers, settings=settings)
    traces.publish([outcome])
    (message,) = messages_of(outcome, settings, now=NOW)
    (parent,) = (value or b"" for name, value in message.headers if name == "traceparent")
    assert parent.startswith(PARENT[:36])
    assert PARENT not in dict(message.headers).values()


def test_what_isnt_traced_goes_as_it_came() -> None:
    """Where a tracer keeps nothing, the record is the very same, and so are its headers."""
    provider = TracerProvider()
    untraced = Record("listing-updates", 0, 1, None, event(1), (("traceparent", PARENT[:-1] + b"0"),))
    assert Traces(provider.get_tracer("test"), Settings()).take(untraced) is untraced
    provider.shutdown()
