"""`stream-detector serve`: the predictor, until it is told to stop."""

from __future__ import annotations

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings


@click.command(
    cls=SettingsCommand,
    epilog="A token is set in the environment (STREAM_DETECTOR_HTTP_TOKEN) or in the file: a flag would show it to all who list"
    " processes. SIGTERM or SIGINT drains what is in flight and leaves with 0; a second one leaves at once."
    " SIGHUP has a model whose folder has changed swapped in at once.",
)
@with_settings(
    "http_host",
    "http_port",
    "http_max_body_bytes",
    "http_max_batch",
    "http_max_waiting",
    "http_queue_ms",
    "http_timeout_ms",
    "http_drain_ms",
    "preflight_per_minute",
    "preflight_burst",
    "preflight_caller_header",
    "promise_ms",
    "model",
    "model_reload_seconds",
    "threshold",
    "unmasked_evidence",
    "backend",
    "inference_threads",
    "verdict_cache_bytes",
    "window_cache_bytes",
    "policy",
    "tracing",
    "log_level",
)
def serve(*, settings: Settings) -> None:
    """Answer scoring requests over HTTP: POST /score, and POST /preflight for authors. Logs are JSON on standard error.

    There are also /healthz, /readyz, /metrics and /openapi.json.
    """
    from stream_detector.serving import serve as answer  # noqa: PLC0415 - --help starts without the model's libraries

    configure(settings.log_level)
    answer(settings)
