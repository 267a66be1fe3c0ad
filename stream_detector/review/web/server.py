"""The console as a process or as a part of one: it listens, reads violations in, answers, and leaves when it is told to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Final, Protocol, Self

import structlog
import uvicorn
from starlette.applications import Starlette

from stream_detector.detection.redaction import Scorer
from stream_detector.errors import FatalDeliveryError
from stream_detector.http_server import drain_on_signals, is_loopback, listen, server_of
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.review.background import Background
from stream_detector.review.store import Store
from stream_detector.review.web.app import make_app
from stream_detector.settings import Settings

#: Pages are quick, and streams of events end by themselves when the server leaves.
_PATIENCE_S: Final = 5
_LOOKING_S: Final = 0.5


class Beside(Protocol):
    """What runs beside the pages: `Background`, or nothing in tests."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    @property
    def failure(self) -> Exception | None:
        """Why it ended by itself; None while it runs."""


def serve(settings: Settings) -> None:
    """Run the console until SIGTERM or SIGINT; a second signal leaves at once.

    Raises:
        ConfigurationError: the address can't be listened on, the store can't be opened, or anybody would be let in.
        FatalDeliveryError: what reads Kafka beside the pages ended by itself.
    """
    metrics, readiness = Metrics(), Readiness()
    with Store.open(settings) as store:
        app = make_app(settings, store, metrics, readiness)
        listener = listen(settings)
        asyncio.run(_serve(settings, app, listener, readiness, Background(settings, store, metrics)))


async def _serve(settings: Settings, app: Starlette, listener: socket.socket, readiness: Readiness, beside: Beside) -> None:
    server = server_of(app, lifespan="on", patience_s=_PATIENCE_S)
    leaving: list[asyncio.Task[None]] = []
    drain_on_signals(settings, readiness, lambda: leaving.append(asyncio.create_task(_leave(server, app))))
    url = address_of(settings, listener)
    structlog.get_logger().info("serving", url=url, local=settings.review.user_header is None)
    if settings.review.user_header is not None and settings.review.session_secret is None and not is_loopback(settings.http_host):
        structlog.get_logger().warning("a restart forgets sessions, and consoles side by side don't share them: set session_secret")
    await asyncio.to_thread(beside.start)
    readiness.set(State.READY)
    try:
        serving = asyncio.create_task(server.serve([listener]))
        while not serving.done() and beside.failure is None:
            await asyncio.wait({serving}, timeout=_LOOKING_S)
        if beside.failure is not None:
            await _leave(server, app)
        await serving
    finally:
        readiness.set(State.STOPPED)
        await asyncio.to_thread(beside.stop)
    if beside.failure is not None:
        raise FatalDeliveryError(f"reading Kafka into the store ended: {beside.failure}") from None


class ConsoleThread:
    """The console inside another program, as in the demo: serves from entering to leaving, on a thread of its own.

    Args:
        settings: of the console and its store.
        scorer: gives what scores redactions; else the settings' model.
        beside: makes what joins the store to Kafka.

    Attributes:
        url: where it is.
        store: open until left.

    Raises:
        ConfigurationError: the address can't be listened on, or the store can't be opened.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        scorer: Callable[[], Scorer] | None = None,
        beside: Callable[[Settings, Store, Metrics], Beside] = Background,
    ) -> None:
        self.store = Store.open(settings)
        metrics, self._readiness = Metrics(), Readiness()
        self._app = make_app(settings, self.store, metrics, self._readiness, scorer=scorer)
        self._beside = beside(settings, self.store, metrics)
        self._listener = listen(settings)
        self.url = address_of(settings, self._listener)
        self._server = server_of(self._app, lifespan="on", patience_s=_PATIENCE_S)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._beside.start()
        self._readiness.set(State.READY)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join(2 * _PATIENCE_S)
        self._beside.stop()
        self.store.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        serving = asyncio.create_task(self._server.serve([self._listener]))
        while not self._server.should_exit and not serving.done():
            await asyncio.wait({serving}, timeout=_LOOKING_S)
        await _leave(self._server, self._app)
        await serving


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Where a browser finds the console."""
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"http://{host}:{listener.getsockname()[1]}/"


async def _leave(server: uvicorn.Server, app: Starlette) -> None:
    # Streams of events would keep the server for as long as somebody's page is open.
    await app.state.pulses.close()
    server.should_exit = True
