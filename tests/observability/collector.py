"""A collector of traces: a real HTTP server that takes OTLP and decodes it by OpenTelemetry's own definitions."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.kafka.running import until
from tests.local_server import LocalServer


class Collector(LocalServer):
    """What it was sent, and how it answers.

    Attributes:
        bodies: what was posted, byte for byte.
        spans: all spans that came.
        resource: attributes of what they came from.
    """

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.spans: list[Span] = []
        self.resource: dict[str, Any] = {}
        super().__init__(_handler(self))

    def take(self, path: str, body: bytes) -> None:
        """Decode what was posted."""
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.resource = attributes(resource.resource)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        self.paths.append(path)
        self.bodies.append(body)

    def named(self, name: str) -> list[Span]:
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]

    def below(self, parent: Span) -> dict[str, Span]:
        """The children of a span, by name."""
        return {span.name: span for span in self.spans if span.parent_span_id == parent.span_id}

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until enough has come."""
        until(condition, f"{what}; there are {sorted(span.name for span in self.spans)}")


def attributes(holder: Any) -> dict[str, Any]:
    """The attributes of a span or a resource, as Python values."""
    return {pair.key: _plain(pair.value) for pair in holder.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_plain(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
