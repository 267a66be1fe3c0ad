"""`stream-detector aggregate`: repeat offenders, until it is told to stop."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.supervisor import FLAG, Supervisor, own_command
from stream_detector.errors import MissingExtraError
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings, StateStore


@click.command(
    cls=SettingsCommand,
    epilog="What levels mean, and how weights are made: docs/repeat-offenders.md. SIGTERM or SIGINT leaves with 0; a second one"
    " leaves at once, and loses nothing either. Exit status: 0 stopped, 1 a person must act, 2 wrong call or configuration, 75 a new"
    " process may do better: start it again.",
)
@click.option(FLAG, "supervised", is_flag=True, help="Start it again when it gives up or is killed.")
@with_settings(
    "bootstrap_servers",
    "aggregation",
    "fingerprint_key",
    "topics",
    "registry",
    "http_host",
    "metrics_port",
    "cloud_events",
    "max_event_bytes",
    "dead_letter_limit_consecutive",
    "dead_letter_limit_ratio",
    "log_level",
    "kafka",
)
def aggregate(*, supervised: bool, settings: Settings) -> int:
    """Count violations by partner, take dismissed ones back, and publish who reaches a level. Logs are JSON on standard error.

    Reads violations and reviews; a page shows the top partners (aggregation.web_port), and /metrics, /healthz and /readyz are on
    metrics_port.
    """
    configure(settings.log_level)
    needed = ["faust", "rocksdict"] if settings.aggregation.store is StateStore.ROCKSDB else ["faust"]
    if not all(map(_is_installed, needed)):
        raise MissingExtraError("stream-detector aggregate", "aggregate")
    if supervised:
        return Supervisor(own_command()).run()
    from stream_detector.aggregation.service import run  # noqa: PLC0415 - it needs an extra, and --help doesn't

    run(settings)
    return 0


def _is_installed(module: str) -> bool:
    # Faust puts a module without a specification in its own place when it is imported.
    return module in sys.modules or find_spec(module) is not None
