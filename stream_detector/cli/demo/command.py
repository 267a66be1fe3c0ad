"""The command: broker, worker, player and subscriber put together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, repeat
from pathlib import Path

import click
from rich.console import Console

from stream_detector.cli.demo.examples import Example, load_examples
from stream_detector.cli.demo.player import Player
from stream_detector.cli.demo.review import ReviewBeside
from stream_detector.cli.demo.screen import Screen
from stream_detector.cli.demo.subscriber import Subscriber
from stream_detector.cli.demo.tally import Summary, Tally
from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.parts import assemble
from stream_detector.errors import FatalDeliveryError
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings
from stream_detector.streaming import EmbeddedBroker, OutcomeKind, Worker

#: Longest that the worker may take to get ready, and the last events to come out.
_PATIENCE_S = 60.0

#: What clients say about a key that isn't theirs, or about leaving, is noise here.
_QUIET = {"log_level": "3"}


@click.command(cls=SettingsCommand)
@click.option("--once", is_flag=True, help="Stop after the last example; without it they are played again and again.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the summary, as JSON.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=25, show_default=True, help="Events a second.")
@click.option(
    "--events", type=click.Path(path_type=Path), metavar="FILE", help="Play these events.  [default: the shipped examples]"
)
@with_settings(
    "promise_ms", "model", "threshold", "metrics_port", "http_host", "publish_scores", "include_text", "unmasked_evidence",
    "max_batch_events", "backend", "inference_threads", "log_level", "topics", "policy",
)  # fmt: skip
def demo(*, once: bool, as_json: bool, rate: float, events: Path | None, settings: Settings) -> None:
    """Play example events through a broker inside this process and the real worker; show violations as they land.

    Needs no Kafka. A review console is filled by what is found; its address is shown. Delivery is at least once here, because the embedded broker's transactions are not real.
    """
    # The worker's ordinary log lines would stand between the violations.
    configure("WARNING" if settings.log_level == "INFO" else settings.log_level)
    examples = load_examples(events)
    screen = Screen(Console(quiet=as_json, highlight=False))
    settings = settings.model_copy(update={"kafka": _QUIET | settings.kafka})
    with EmbeddedBroker(settings.topics) as broker, ExitStack() as beside:
        within = broker.settings_for(settings)
        if not as_json:
            beside.enter_context(ReviewBeside(within, screen.show_console))
        summary = _play(examples, within, screen, once=once, rate=rate)
    screen.show_summary(summary)
    if as_json:
        sys.stdout.buffer.write(summary.to_json() + b"\n")


def _play(examples: list[Example], settings: Settings, screen: Screen, *, once: bool, rate: float) -> Summary:
    tally = Tally()
    with (
        assemble(settings, on_outcome=tally.add) as parts,
        Subscriber(settings, screen.show_violation, screen.show_dead_letter) as subscriber,
    ):
        manifest = parts.models.manifest
        screen.show_start(
            model=f"{manifest.model_code} {manifest.refresh_version}",
            backend=parts.models.backend_name,
            metrics_url=parts.metrics_url,
            events=len(examples),
            rate=rate,
        )
        with _running(parts.worker) as check:
            _wait("the worker to get ready", lambda: parts.readiness.ready, check)
            player = Player(settings)
            try:
                for _ in player.play(examples if once else chain.from_iterable(repeat(examples)), rate=rate):
                    check()
            except KeyboardInterrupt:
                pass
            player.close()
            _wait("the last events to come out", lambda: tally.events >= player.sent, check)
            _wait("the last violations to be read back", lambda: _all_read(tally, subscriber), check)
    return tally.summarize(settings.promise_ms)


@contextmanager
def _running(worker: Worker) -> Iterator[Callable[[], None]]:
    """Run a worker in a thread, and stop it in the end. What it gives raises the worker's error if that ended by itself."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker") as executor:
        running: Future[None] = executor.submit(worker.run)

        def check() -> None:
            if running.done():
                running.result()
                raise FatalDeliveryError("the worker stopped by itself; --log-level DEBUG shows why")

        try:
            yield check
        finally:
            worker.stop()
        running.result()


def _wait(what: str, done: Callable[[], bool], check: Callable[[], None]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not done():
        check()
        if time.monotonic() > end:
            raise FatalDeliveryError(f"waited {_PATIENCE_S:g} s in vain for {what}; --log-level DEBUG shows more")
        time.sleep(0.02)


def _all_read(tally: Tally, subscriber: Subscriber) -> bool:
    # Delivery is at least once: there may be more than one of a violation.
    violations = subscriber.violations >= tally.count(OutcomeKind.VIOLATION)
    return violations and subscriber.dead_letters >= tally.count(OutcomeKind.DEAD_LETTER)
