"""The predictor's spans: below the client's, and none for probes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, Tracer
from starlette.testclient import TestClient

from stream_detector.serving import Predictor, Scorer, make_app
from stream_detector.serving.traces import ScoringSpans
from tests.serving.asking import Failing, Served, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was ended."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Iterator[Tracer]:
    """Keeps what its client keeps, and all that has none."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider.get_tracer("test")
    provider.shutdown()


def _traced(tracer: Tracer, scorer: Scorer | None = None) -> Served:
    served = Served(scorer)
    predictor = Predictor(served.settings, served.metrics, spans=ScoringSpans(tracer))
    predictor.scorer = served.predictor.scorer
    served.client = TestClient(make_app(served.settings, predictor, served.metrics, served.readiness, tracer=tracer))
    return served


def _named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def test_a_request_goes_on_with_its_clients_trace(tracer: Tracer, spans: InMemorySpanExporter) -> None:
    """Decoding and scoring are below the request, the request below its client; the model is named."""
    served = _traced(tracer)
    assert served.score(request(text="call +44 7700 900142 now"), traceparent=PARENT).status_code == 200
    found = _named(spans)
    assert set(found) == {"POST /score", "decode", "score"}
    root = found["POST /score"]
    assert root.parent
    assert format(root.parent.trace_id, "032x") == TRACE
    for name in ("decode", "score"):
        assert found[name].parent == root.get_span_context()
    assert dict(root.attributes or {})["http.response.status_code"] == 200
    assert dict(found["score"].attributes or {})["stream_detector.model.version"]
    assert "7700" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_failure_is_told_without_its_message(tracer: Tracer, spans: InMemorySpanExporter) -> None:
    """A model's error may quote the text: the span has its type."""
    served = _traced(tracer, Failing())
    assert served.score(request(text="poison")).status_code == 500
    found = _named(spans)
    assert found["score"].status.status_code is found["POST /score"].status.status_code is StatusCode.ERROR
    assert dict(found["score"].attributes or {})["error.type"] == "ZeroDivisionError"
    assert "poison" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_probes_are_no_traces(tracer: Tracer, spans: InMemorySpanExporter) -> None:
    """They come every few seconds, and so do scrapes."""
    served = _traced(tracer)
    for path in ("/healthz", "/readyz", "/metrics", "/call-447700900142"):
        served.client.get(path)
    assert not spans.get_finished_spans()


def test_without_tracing_nothing_changes(spans: InMemorySpanExporter) -> None:
    """The header is ignored."""
    assert Served().score(request(text="a garden"), traceparent=PARENT).status_code == 200
    assert not spans.get_finished_spans()
