"""`stream-detector console`: the review console, until it is told to stop."""

from __future__ import annotations

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings


@click.command(
    cls=SettingsCommand,
    epilog="Without review.user_header the machine's user has every role, and the console listens on loopback alone. SIGTERM or"
    " SIGINT leaves with 0; a second one leaves at once.",
)
@with_settings(
    "bootstrap_servers", "http_host", "http_port", "http_drain_ms", "model", "threshold", "log_level", "topics", "policy",
    "review", "registry", "kafka", "fingerprint_key",
)  # fmt: skip
def console(*, settings: Settings) -> None:
    """Serve the review console: violations are read into its store, and what reviewers decide is published.

    There are also /healthz, /readyz and /metrics. Logs are JSON on standard error.
    """
    from stream_detector.review.web import serve  # noqa: PLC0415 - --help starts without the store's libraries

    configure(settings.log_level)
    serve(settings)
