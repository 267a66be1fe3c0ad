"""`stream-detector play`: the example events into a real Kafka, so that there is something to see."""

from __future__ import annotations

import signal
from itertools import chain, repeat
from pathlib import Path

import click

from stream_detector.cli.demo.examples import load_examples
from stream_detector.cli.demo.player import Player
from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.errors import DeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import ClientErrors, make_consumer, reader_config
from stream_detector.streaming.stopping import StopFlag
from stream_detector.streaming.topics import require_topics


@click.command(cls=SettingsCommand)
@click.option("--once", is_flag=True, help="Stop after the last example; without it they are played again and again.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=25, show_default=True, help="Events a second.")
@click.option(
    "--events", type=click.Path(path_type=Path), metavar="FILE", help="Play these events.  [default: the shipped examples]"
)
@with_settings("bootstrap_servers", "topics", "kafka")
def play(*, once: bool, rate: float, events: Path | None, settings: Settings) -> None:
    """Send example events to the input topics of a Kafka, each with the moment of sending as its time of occurrence.

    For trying things out: the events are made up, and a worker that reads those topics publishes what it finds in them.
    """
    examples = load_examples(events)
    errors = ClientErrors()
    # A topic that is missing is told before the first event, and not as so many events that nobody took.
    # A consumer only asks about a topic; any other client makes the broker create it, where it allows that.
    asking = make_consumer(reader_config(settings) | {"error_cb": errors})
    try:
        require_topics(asking, settings.topics.inputs, errors, settings)
    finally:
        asking.close()
    player = Player(settings)
    # A flag and not an exception: one that came between sending an event and counting it would make the count wrong.
    # The kernel withholds the default action from the first process of a container.
    stopping = StopFlag()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stopping.set()) for number in signals]
    try:
        going = examples if once else chain.from_iterable(repeat(examples))
        for _ in player.play(going, rate=rate, sleep=stopping.wait):
            if stopping.is_set:
                break
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
    if left := player.close():
        raise DeliveryError(f"bootstrap_servers: {left} of {player.sent} events were not taken by {settings.bootstrap_servers}")
    click.echo(f"{player.sent} events sent")
