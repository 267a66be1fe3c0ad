"""The spans of the predictor: one a scoring request, below its client's, with decoding and scoring in it. Only where tracing is on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_detector.contracts import ScoringResponse
from stream_detector.observability.spans import context_in, current


class Traced:
    """ASGI middleware: a span around each request to one of the paths.

    Args:
        app: what answers.
        tracer: OpenTelemetry's.
        paths: which requests are traced; probes and scrapes are nobody's trace.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer, paths: frozenset[str]) -> None:
        self._app = app
        self._tracer = tracer
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value) for name, value in scope["headers"]]
        # The method is the client's word: only one that the path has is told.
        method = scope["method"] if scope["method"] == "POST" else "_OTHER"
        attributes = {
            "http.request.method": method,
            "http.route": scope["path"],
            "url.path": scope["path"],
            "url.scheme": scope.get("scheme", "http"),
        }
        span = self._tracer.start_span(f"{method} {scope['path']}", context_in(headers), SpanKind.SERVER, attributes)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    span.set_attribute("error.type", str(message["status"]))
                    span.set_status(Status(StatusCode.ERROR))
            await send(message)

        try:
            with current(span):
                await self._app(scope, receive, sending)
        finally:
            span.end()


class ScoringSpans:
    """The two stages of answering, below the request's span."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A span around a stage; an error is told by its type alone."""
        span = self._tracer.start_span(name)
        try:
            with current(span):
                yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()

    def scored(self, responses: Sequence[ScoringResponse]) -> None:
        """Say in the stage's span by which model, and how many requests there were."""
        span = get_current_span()
        span.set_attribute("stream_detector.requests", len(responses))
        for response in responses[:1]:
            span.set_attribute("stream_detector.model.code", response.model_code)
            span.set_attribute("stream_detector.model.version", response.model_version)
            span.set_attribute("stream_detector.model.refresh_version", response.refresh_version)
