"""`stream-detector schema`: the contracts as files, for programs in other languages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.contracts import Score, Violation, asyncapi
from stream_detector.contracts.avro import event_schema, schema_of
from stream_detector.contracts.compatibility import incompatibilities
from stream_detector.contracts.examples import EXAMPLES
from stream_detector.contracts.registry import RegistryOutput
from stream_detector.contracts.schemas import CONTRACTS, Side, file_name
from stream_detector.errors import ConfigurationError
from stream_detector.registry import encoder_for, make_client
from stream_detector.serving import openapi
from stream_detector.settings import Settings, TopicSettings
from stream_detector.streaming.topics import verdict_topics

_SCHEMAS = "schemas"


@click.group()
def schema() -> None:
    """Export the contracts, and check that they break nobody."""


@schema.command(cls=SettingsCommand)
@click.argument("destination", metavar="DEST", type=click.Path(file_okay=False, path_type=Path))
@with_settings("topics", "http_max_batch")
def export(*, destination: Path, settings: Settings) -> None:
    """Write JSON Schemas, AsyncAPI, OpenAPI and Avro schemas into the folder DEST."""
    try:
        for name, document in documents(settings).items():
            file = destination / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            click.echo(str(file))
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}; name a folder that can be written to") from None


@schema.command()
@click.argument("baseline", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def check(context: click.Context, *, baseline: Path) -> None:
    """Check that this program's schemas can take the place of those in the folder BASELINE.

    BASELINE holds what `schema export` wrote at an earlier version. Exit status: 0 they can, 1 somebody would break, 2 wrong call.
    """
    broken = list(_broken(baseline / _SCHEMAS))
    for fault in broken:
        click.echo(fault, err=True)
    click.echo("incompatible" if broken else "compatible")
    if broken:
        context.exit(1)


@schema.command(cls=SettingsCommand)
@click.option(
    "--events", type=click.Choice(["json", "avro"]), help="File the schemas of events as well, for their producers, in this format."
)
@with_settings("topics", "publish_scores", "registry")
def register(*, events: str | None, settings: Settings) -> None:
    """File schemas in the schema registry: those that registry.output writes violations and scores by.

    What is there already stays as it is. The subjects follow from the topics and registry.subject_strategy.
    """
    section = settings.registry
    if section.url is None or (events is None and section.output is RegistryOutput.NONE):
        raise ConfigurationError("registry: nothing to file; set registry.url, and registry.output or --events")
    client = make_client(section)
    if section.output is not RegistryOutput.NONE:
        encoder = encoder_for(client, section, section.output)
        for topic, verdict in verdict_topics(settings).items():
            _tell(*encoder.register(topic, verdict))
    if events is not None:
        encoder = encoder_for(client, section, RegistryOutput(events))
        for name, topic in _topics(settings.topics).inputs.items():
            _tell(*encoder.register_event(topic, name))


def _tell(subject: str, number: int) -> None:
    click.echo(f"{subject}  schema {number}")


def documents(settings: Settings) -> dict[str, Any]:
    """Everything that is exported, by file name."""
    found: dict[str, Any] = {
        "asyncapi.json": asyncapi.describe(_topics(settings.topics)),
        "openapi.json": openapi.describe(settings),
    }
    for contract in CONTRACTS:
        examples = {"examples": EXAMPLES[contract.name]}
        found |= {f"{_SCHEMAS}/{file_name(contract, side)}": contract.schema(side) | examples for side in Side}
    return found | {
        "avro/event.avsc": event_schema(),
        "avro/violation.avsc": schema_of(Violation),
        "avro/score.avsc": schema_of(Score),
    }


def _topics(names: TopicSettings) -> asyncapi.Topics:
    inputs = {"booking": names.bookings, "listing-update": names.listing_updates, "client-update": names.client_updates}
    dead_letters = {name: names.dead_letters_of(topic) for name, topic in inputs.items()}
    return asyncapi.Topics(
        inputs=inputs,
        dead_letters=dead_letters,
        violations=names.violations,
        scores=names.scores,
        shadow=names.shadow,
        reviews=names.reviews,
        repeat_offenders=names.repeat_offenders,
    )


def _broken(folder: Path) -> Iterator[str]:
    files = {file.name: _read(file) for file in sorted(folder.glob("*.json"))}
    if not files:
        raise ConfigurationError(f"{folder}: holds no schemas; name a folder that stream-detector schema export wrote")
    for contract in CONTRACTS:
        for side in Side:
            name = file_name(contract, side)
            old = files.pop(name, None)
            if old is not None:
                yield from (f"{name}: {fault}" for fault in incompatibilities(old, contract.schema(side), contract.direction))
    yield from (f"{name}: the message is gone" for name in files)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        document = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise ConfigurationError(f"{file}: can't be read as JSON; export it again from its version") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{file}: isn't a JSON Schema; export it again from its version")
    return document
