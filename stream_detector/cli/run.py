"""`stream-detector run`: the worker, with its metrics, until it is told to stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
import structlog

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.parts import assemble
from stream_detector.cli.supervisor import FLAG, Supervisor, own_command
from stream_detector.observability.logs import configure
from stream_detector.rollout.models import Models
from stream_detector.settings import Settings
from stream_detector.streaming import Worker

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@click.command(
    cls=SettingsCommand,
    epilog="SIGTERM or SIGINT drains what is in flight and leaves with 0; a second one leaves at once, and loses nothing either."
    " SIGHUP has a model whose folder has changed swapped in at once."
    " Exit status: 0 stopped, 1 a person must act, 2 wrong call or configuration, 75 a new process may do better: start it again.",
)
@click.option(FLAG, "supervised", is_flag=True, help="Start the worker again when it hangs, gives up or is killed.")
@with_settings()
def run(*, supervised: bool, settings: Settings) -> int:
    """Read events from Kafka, score their texts, publish violations. Logs are JSON on standard error."""
    configure(settings.log_level)
    if supervised:
        return Supervisor(own_command()).run()
    with assemble(settings) as parts, _stopped_by_signals(parts.worker), _reloaded_by_signal(parts.models):
        structlog.get_logger().info("serving metrics", url=parts.metrics_url)
        parts.worker.run()
    return 0


@contextmanager
def _reloaded_by_signal(models: Models) -> Iterator[None]:
    """SIGHUP asks for a look at the models' folders."""
    before = signal.signal(signal.SIGHUP, lambda _number, _frame: models.reload())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    """The first signal asks the worker to drain, the second ends the process."""
    stopping = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            # Not the default action: the kernel withholds that from the first process of a container.
            os._exit(128 + number)
        stopping = True
        worker.stop()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
