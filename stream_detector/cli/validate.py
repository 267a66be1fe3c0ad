"""`stream-detector validate`: events checked the way the worker checks them."""

from __future__ import annotations

import click
import orjson

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.lines import Line, decode_lines, open_lines, readable_file, report
from stream_detector.contracts import Event
from stream_detector.contracts.unknown import unknown_fields
from stream_detector.errors import DecodeError
from stream_detector.settings import Settings


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 the worker would take every event, 1 some were refused (standard error says which), 2 wrong call. "
    "Warnings name fields that the contract doesn't have; they change the status only with --strict.",
)
@click.argument("file", type=readable_file)
@click.option("--strict", is_flag=True, help="Refuse events with fields that the contract doesn't have, as its closed schemas do.")
@with_settings("max_event_bytes")
@click.pass_context
def validate(context: click.Context, *, file: str, strict: bool, settings: Settings) -> None:
    """Check the events in FILE, one JSON document a line; - is standard input.

    What is refused here is what the worker would put on a dead-letter topic, with the same reason and message.
    """
    events = refused = warned = 0
    with open_lines(file) as stream:
        for line in decode_lines(Event, stream, max_bytes=settings.max_event_bytes):
            events += 1
            if isinstance(line.content, DecodeError):
                refused += 1
                report(file, line.number, line.content)
            elif warn(file, line):
                refused += strict
                warned += 1
    summary = f"{events} event{'' if events == 1 else 's'}: {events - refused} valid, {refused} refused"
    click.echo(f"{summary}, {warned} with unknown fields" if warned else summary)
    if refused:
        context.exit(1)


def warn(file: str, line: Line[Event]) -> bool:
    """Say on standard error which fields of an event the contract doesn't have, and whether there are any."""
    found = False
    for field in unknown_fields(Event, orjson.loads(line.document)):
        found = True
        click.echo(f"{file}:{line.number}: warning: unknown_field: {field}", err=True)
    return found
