"""The predictor as a process: it listens, loads the model, answers, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import socket
from typing import TYPE_CHECKING

import structlog

from stream_detector.detection import Detector
from stream_detector.http_server import drain_on_signals, is_loopback, listen, server_of
from stream_detector.observability import Metrics, Readiness, State
from stream_detector.observability.tracing import tracing
from stream_detector.rollout.models import Load, open_models
from stream_detector.serving.app import make_app
from stream_detector.serving.predictor import Predictor
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from stream_detector.serving.traces import ScoringSpans


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
    asyncio.run(_serve(settings, listen(settings), load))


async def _serve(settings: Settings, listener: socket.socket, load: Load) -> None:
    metrics = Metrics()
    with tracing(settings, metrics) as tracer:
        await _serve_traced(settings, listener, load, metrics, tracer)


async def _serve_traced(settings: Settings, listener: socket.socket, load: Load, metrics: Metrics, tracer: Tracer | None) -> None:
    readiness = Readiness()
    predictor = Predictor(settings, metrics, spans=_spans(tracer))
    server = server_of(
        make_app(settings, predictor, metrics, readiness, tracer=tracer),
        lifespan="off",
        patience_s=math.ceil(settings.http_timeout_ms / 1000),
    )

    def leave() -> None:
        server.should_exit = True

    drain_on_signals(settings, readiness, leave)
    address = f"http://{settings.http_host}:{listener.getsockname()[1]}"
    structlog.get_logger().info("serving", url=address)
    if settings.http_token is None and not is_loopback(settings.http_host):
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
