"""The spans of the worker. Loaded only where tracing is on.

    process TOPIC     one an event, below the producer's span; from taking the record until its outcome is committed
      decode          bytes to an event
      queue           until its batch is scored
      score           with its batch; says the model and its version
      publish         with its batch, until it is committed; its context is what the output's traceparent names
    batch             one a micro-batch in which an event is traced, linked with each of them; a trace of its own
      score
      publish

An event's spans link to their batch. All but `process`, `batch` and its `score` are made when the batch is about to be published, out
of the moments that were noted: what is forgotten before (a partition that went, a batch that failed) leaves no half of a trace.
No attribute holds a text, a key, a header or an id of the producer's; topic, partition and offset name the record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from stream_detector.contracts import Event, Headers, ScoringResponse, carried
from stream_detector.observability.spans import context_in, current, with_context
from stream_detector.settings import Settings
from stream_detector.streaming.records import Outcome, OutcomeKind, Record

_DEAD_LETTER_HEADER = "dlq.traceparent"


@dataclass(slots=True)
class _Batch:
    span: Span
    scored: tuple[int, int] = (0, 0)
    publish: Span | None = None


@dataclass(slots=True)
class EventTrace:
    """One event that is traced: its span, and the moments of its stages in nanoseconds since the epoch."""

    tracer: Tracer
    span: Span
    taken: int
    decoded: int = 0
    batch: _Batch | None = None
    publish: Span | None = None

    def note_decoded(self) -> None:
        """Decoding has ended just now."""
        self.decoded = time.time_ns()

    def outgoing(self, headers: Headers) -> Headers:
        """The headers of an output, with this trace in them."""
        return with_context(headers, self.publish or self.span)

    def beside_dead_letter(self) -> Headers:
        """What a dead letter says of this trace: its own headers stay as they came."""
        return [(_DEAD_LETTER_HEADER, value) for name, value in self.outgoing(()) if name == "traceparent"]

    def stages(self, outcome: Outcome) -> None:
        """Make the spans of the stages that are done, and begin the one of publishing."""
        links = [Link(self.batch.span.get_span_context())] if self.batch else []
        queued_until, scored = self.batch.scored if self.batch else (self.decoded, self.decoded)
        self._stage("decode", self.taken, self.decoded)
        self._stage("queue", self.decoded, queued_until)
        if outcome.response is not None:
            self._stage("score", queued_until, scored, links=links, attributes=_model(outcome.response))
        self.span.set_attributes(_outcome(outcome))
        if outcome.dead_letter is not None:
            self.span.set_attribute("error.type", outcome.dead_letter.reason.value)
            self.span.set_status(Status(StatusCode.ERROR))
        self.publish = self.tracer.start_span(
            "publish", set_span_in_context(self.span), SpanKind.PRODUCER, {"messaging.system": "kafka"}, links
        )

    def _stage(
        self, name: str, start: int, end: int, *, links: Sequence[Link] = (), attributes: dict[str, AttributeValue] | None = None
    ) -> None:
        parent = set_span_in_context(self.span)
        span = self.tracer.start_span(name, parent, attributes=attributes, links=links, start_time=start)
        span.end(max(start, end))


class Traces:
    """Makes the worker's spans.

    Args:
        tracer: OpenTelemetry's.
        settings: name the group.
    """

    def __init__(self, tracer: Tracer, settings: Settings) -> None:
        self._tracer = tracer
        self._group = settings.group_id
        self._open: list[EventTrace] = []
        self._batch: _Batch | None = None

    def take(self, record: Record) -> Record:
        """Begin to trace a record, if it is one to be traced."""
        now = time.time_ns()
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": self._group,
            "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
            "messaging.message.body.size": len(record.value or b""),
        }
        span = self._tracer.start_span(
            f"process {record.topic}", context_in(carried(record.headers)), SpanKind.CONSUMER, attributes, start_time=now
        )
        return replace(record, trace=EventTrace(self._tracer, span, now, now)) if span.is_recording() else record

    def score(self, records: Iterable[Record], work: Callable[[], list[Outcome]]) -> list[Outcome]:
        """Score a batch within a span of it."""
        traced = [record.trace for record in records if record.trace is not None]
        if not traced:
            return work()
        links = [Link(trace.span.get_span_context()) for trace in traced]
        batch = _Batch(self._tracer.start_span("batch", attributes={"stream_detector.batch.traced": len(traced)}, links=links))
        for trace in traced:
            trace.batch = batch
            trace.span.add_link(batch.span.get_span_context())
        span = self._tracer.start_span("score", set_span_in_context(batch.span))
        start = time.time_ns()
        try:
            with current(span):
                outcomes = work()
        finally:
            batch.scored = start, time.time_ns()
            span.end()
        responses = [outcome.response for outcome in outcomes if outcome.response is not None]
        batch.span.set_attributes({"stream_detector.batch.records": len(outcomes)} | (_model(responses[0]) if responses else {}))
        return outcomes

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        """A scored batch is about to be published."""
        self._open = []
        self._batch = None
        for outcome in outcomes:
            trace = outcome.record.trace
            if trace is None:
                continue
            trace.stages(outcome)
            self._open.append(trace)
            self._batch = trace.batch
        if self._batch is not None:
            self._batch.publish = self._tracer.start_span("publish", set_span_in_context(self._batch.span))

    def committed(self) -> None:
        """It was published and committed."""
        self._end(None)

    def failed(self, error: Exception) -> None:
        """It was not, and will be done again. Nothing happens where no batch is being published."""
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        spans = [span for trace in self._open for span in (trace.publish, trace.span)]
        if self._batch is not None:
            spans += [self._batch.publish, self._batch.span]
        for span in spans:
            if span is not None:
                if error is not None:
                    span.set_attribute("error.type", type(error).__name__)
                    span.set_status(Status(StatusCode.ERROR))
                span.end()
        self._open, self._batch = [], None


def _model(response: ScoringResponse) -> dict[str, AttributeValue]:
    return {
        "stream_detector.model.code": response.model_code,
        "stream_detector.model.version": response.model_version,
        "stream_detector.model.refresh_version": response.refresh_version,
    }


def _outcome(outcome: Outcome) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {"stream_detector.outcome": outcome.kind.value}
    if isinstance(outcome.event, Event):
        found["stream_detector.event_type"] = outcome.event.event_type.value
    if outcome.response is not None:
        found["stream_detector.windows"] = outcome.response.score_details.windows
    if outcome.kind is OutcomeKind.VIOLATION and outcome.response is not None:
        found["stream_detector.kinds"] = sorted({evidence.kind.value for evidence in outcome.response.score_details.evidence})
    return found
