"""`stream-detector models reference` and `models drift`: what a model's texts looked like, and whether others still do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.plan import read_texts
from stream_detector.detection import Detector
from stream_detector.detection.reference import SIZE, compare, make_reference, put_reference
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference.artefact import MANIFEST, find, load_manifest
from stream_detector.observability.drift import ANOTHER, WATCH, Reference
from stream_detector.settings import Settings

#: Shorter ones are names and numbers.
_SHORTEST: Final = 12


def _of_texts(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--seed", type=int, default=7, show_default=True, help="Draws the sample."),
        click.option("--size", type=click.IntRange(100), default=SIZE, show_default=True, help="Texts to read at most."),
        click.option("--attribute", "attributes", multiple=True, help="Read only texts of this name; repeatable.  [default: all]"),
        click.option(
            "--texts",
            "files",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            multiple=True,
            required=True,
            help="Texts, one JSON object a line (.gz too): events, scoring requests or listings; repeatable.",
        ),
        click.argument("name"),
    ):
        command = option(command)
    return command


@click.command(cls=SettingsCommand)
@_of_texts
@with_settings("threshold", "inference_threads", "policy")
def reference(*, name: str, files: Sequence[Path], attributes: Sequence[str], size: int, seed: int, settings: Settings) -> None:
    """Make the reference for drift from texts, and put it into the manifest of the model NAME (a shipped one or a path).

    The texts shall be like those that the model will meet, violations among them as often as there. Only counts are kept.
    """
    found = _read(name, files, attributes, size, seed, settings)
    put_reference(find(name), found)
    click.echo(f"{find(name) / MANIFEST}: the reference is made of {found.source}")


@click.command(cls=SettingsCommand, epilog="Exit status: 0 alike, 1 another population (an index of 0.25 and more), 2 wrong call.")
@_of_texts
@with_settings("threshold", "inference_threads", "policy")
@click.pass_context
def drift(
    context: click.Context, *, name: str, files: Sequence[Path], attributes: Sequence[str], size: int, seed: int, settings: Settings
) -> None:
    """Say how far texts are from the reference of the model NAME: the population stability index of each signal."""
    expected = load_reference(name)
    found = _read(name, files, attributes, size, seed, settings)
    indices = compare(expected, found)
    for signal, index in indices.items():
        word = "alike" if index < WATCH else "look" if index < ANOTHER else "another population"
        click.echo(f"{signal:8} {index:6.3f}  {'nothing to compare' if math.isnan(index) else word}")
    if any(index >= ANOTHER for index in indices.values()):
        context.exit(1)


def load_reference(name: str) -> Reference:
    """The reference of a model.

    Raises:
        ArtefactError: its manifest has none.
    """
    expected = load_manifest(find(name)).reference
    if expected is None:
        raise ArtefactError(
            f"{find(name) / MANIFEST}: reference: missing; make it with stream-detector models reference {name} --texts FILE"
        )
    return expected


def _read(name: str, files: Sequence[Path], attributes: Sequence[str], size: int, seed: int, settings: Settings) -> Reference:
    texts = [
        text
        for file in files
        for group in read_texts(file)
        for attribute, text in group.items()
        if len(text) >= _SHORTEST and (not attributes or attribute in attributes)
    ]
    if not texts:
        wanted = f" under {', '.join(attributes)}" if attributes else ""
        raise ConfigurationError(
            f"--texts: no texts{wanted} in {', '.join(map(str, files))}; give JSON objects with texts as values"
        )
    chosen = Random(seed).sample(texts, min(size, len(texts)))  # noqa: S311 - a sample, no secret
    source = f"{len(chosen)} of {len(texts)} texts of {', '.join(file.name for file in files)}, seed {seed}"
    with (
        Detector.load(settings.model_copy(update={"model": str(find(name))})) as detector,
        click.progressbar(length=len(chosen), label="reading", file=click.get_text_stream("stderr")) as bar,
    ):
        return make_reference(detector, chosen, source=source, progress=lambda done: bar.update(done - bar.pos))
