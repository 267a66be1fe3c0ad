"""Around every request: counts and times it, and turns a fault of this program into an answer without a stack trace."""

from __future__ import annotations

import time
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_detector.observability import Metrics
from stream_detector.serving.refusal import RefusalError


class Accounts:
    """ASGI middleware.

    Args:
        app: what answers.
        metrics: where requests are counted.
        paths: those that label metrics; any other is "other", or a scanner could fill the memory with labels.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            with self._metrics.http_in_flight.track_inprogress():
                await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must neither reach the client nor end the server
            structlog.get_logger().error("a request failed", path=path, error=type(error).__name__)
            if status is None:
                fault = RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", "a fault of the program", "tell the operator")
                self._metrics.http_refusals.labels(fault.reason).inc()
                await fault.response()(scope, receive, sending)
        finally:
            self._metrics.http_requests.labels(path, str(status or "none")).inc()
            self._metrics.http_latency.labels(path).observe(time.perf_counter() - started)
