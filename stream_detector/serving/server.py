"""The predictor as a process: it listens, loads the model, answers, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
import os
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog
import uvicorn

from stream_detector.detection import Detector
from stream_detector.errors import ConfigurationError
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.observability.tracing import tracing
from stream_detector.rollout.models import Load, open_models
from stream_detector.serving.app import make_app
from stream_detector.serving.predictor import Predictor
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from stream_detector.serving.traces import ScoringSpans

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def load_detector(settings: Settings, metrics: Metrics) -> Detector:
    """The detector that the settings name, timed."""
    detector = Detector.load(settings, metrics)
    detector.measure()
    return detector


def serve(settings: Settings, load: Load = load_detector) -> None:
    """Answer requests until SIGTERM or SIGINT, then drain; a second signal leaves at once.

    Args:
        settings: of the detector and of the server.
        load: makes the detector, in a thread of its own; benchmarks put other networks behind the same server.

    Raises:
        ConfigurationError: the address can't be listened on.
        ArtefactError: the model can't be loaded.
    """
    asyncio.run(_serve(settings, _listen(settings), load))


async def _serve(settings: Settings, listener: socket.socket, load: Load) -> None:
    metrics = Metrics()
    with tracing(settings, metrics) as tracer:
        await _serve_traced(settings, listener, load, metrics, tracer)


async def _serve_traced(settings: Settings, listener: socket.socket, load: Load, metrics: Metrics, tracer: Tracer | None) -> None:
    readiness = Readiness()
    predictor = Predictor(settings, metrics, spans=_spans(tracer))
    server = _Server(
        uvicorn.Config(
            make_app(settings, predictor, metrics, readiness, tracer=tracer),
            # h11 and not httptools: it bounds the size of headers, and reading requests isn't where the time goes.
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=math.ceil(settings.http_timeout_ms / 1000),
        )
    )
    _on_signals(settings, server, readiness)
    address = f"http://{settings.http_host}:{listener.getsockname()[1]}"
    structlog.get_logger().info("serving", url=address)
    if settings.http_token is None and not _is_loopback(settings.http_host):
        structlog.get_logger().warning("anyone who reaches this address may score: set http_token", url=address)
    # Listening comes first: probes get an answer while the model is being loaded.
    serving = asyncio.create_task(server.serve([listener]))
    # A request has no key by which a canary could have its share, and there is no topic for a shadow.
    models = open_models(settings.model_copy(update={"canary_model": None, "shadow_model": None}), metrics, load)
    with contextlib.ExitStack() as stack:
        try:
            opened = await asyncio.to_thread(stack.enter_context, models)
        except BaseException:
            server.should_exit = True
            await serving
            raise
        predictor.scorer = opened.roster
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, opened.reload)
        readiness.set(State.READY)
        try:
            await serving
        finally:
            readiness.set(State.STOPPED)
            predictor.close()


def _spans(tracer: Tracer | None) -> ScoringSpans | None:
    if tracer is None:
        return None
    from stream_detector.serving.traces import ScoringSpans  # noqa: PLC0415 - an extra

    return ScoringSpans(tracer)


def _on_signals(settings: Settings, server: uvicorn.Server, readiness: Readiness) -> None:
    loop = asyncio.get_running_loop()

    def leave() -> None:
        server.should_exit = True

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


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    try:
        return socket.create_server((settings.http_host, settings.http_port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"http_port: can't listen on {settings.http_host}:{settings.http_port}"
            f" ({getattr(error, 'strerror', None) or error}); set another http_host or http_port (0 takes a free one)"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would end the process by the signal, and here a drained process leaves with 0."""
        yield
