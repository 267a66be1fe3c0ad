"""`stream-detector topics`: the topics in Kafka."""

from __future__ import annotations

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.settings import Settings
from stream_detector.streaming.topics import create_topics


@click.group()
def topics() -> None:
    """Create the topics in Kafka."""


@topics.command(cls=SettingsCommand)
@click.option(
    "--partitions", type=click.IntRange(1), default=12, show_default=True, help="Partitions of each: the most workers side by side."
)
@click.option("--replication-factor", type=click.IntRange(1), default=3, show_default=True, help="Brokers that hold each record.")
@with_settings("bootstrap_servers", "max_event_bytes", "topics", "kafka")
def create(*, partitions: int, replication_factor: int, settings: Settings) -> None:
    """Create the topics that the worker reads and writes; those that exist stay as they are."""
    for topic in create_topics(settings, partitions=partitions, replication_factor=replication_factor):
        click.echo(f"{topic.name}: {'created' if topic.created else 'exists'}")
