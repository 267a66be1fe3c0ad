"""`stream-detector dlq`: dead letters listed, explained, and sent back."""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.moments import milliseconds, moment_option
from stream_detector.contracts import format_timestamp
from stream_detector.contracts.wire import WireFormat
from stream_detector.errors import ConfigurationError, DecodeReason
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.letters import EXPLANATIONS, Address, Foreign, Letter, Selection, find
from stream_detector.streaming.reading import Reader
from stream_detector.streaming.replay import Replay, replayed_before

Returned = TypeVar("Returned")

_SETTINGS = ("bootstrap_servers", "group_id", "topics", "max_event_bytes", "registry", "kafka")


@click.group()
def dlq() -> None:
    """List, explain and replay dead letters: records that couldn't be read or scored."""


def _selecting(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Give a command the flags that select dead letters; it is called with `selection`."""

    @functools.wraps(command)
    def call(
        *args: Any, topics: tuple[str, ...], reasons: tuple[str, ...], since: datetime | None, until: datetime | None, **rest: Any
    ) -> Returned:  # fmt: skip
        chosen = tuple(map(DecodeReason, reasons))
        selection = Selection(topics, chosen, rest.pop("addresses", ()), milliseconds(since), milliseconds(until))
        return command(*args, selection=selection, **rest)

    for option in (
        moment_option("--until", "Only those put there before then."),
        moment_option("--since", "Only those put there since then."),
        click.option(
            "--reason", "reasons", multiple=True, type=click.Choice([reason.value for reason in DecodeReason]),
            help="Only those with this reason; may be repeated.",
        ),
        click.option("--topic", "topics", multiple=True, help="Only those of this input topic; may be repeated."),
    ):  # fmt: skip
        call = option(call)
    return call


def _read_addresses(_context: click.Context, _argument: click.Parameter, texts: tuple[str, ...]) -> tuple[Address, ...]:
    try:
        return tuple(map(Address.parse, texts))
    except ValueError:
        raise click.BadParameter("write it as dlq list does: bookings.dlq:0:12") from None


@dlq.command("list", cls=SettingsCommand)
@_selecting
@click.option("--limit", type=click.IntRange(1), help="Stop after so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_settings(*_SETTINGS)
def list_(*, selection: Selection, limit: int | None, as_json: bool, settings: Settings) -> None:
    """List dead letters: where each lies, when and why it was refused, where it came from. No text of it is shown."""
    with Reader(settings) as reader:
        before = replayed_before(reader, settings)
        for letter in itertools.islice(_letters(find(reader, settings, selection)), limit):
            click.echo(json.dumps(_document(letter, before)) if as_json else _line(letter, before))


@dlq.command(cls=SettingsCommand)
@click.argument("addresses", metavar="TOPIC:PARTITION:OFFSET...", nargs=-1, required=True, callback=_read_addresses)
@with_settings(*_SETTINGS)
def explain(*, addresses: tuple[Address, ...], settings: Settings) -> None:
    """Say of dead letters why they were refused, which field is at fault, what to mend, and whether they'd be taken now."""
    with Reader(settings) as reader:
        before = replayed_before(reader, settings)
        letters = list(_letters(find(reader, settings, Selection(addresses=addresses))))
    _require_all(addresses, letters)
    wire = wire_format(settings)
    for letter in letters:
        click.echo(_explanation(letter, before, settings, wire))


@dlq.command(cls=SettingsCommand)
@click.argument("addresses", metavar="[TOPIC:PARTITION:OFFSET]...", nargs=-1, callback=_read_addresses)
@_selecting
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--force", is_flag=True, help="Also those that were replayed before: their events are then done again.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@with_settings(*_SETTINGS)
def replay(*, selection: Selection, everything: bool, force: bool, dry_run: bool, settings: Settings) -> None:
    """Send dead letters back to the partition that they came from, once: key, value and headers as they were.

    Each goes back in one transaction with a note of it, so replaying again does nothing, whatever happens in between.
    """
    if selection == Selection() and not everything:
        raise click.UsageError("say which: addresses (see dlq list), --topic, --reason, --since, --until, or --all")
    with Reader(settings) as reader:
        if selection.addresses:
            _require_all(selection.addresses, list(_letters(find(reader, settings, selection))))
        before = replayed_before(reader, settings)
        if dry_run:
            known = Counter(letter.address in before for letter in _letters(find(reader, settings, selection)))
            again = known[True] if force else 0
            click.echo(f"{known[False] + again} would be replayed, {known[True]} were replayed before")
            return
        done: Counter[bool] = Counter()
        with Replay(reader, settings) as transaction:
            for item in transaction.run(_letters(find(reader, settings, selection)), force=force):
                done[item.before is None] += 1
                what = f"replayed before, at {item.before}" if item.before else f"replayed to {item.letter.content.source.topic}"
                click.echo(f"{item.letter.address}  {what}")
    hint = " (--force replays them again)" if done[False] else ""
    click.echo(f"{done[True]} replayed, {done[False]} were replayed before{hint}")


def _letters(found: Iterable[Letter | Foreign]) -> Iterator[Letter]:
    for item in found:
        if isinstance(item, Foreign):
            click.echo(f"{item.address}  is no dead letter of a worker's: {item.why}", err=True)
        else:
            yield item


def _require_all(addresses: tuple[Address, ...], letters: list[Letter]) -> None:
    if missing := sorted(set(map(str, addresses)) - {str(letter.address) for letter in letters}):
        raise ConfigurationError(f"{missing[0]}: there is no such dead letter (any more); see stream-detector dlq list")


def _line(letter: Letter, before: dict[Address, str]) -> str:
    content, source = letter.content, letter.content.source
    mark = "  (replayed)" if letter.address in before else ""
    when = format_timestamp(content.timestamp)
    origin = f"{source.topic}:{source.partition}:{source.offset}"
    return f"{letter.address}  {when}  {content.reason}  from {origin}  {_visible(content.error)}{mark}"


def _document(letter: Letter, before: dict[Address, str]) -> dict[str, object]:
    content, source = letter.content, letter.content.source
    return {
        "deadLetter": str(letter.address),
        "timestamp": format_timestamp(content.timestamp),
        "reason": content.reason.value,
        "error": content.error,
        "field": letter.field,
        "source": {"topic": source.topic, "partition": source.partition, "offset": source.offset},
        "bytes": len(content.value or b""),
        "replayedAt": before.get(letter.address),
    }


def _explanation(letter: Letter, before: dict[Address, str], settings: Settings, wire: WireFormat) -> str:
    content, source = letter.content, letter.content.source
    today = letter.today(settings, wire)
    lines = {
        "reason": f"{content.reason}: {EXPLANATIONS[content.reason]}",
        "field": letter.field or "none in particular",
        "error": _visible(content.error),
        "source": f"{source.topic}:{source.partition}:{source.offset}, refused at {format_timestamp(content.timestamp)}",
        "size": f"{len(content.value or b'')} bytes",
        "today": "would be taken; replay it"
        if today is None
        else f"would be refused again: {today.reason}: {_visible(str(today))}",
        "replayed": before.get(letter.address, "no"),
    }
    return "\n".join([str(letter.address), *(f"  {name:<9} {text}" for name, text in lines.items())])


def _visible(text: str) -> str:
    # Whoever can write to the topic has written this: it must not move the cursor of who reads it.
    return "".join(character if character.isprintable() else "?" for character in text)
