"""Around every page: counts and times it, and turns a fault of this program into a page without a stack trace."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_detector.observability import Metrics
from stream_detector.review.web.refusals import PageError, refusal_response

#: What requests are counted by: all pages below one of these are one.
_SECTIONS: Final = frozenset({"/queue", "/cases", "/bulk", "/undo", "/audit"})
_LIVE: Final = "/queue/live"


def label_of(path: str) -> str:
    """What a path is counted under: one of seven, or a scanner could fill the memory with labels."""
    section = "/" + path.lstrip("/").partition("/")[0]
    return path if path == _LIVE else section if section in _SECTIONS else "other"


class Accounts:
    """ASGI middleware.

    Args:
        app: what answers.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = label_of(scope["path"])
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must neither reach the browser nor end the server
            structlog.get_logger().error("a page failed", path=path, error=type(error).__name__)
            if status is None:
                fault = PageError(
                    HTTPStatus.INTERNAL_SERVER_ERROR, "The console failed to make this page.", "Try again, or tell the operator."
                )
                await refusal_response(fault)(scope, receive, sending)
        finally:
            self._metrics.http_requests.labels(path, str(status or "none")).inc()
            # Pages that stay open would only say how long people look at them.
            if path != _LIVE:
                self._metrics.http_latency.labels(path).observe(time.perf_counter() - started)
