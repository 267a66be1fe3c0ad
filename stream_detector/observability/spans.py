"""Spans by OpenTelemetry: which are kept, where they go, and how their context is read, written and told to the logs.

Spans go to a collector by OTLP over HTTP, from a thread of their own and out of a queue that is bounded: what doesn't fit is
dropped, and a collector that is away or slow is noticed by nobody but the log and a metric.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Tracer,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from prometheus_client import Counter

from stream_detector import __version__
from stream_detector.contracts import Headers
from stream_detector.observability.logs import RateLimit
from stream_detector.settings import TracingSettings

#: The share of traces that is kept where neither the producer, nor a setting, nor OTEL_TRACES_SAMPLER decides.
DEFAULT_RATIO: Final = 0.01
#: How long leaving may take for spans that aren't sent yet.
CLOSE_S: Final = 2.0

_SERVICE: Final = "stream-detector"
_PATH: Final = "/v1/traces"
_W3C: Final = TraceContextTextMapPropagator()
_TRACES: Final = ("traceparent", "tracestate")
# What complains of a collector that is away, or of spans that don't fit: once in a while is enough.
_LOGGERS: Final = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


@contextmanager
def exporting(settings: TracingSettings, sent: Counter) -> Iterator[Tracer]:
    """A tracer whose spans go to the collector while in a with statement."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(RateLimit())
    exporter = _Counted(OTLPSpanExporter(endpoint=_endpoint(settings.otlp_endpoint)), sent)
    provider = TracerProvider(sampler=_sampler(settings.sample_ratio), resource=_resource(settings), shutdown_on_exit=False)
    provider.sampler = Linked(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("stream_detector", __version__)
    finally:
        # The library would wait half a minute for a collector that is away.
        closing = threading.Thread(target=provider.shutdown, name="closing-traces", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        if closing.is_alive():
            exporter.shutdown()


@contextmanager
def current(span: Span) -> Iterator[None]:
    """Make a span the current one: lines that are logged meanwhile bear its ids.

    An error that passes is not written into the span: its message may quote a text.
    """
    context = span.get_span_context()
    ids = {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}
    with (
        use_span(span, record_exception=False, set_status_on_exception=False),
        structlog.contextvars.bound_contextvars(**ids),
    ):
        yield


def context_in(headers: Headers) -> Context:
    """The context that a record's or a request's traceparent and tracestate name; an empty one if they are absent or broken."""
    carrier = {name.lower(): (value or b"").decode("latin-1") for name, value in headers if name.lower() in _TRACES}
    return _W3C.extract(carrier, Context()) if carrier else Context()


def with_context(headers: Headers, span: Span) -> Headers:
    """Headers whose traceparent and tracestate name a span; the others as they were."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span, Context()))
    kept = [header for header in headers if header[0].lower() not in _TRACES]
    return [*kept, *((name, text.encode()) for name, text in carrier.items())]


class Linked(Sampler):
    """Keeps a root that links to a span that is kept, as a batch does to its events; asks another sampler about the rest."""

    def __init__(self, other: Sampler) -> None:
        self._other = other

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        *others: Any,
    ) -> SamplingResult:
        """Decide."""
        is_root = not get_current_span(parent_context).get_span_context().is_valid
        if is_root and any(link.context.trace_flags.sampled for link in links or ()):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._other.should_sample(parent_context, trace_id, name, kind, attributes, links, *others)

    def get_description(self) -> str:
        """What the library shows of it."""
        return f"Linked{{{self._other.get_description()}}}"


class _Counted(SpanExporter):
    """Counts what is sent and what isn't."""

    def __init__(self, exporter: SpanExporter, sent: Counter) -> None:
        self._exporter = exporter
        self._sent = sent

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        self._sent.labels("exported" if result is SpanExportResult.SUCCESS else "failed").inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _endpoint(base: str | None) -> str | None:
    """Where spans are posted to; None: the exporter asks the environment (OTEL_EXPORTER_OTLP_…), else localhost:4318."""
    return base if base is None or base.endswith(_PATH) else base.rstrip("/") + _PATH


def _sampler(ratio: float | None) -> Sampler | None:
    """The producer's decision comes first; None: the library asks the environment."""
    if ratio is None and "OTEL_TRACES_SAMPLER" in os.environ:
        return None
    return ParentBased(TraceIdRatioBased(DEFAULT_RATIO if ratio is None else ratio))


def _resource(settings: TracingSettings) -> Resource:
    given = OTELResourceDetector().detect().attributes
    own = {"service.name": _SERVICE, "service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    own = {name: value for name, value in own.items() if name not in given}
    return Resource.create(own | ({"service.name": settings.service_name} if settings.service_name else {}))
