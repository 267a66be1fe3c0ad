"""The console as a process or as a part of one: it listens, reads violations in, answers, and leaves when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final, Protocol, Self

import structlog
import uvicorn
from starlette.applications import Starlette

from stream_detector.detection.redaction import Scorer
from stream_detector.errors import ConfigurationError, FatalDeliveryError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.review.background import Background
from stream_detector.review.store import Store
from stream_detector.review.web.access import is_loopback
from stream_detector.review.web.app import make_app
from stream_detector.settings import Settings

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
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
    server = _server(app)
    _on_signals(settings, server, app, readiness)
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
        self._server = _server(self._app)
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


def listen(settings: Settings) -> socket.socket:
    """A socket on `http_host` and `http_port`.

    Raises:
        ConfigurationError: there is none to be had.
    """
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    try:
        return socket.create_server((settings.http_host, settings.http_port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"http_port: can't listen on {settings.http_host}:{settings.http_port}"
            f" ({getattr(error, 'strerror', None) or error}); set another http_host or http_port (0 takes a free one)"
        ) from None


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Where a browser finds the console."""
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"http://{host}:{listener.getsockname()[1]}/"


async def _leave(server: uvicorn.Server, app: Starlette) -> None:
    # Streams of events would keep the server for as long as somebody's page is open.
    await app.state.pulses.close()
    server.should_exit = True


def _server(app: Starlette) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
    )


def _on_signals(settings: Settings, server: uvicorn.Server, app: Starlette, readiness: Readiness) -> None:
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []

    def leave() -> None:
        leaving.append(loop.create_task(_leave(server, app)))

    def stop(number: int) -> None:
        if readiness.state is State.DRAINING:
            # Not the default action: the kernel withholds that from the first process of a container.
            os._exit(128 + number)
        structlog.get_logger().info("draining")
        readiness.set(State.DRAINING)
        loop.call_later(settings.http_drain_ms / 1000, leave)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would end the process by the signal, and here a drained process leaves with 0."""
        yield
