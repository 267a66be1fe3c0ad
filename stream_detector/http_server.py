"""A server of pages as this program runs one: where it listens, and how it leaves. The predictor and the console are both such."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Final, Literal

import structlog
import uvicorn
from starlette.types import ASGIApp

from stream_detector.errors import ConfigurationError
from stream_detector.observability import Readiness, State
from stream_detector.settings import Settings

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


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


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_of(app: ASGIApp, *, lifespan: Literal["on", "off"], patience_s: int) -> uvicorn.Server:
    """A server that writes no log of its own and leaves signals alone.

    Args:
        app: what answers.
        lifespan: whether the application is told of start and end.
        patience_s: how long requests have to end when it leaves.
    """
    return _Server(
        uvicorn.Config(
            app,
            # h11 and not httptools: it bounds the size of headers, and reading requests isn't where the time goes.
            http="h11",
            ws="none",
            lifespan=lifespan,
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=patience_s,
        )
    )


def drain_on_signals(settings: Settings, readiness: Readiness, leave: Callable[[], object]) -> None:
    """At SIGTERM or SIGINT turn not ready, and `leave` after `http_drain_ms`; at a second one end at once. Called in the loop."""
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if readiness.state is State.DRAINING:
            # Not the default action: the kernel withholds that from the first process of a container.
            os._exit(128 + number)
        structlog.get_logger().info("draining")
        # Not ready first, and still listening: who sends requests here needs a moment to hear of it.
        readiness.set(State.DRAINING)
        loop.call_later(settings.http_drain_ms / 1000, leave)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would end the process by the signal, and here a drained process leaves with 0."""
        yield
