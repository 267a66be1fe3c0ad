"""`stream-detector train`: from listing texts to a shipped artefact, step by step or all at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stream_detector.cli.compile_neuron import compile_neuron
from stream_detector.cli.distill import distill, teacher_weights
from stream_detector.cli.feedback import feedback
from stream_detector.errors import ConfigurationError, MissingExtraError

_FOLDER = click.Path(path_type=Path, file_okay=False)


def _listings_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--listings",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        required=True,
        help="Folder of <city>.jsonl.gz files.",
    )(command)


def _work_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--work", type=_FOLDER, default=Path(".training"), show_default=True, help="Where steps leave their files."
    )(command)


def _seed_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--seed", type=int, default=7, show_default=True)(command)


@click.group()
def train() -> None:
    """Make a model: corpus, fit, export, evaluate (needs the `train` extra)."""


train.add_command(teacher_weights)
train.add_command(distill)
train.add_command(compile_neuron)
train.add_command(feedback)


@train.command(name="prose")
@_work_option
def fetch(*, work: Path) -> None:
    """Fetch plain prose in the packs' languages from Debian's packages into WORK/prose, for the corpus (needs apt)."""
    from stream_detector.training.corpus.prose import fetch_prose  # noqa: PLC0415 - keeps --help fast

    fetch_prose(work / "prose", report=click.echo)


@train.command()
@_listings_option
@_work_option
@_seed_option
@click.option("--size", type=click.IntRange(1), default=79_000, show_default=True, help="Composed samples.")
@click.option("--split", type=click.Choice(["train", "dev", "test"]), default="train", show_default=True)
@click.option(
    "--hard", type=_FOLDER, default=None, help="Keep those that the artefact in this folder finds hardest, and as many others."
)
@click.option("--keep", type=click.IntRange(2), default=20_000, show_default=True, help="With --hard, how many samples to keep.")
@click.option("--prose", type=_FOLDER, default=None, help="Folder that `train prose` left.  [default: WORK/prose]")
@click.option(
    "--feedback",
    "reviewed",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="What `train feedback` wrote: texts that reviewers decided about, mixed in.",
)
def corpus(  # noqa: PLR0913 - a flag each
    *,
    listings: Path,
    work: Path,
    seed: int,
    size: int,
    split: str,
    hard: Path | None,
    keep: int,
    prose: Path | None,
    reviewed: Path | None = None,
) -> None:
    """Compose labelled texts from real listings, language packs, plain prose and reviewers' decisions, if there are some."""
    _pipeline()
    from stream_detector.training.mining import hardest  # noqa: PLC0415 - keeps --help fast
    from stream_detector.training.samples import compose_corpus, write_corpus  # noqa: PLC0415 - keeps --help fast

    prose = prose or work / "prose"
    samples = compose_corpus(listings, split=split, size=size, seed=seed, prose=prose if prose.is_dir() else None)
    if hard:
        samples = hardest(samples, hard, keep=keep, seed=seed)
    if reviewed:
        from stream_detector.training.feedback import mixed  # noqa: PLC0415 - keeps --help fast

        samples = mixed(samples, reviewed, split=split, seed=seed)
    file = work / f"{split}.jsonl.gz"
    write_corpus(samples, file)
    click.echo(f"{len(samples)} samples in {file}")


