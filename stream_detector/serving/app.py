"""The pages: which paths there are and what answers them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stream_detector.observability import Metrics, Readiness
from stream_detector.serving.access import check_token
from stream_detector.serving.accounts import Accounts
from stream_detector.serving.body import read_body
from stream_detector.serving.openapi import describe
from stream_detector.serving.predictor import Predictor
from stream_detector.serving.preflight import Preflight
from stream_detector.serving.refusal import RefusalError
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_JSON = "application/json"
_SCORE = "/score"
_PREFLIGHT = "/preflight"


def make_app(
    settings: Settings, predictor: Predictor, metrics: Metrics, readiness: Readiness, *, tracer: Tracer | None = None
) -> Starlette:
    """The ASGI application. It answers from the start; /score and /readyz wait for the predictor's scorer."""
    document = orjson.dumps(describe(settings))
    preflight = Preflight(settings, predictor)

    async def score(request: Request) -> Response:
        check_token(request.headers, settings.http_token)
        body = await read_body(request, max_bytes=settings.http_max_body_bytes, seconds=settings.http_timeout_ms / 1000)
        return Response(await predictor.answer(body), media_type=_JSON)

    async def ask_before(request: Request) -> Response:
        check_token(request.headers, settings.http_token)
        preflight.admit(request)
        body = await read_body(request, max_bytes=settings.http_max_body_bytes, seconds=settings.http_timeout_ms / 1000)
        return Response(await preflight.answer(body), media_type=_JSON)

    async def healthz(_: Request) -> Response:
        # The process answers, so it lives; whether it can work is readiness, and no reason to kill it.
        return Response(b'{"status":"alive"}', media_type=_JSON)

    async def readyz(_: Request) -> Response:
        ready, reason = readiness.ready, readiness.state.value
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(orjson.dumps({"ready": ready, "reason": reason}), status, media_type=_JSON)

    async def metrics_page(_: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def openapi(_: Request) -> Response:
        return Response(document, media_type=_JSON)

    def refuse(_: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, RefusalError) else _no_such_page(error, routes)
        metrics.http_refusals.labels(refusal.reason).inc()
        return refusal.response()

    routes = [
        Route(_SCORE, score, methods=["POST"]),
        Route(_PREFLIGHT, ask_before, methods=["POST"]),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics_page),
        Route("/openapi.json", openapi),
    ]
    middleware = [Middleware(Accounts, metrics, frozenset(route.path for route in routes))]
    if tracer is not None:
        from stream_detector.serving.traces import Traced  # noqa: PLC0415 - an extra

        middleware.insert(0, Middleware(Traced, tracer, frozenset({_SCORE, _PREFLIGHT})))
    app = Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={RefusalError: refuse, HTTPException: refuse},
    )
    app.router.redirect_slashes = False
    return app


def _no_such_page(error: Exception, routes: list[Route]) -> RefusalError:
    """What the router refuses: a path that isn't there, or a method that the path doesn't have."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return RefusalError(
            HTTPStatus.METHOD_NOT_ALLOWED, "no_such_method", "the path has no such method", f"use {allowed}", headers=error.headers
        )
    paths = ", ".join(route.path for route in routes)
    return RefusalError(HTTPStatus.NOT_FOUND, "no_such_path", "there is no such path", f"there are {paths}")
