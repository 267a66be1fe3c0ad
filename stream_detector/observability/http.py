"""A small HTTP server beside the worker: /metrics for Prometheus, /healthz and /readyz for the orchestrator."""

from __future__ import annotations

import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import orjson
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from stream_detector.errors import ConfigurationError
from stream_detector.observability.metrics import Metrics
from stream_detector.observability.readiness import Readiness
from stream_detector.settings import Settings

_JSON = "application/json"


class ObservabilityServer:
    """Serves from its own threads until closed. `port` is the one it listens on, also where the setting is 0.

    Raises:
        ConfigurationError: the address can't be listened on.
    """

    def __init__(self, settings: Settings, metrics: Metrics, readiness: Readiness) -> None:
        try:
            self._server = _Server((settings.http_host, settings.metrics_port), metrics, readiness)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"metrics_port: can't listen on {settings.http_host}:{settings.metrics_port}"
                f" ({getattr(error, 'strerror', None) or error}); set another http_host or metrics_port (0 takes a free one)"
            ) from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="observability-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        """Itself: it serves already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _Server(ThreadingHTTPServer):
    # A probe that hangs must not keep the process from leaving.
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], metrics: Metrics, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks its host's name up in the DNS, which can take seconds and serves nothing here.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "stream-detector", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in mid-answer is its own business; the default would print a stack trace."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # Seconds that a client may take to send its request or to read its answer.
    timeout = 5
    server_version = "stream-detector"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one of the three pages."""
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, self.server.metrics.render())
            case "/healthz":
                # The process answers, so it lives; whether it can work is readiness, and no reason to kill it.
                self._answer(HTTPStatus.OK, _JSON, b'{"status":"alive"}\n')
            case "/readyz":
                readiness = self.server.readiness
                status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, _JSON, orjson.dumps({"ready": readiness.ready, "reason": readiness.state}) + b"\n")
            case _:
                body = b'{"error":"not found; there are /metrics, /healthz and /readyz"}\n'
                self._answer(HTTPStatus.NOT_FOUND, _JSON, body)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self.do_GET()

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Probes come every few seconds: not worth a line each."""
