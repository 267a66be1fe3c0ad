"""`stream-detector validate`: events checked the way the worker checks them."""

from __future__ import annotations

import click
import orjson

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.lines import Line, decode_lines, open_lines, readable_file, report
from stream_detector.contracts import Event
from stream_detector.contracts.unknown import unknown_fields
from stream_detector.errors import DecodeError
from stream_detector.registry import wire_format
from stream_detector.settings import Settings


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 the worker would take every event, 1 some were refused (standard error says which), 2 wrong call. "
    "Warnings name fields that the contract doesn't have; they change the status only with --strict.",
)
@click.argument("file", type=readable_file)
@click.option(
    "--value", "as_value", is_flag=True, help="FILE is the value of one record, byte for byte; registry.url reads its schema."
)
@click.option("--strict", is_flag=True, help="Refuse events with fields that the contract doesn't have, as its closed schemas do.")
@with_settings("max_event_bytes", "registry")
@click.pass_context
def validate(context: click.Context, *, file: str, as_value: bool, strict: bool, settings: Settings) -> None:
    """Check the events in FILE, one JSON document a line; - is standard input.

    With --value FILE holds one record's value instead, in the format of a schema registry or as JSON.

    What is refused here is what the worker would put on a dead-letter topic, with the same reason and message.
    """
    if as_value:
        if strict:
            raise click.UsageError("--strict compares names of fields in lines of JSON; leave it out with --value")
        _validate_value(context, file, settings)
        return
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


def _validate_value(context: click.Context, file: str, settings: Settings) -> None:
    with open_lines(file) as stream:
        value = stream.read(settings.max_event_bytes + 1)
    try:
        wire_format(settings).read(Event, value, (), max_bytes=settings.max_event_bytes)
    except DecodeError as error:
        click.echo(f"{file}: {error.reason}: {error}", err=True)
        click.echo("1 event: refused")
        context.exit(1)
    click.echo("1 event: valid")


def warn(file: str, line: Line[Event]) -> bool:
    """Say on standard error which fields of an event the contract doesn't have, and whether there are any."""
    found = False
    for field in unknown_fields(Event, orjson.loads(line.document)):
        found = True
        click.echo(f"{file}:{line.number}: warning: unknown_field: {field}", err=True)
    return found
