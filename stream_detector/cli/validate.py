"""`stream-detector validate`: events checked the way the worker checks them."""

from __future__ import annotations

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.lines import decode_lines, open_lines, readable_file, report
from stream_detector.contracts import Event
from stream_detector.errors import DecodeError
from stream_detector.settings import Settings


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 the worker would take every event, 1 some were refused (standard error says which), 2 wrong call.",
)
@click.argument("file", type=readable_file)
@with_settings("max_event_bytes")
@click.pass_context
def validate(context: click.Context, *, file: str, settings: Settings) -> None:
    """Check the events in FILE, one JSON document a line; - is standard input.

    What is refused here is what the worker would put on a dead-letter topic, with the same reason and message.
    """
    events = refused = 0
    with open_lines(file) as stream:
        for line in decode_lines(Event, stream, max_bytes=settings.max_event_bytes):
            events += 1
            if isinstance(line.content, DecodeError):
                refused += 1
                report(file, line.number, line.content)
    click.echo(f"{events} event{'' if events == 1 else 's'}: {events - refused} valid, {refused} refused")
    if refused:
        context.exit(1)
