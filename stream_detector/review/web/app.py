"""The console's pages: which paths there are, and what stands around each of them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

import orjson
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from stream_detector.detection.redaction import Scorer
from stream_detector.observability import Metrics, Readiness
from stream_detector.review.store import Store, utc_now
from stream_detector.review.web import session
from stream_detector.review.web.access import Access, Gate
from stream_detector.review.web.accounts import Accounts
from stream_detector.review.web.desk import Desk
from stream_detector.review.web.headers import SecurityHeaders
from stream_detector.review.web.live import Pulses
from stream_detector.review.web.pages import auditing, bulk, case, deciding, measures, preferences, queue, redaction
from stream_detector.review.web.people import Permission
from stream_detector.review.web.reading import Reader
from stream_detector.review.web.refusals import PageError, refusal_response
from stream_detector.review.web.rendering import STATIC
from stream_detector.review.web.scoring import LazyScorer
from stream_detector.review.web.visit import Page, endpoint
from stream_detector.settings import Settings

_JSON: Final = "application/json"
#: Paths that need no person: probes, metrics, and what all pages are drawn with.
_FREE: Final = ("/healthz", "/readyz", "/metrics", "/static/")
_A_WORKING_DAY_S: Final = 12 * 3600

_GET: Final[dict[str, Page]] = {
    "/queue": queue.show,
    "/cases/{case_id:int}": case.show,
    "/cases/{case_id:int}/reading": case.read,
    "/cases/{case_id:int}/lookers": case.lookers,
    "/cases/{case_id:int}/redaction": redaction.show,
    "/bulk": bulk.preview,
    "/partners": measures.partners,
    "/partner": measures.partner,
    "/quality": measures.quality,
    "/threshold": measures.threshold,
    "/audit": auditing.show,
    "/audit.jsonl": auditing.export,
}
_POST: Final[dict[str, Page]] = {
    "/claim-next": queue.claim_next,
    "/cases/{case_id:int}/claim": deciding.claim,
    "/cases/{case_id:int}/release": deciding.release,
    "/cases/{case_id:int}/skip": deciding.skip,
    "/cases/{case_id:int}/decide": deciding.decide,
    "/cases/{case_id:int}/reopen": deciding.reopen,
    "/cases/{case_id:int}/unmask": case.unmask,
    "/cases/{case_id:int}/reading": case.read,
    "/cases/{case_id:int}/leave": case.leave,
    "/undo": deciding.undo,
    "/bulk": bulk.apply,
    "/quality/golden": measures.plant,
    "/preferences": preferences.change,
}


def make_app(
    settings: Settings,
    store: Store,
    metrics: Metrics,
    readiness: Readiness,
    *,
    scorer: Callable[[], Scorer] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Starlette:
    """The ASGI application over an open store.

    Args:
        settings: who may come in, and which model scores redactions.
        store: open; stays so.
        metrics: where requests are counted.
        readiness: what /readyz answers.
        scorer: gives what scores redactions; else the settings' model, loaded when it is first needed.
        clock: the time, in UTC.

    Raises:
        ConfigurationError: the settings would let anybody in.
    """
    gate = Gate(settings)
    pulses = Pulses(store)
    desk = Desk(settings, store, pulses, Reader(settings), scorer or LazyScorer(settings), clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(pulses.run())
        yield
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    async def live(request: Request) -> Response:
        if not request.state.person.may(Permission.READ):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return await queue.listen(request, desk)

    routes: list[BaseRoute] = [
        Route("/", _to_queue),
        Route("/queue/live", live),
        *(Route(path, endpoint(page, desk), methods=["GET"]) for path, page in _GET.items()),
        *(Route(path, endpoint(page, desk), methods=["POST"]) for path, page in _POST.items()),
        *_probes(metrics, readiness),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    secret = settings.review.session_secret
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Accounts, metrics),
            Middleware(Access, gate, _FREE),
            Middleware(
                SessionMiddleware,
                secret_key=secret.get_secret_value() if secret else secrets.token_urlsafe(32),
                session_cookie=session.COOKIE,
                max_age=_A_WORKING_DAY_S,
                same_site="lax",
                # Loopback has no TLS; a proxy that signs people in has.
                https_only=not gate.local,
            ),
        ],
        exception_handlers={PageError: _refuse, HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    app.state.pulses = pulses
    return app


async def _to_queue(_: Request) -> Response:
    return RedirectResponse("/queue", HTTPStatus.SEE_OTHER)


async def _refuse(request: Request, error: Exception) -> Response:
    if isinstance(error, PageError):
        return refusal_response(error, request)
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return refusal_response(PageError(status, f"{status.description or status.phrase}.", ""), request)


def _probes(metrics: Metrics, readiness: Readiness) -> list[BaseRoute]:
    async def healthz(_: Request) -> Response:
        return Response(b'{"status":"alive"}', media_type=_JSON)

    async def readyz(_: Request) -> Response:
        ready, reason = readiness.ready, readiness.state.value
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(orjson.dumps({"ready": ready, "reason": reason}), status, media_type=_JSON)

    async def metrics_page(_: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_page)]