@train.command()
@_work_option
@_seed_option
@click.option(
    "--base", default=None, help="Pretrained encoder: mpnet, a folder or a hub name.  [default: MiniLM from the train extra]"
)
@click.option("--learning-rate", type=float, default=1.2e-4, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=24, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--start", type=_FOLDER, default=None, help="Go on from the network that an earlier fit left in this folder.")
@click.option("--tokenizer", type=_FOLDER, default=None, help="Read as the network in this folder does: teacher and student must.")
def fit(
    *,
    work: Path,
    seed: int,
    base: str | None,
    learning_rate: float,
    batch: int,
    epochs: int,
    start: Path | None,
    tokenizer: Path | None,
) -> None:
    """Fine-tune the encoder and its two heads on WORK/train.jsonl.gz; goes on from a checkpoint."""
    pipeline = _pipeline()
    file = work / "train.jsonl.gz"
    if not file.is_file():
        raise ConfigurationError(f"{file}: missing; run stream-detector train corpus first")
    recipe = _recipe(learning_rate=learning_rate, batch=batch, epochs=epochs, seed=seed)
    from stream_detector.training.samples import read_corpus  # noqa: PLC0415 - keeps --help fast

    pipeline.train(read_corpus(file), base=base, recipe=recipe, work=work, report=click.echo, start=start, read_as=tokenizer)


@train.command()
@_listings_option
@_work_option
@_seed_option
@click.argument("folder", type=_FOLDER)
@click.option("--model-code", default="CONTACT-MINILM-L6", show_default=True)
@click.option("--model-version", default="1.0", show_default=True)
@click.option("--refresh-version", required=True, help="Names this training run, such as v20261124.")
def export(
    *, listings: Path, work: Path, seed: int, folder: Path, model_code: str, model_version: str, refresh_version: str
) -> None:
    """Write FOLDER: int8 ONNX graph, tokenizer and manifest, calibrated on development listings."""
    pipeline = _pipeline()
    from stream_detector.training.export import Versions  # noqa: PLC0415 - needs the train extra

    pipeline.ship(
        work, folder, Versions(model_code, model_version, refresh_version), listings=listings, seed=seed, report=click.echo
    )


@train.command()
@_listings_option
@_seed_option
@click.argument("model", default="contact-minilm-l6")
@click.option("--size", type=click.IntRange(1), default=4000, show_default=True, help="Composed samples.")
@click.option(
    "--challenge",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    default=[Path("benchmarks/challenge.jsonl"), Path("benchmarks/challenge_second.jsonl")],
    show_default=True,
    help="Texts written by hand, labelled; can be given several times.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write the figures here as JSON.")
@click.option("--record", is_flag=True, help="Put the headline figures into the model's manifest.")
def evaluate(
    *, listings: Path, seed: int, model: str, size: int, challenge: tuple[Path, ...], out: Path | None, record: bool
) -> None:
    """Measure MODEL on listings of cities that it wasn't trained on."""
    pipeline = _pipeline()
    from stream_detector.inference.artefact import find  # noqa: PLC0415 - keeps --help fast

    folder = find(model)
    figures = pipeline.evaluate(
        folder, listings=listings, challenge=challenge, size=size, seed=seed, report=lambda line: click.echo(line, err=True)
    )
    if record:
        pipeline.record(folder, figures)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


@train.command()
@_work_option
@click.argument("folder", type=_FOLDER)
@click.option("--figures", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True, help="What evaluate wrote.")
def card(*, work: Path, folder: Path, figures: Path) -> None:
    """Write FOLDER/MODEL_CARD.md from an evaluation and from what fit left in WORK."""
    from stream_detector.training.card import read_fitted, write_card  # noqa: PLC0415 - keeps --help fast

    click.echo(write_card(folder, json.loads(figures.read_text(encoding="utf-8")), read_fitted(work)))


@train.command(name="all")
@_listings_option
@_work_option
@_seed_option
@click.argument("folder", type=_FOLDER)
@click.option("--size", type=click.IntRange(1), default=79_000, show_default=True, help="Composed samples of the first pass.")
@click.option("--refresh-version", required=True, help="Names this training run, such as v20261124.")
@click.pass_context
def everything(
    context: click.Context, *, listings: Path, work: Path, seed: int, folder: Path, size: int, refresh_version: str
) -> None:
    """Every step in turn: prose, corpus, fit, export to FOLDER; a second pass over hard examples; evaluate, card."""
    second, figures = work / "hard", work / "evaluation.json"
    export_of = {"listings": listings, "seed": seed, "folder": folder, "refresh_version": refresh_version}
    if not (work / "prose").is_dir():
        context.invoke(fetch, work=work)
    context.invoke(corpus, listings=listings, work=work, seed=seed, size=size)
    context.invoke(fit, work=work, seed=seed)
    context.invoke(export, work=work, **export_of)
    context.invoke(
        corpus, listings=listings, work=second, seed=seed + 1, size=size, hard=folder, keep=size // 4, prose=work / "prose"
    )
    context.invoke(fit, work=second, seed=seed + 1, start=work, tokenizer=work)
    context.invoke(export, work=second, **export_of)
    context.invoke(evaluate, listings=listings, seed=seed, model=str(folder), out=figures, record=True)
    context.invoke(card, work=second, folder=folder, figures=figures)


def _pipeline() -> Any:
    try:
        from stream_detector.training import pipeline  # noqa: PLC0415 - needs the train extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"training ({error.name})", "train") from None
    return pipeline


def _recipe(**values: Any) -> Any:
    from stream_detector.training.fit import Recipe  # noqa: PLC0415 - needs the train extra

    return Recipe(**values)
