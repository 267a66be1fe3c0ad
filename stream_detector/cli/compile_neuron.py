"""`stream-detector train compile-neuron`: an artefact's programs for AWS Inferentia."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import click

from stream_detector.cli.demo.examples import load_examples
from stream_detector.errors import MissingExtraError
from stream_detector.inference.artefact import find, load_manifest
from stream_detector.inference.toolchains import TOOLCHAINS, CompileOptions, open_toolchain

_FOLDER = click.Path(path_type=Path, file_okay=False)

# So many of the example texts are read by both networks: seconds, and enough to see that the weights are the same.
_COMPARED = 200


def _numbers(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")] if text else []
    if not all(part.isascii() and part.isdecimal() and 1 <= int(part) <= 4096 for part in parts):
        raise click.BadParameter("must be whole numbers from 1, with commas between, such as 1,8")
    return tuple(map(int, parts))


@click.command(name="compile-neuron")
@click.argument("model", default="contact-minilm-l6")
@click.option("--target", type=click.Choice(list(TOOLCHAINS)), required=True, help="What the programs run on.")
@click.option(
    "--lengths", callback=_numbers, metavar="A,B,…", help="Tokens of a row.  [default: those of 64,128,256,512 that windows fill]"
)
@click.option("--rows", callback=_numbers, metavar="A,B,…", default="1,8", show_default=True, help="Windows in a run.")
@click.option(
    "--auto-cast",
    type=click.Choice(["none", "matmult", "all"]),
    default="matmult",
    show_default=True,
    help="Operations of 32 bits that are cast.",
)
@click.option(
    "--auto-cast-type",
    type=click.Choice(["bf16", "fp16", "tf32"]),
    default="bf16",
    show_default=True,
    help="What they are cast to.",
)
@click.option(
    "--cores-each",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Cores that one program is spread over (a pipeline, inf1 only); each copy of it takes so many.",
)
@click.option("--out", type=_FOLDER, default=None, help="Put the model and its programs here instead of into the model's folder.")
@click.option(
    "--work",
    type=_FOLDER,
    default=None,
    help="Take the weights from the checkpoint in this folder instead of from the model's graph.",
)
def compile_neuron(
    *, model: str, target: str, lengths: tuple[int, ...], rows: tuple[int, ...], out: Path | None, work: Path | None, **how: Any
) -> None:
    """Compile MODEL for AWS Inferentia: a program for every length and number of rows, checked against the model itself."""
    toolchain = open_toolchain(target)
    try:
        from stream_detector.training.neuron import compile_programs, shapes_of  # noqa: PLC0415 - needs torch and onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"compiling ({error.name})", "train") from None
    folder = find(model)
    values = (example.value for example in load_examples(None) if example.value)
    texts = (text for value in values for text in value.get("attributes", {}).values() if isinstance(text, str))
    programs = compile_programs(
        folder,
        toolchain,
        shapes_of(load_manifest(folder).window.tokens, lengths, rows),
        options=CompileOptions(**how),
        out=out,
        checkpoint=work,
        texts=list(islice(texts, _COMPARED)),
        report=click.echo,
    )
    click.echo(f"{len(programs.buckets)} programs for {target} in {out or folder}; select them with --backend neuron")
