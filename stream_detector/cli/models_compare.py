"""`stream-detector models compare`: two artefacts on the same texts, before the second one decides anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import click
import orjson

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.lines import Line, decode_lines, open_lines, readable_file, report
from stream_detector.detection import Detector
from stream_detector.errors import DecodeError
from stream_detector.rollout.compare import Comparison, Example, Flip, Side
from stream_detector.rollout.compare import compare as compare_batch
from stream_detector.rollout.slot import name_of
from stream_detector.settings import Settings

#: Lines that a model scores at a time.
_BATCH = 64


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 compared, 1 a line was refused or one of the limits asked for was passed (standard error says which), 2"
    " wrong call.",
)
@click.argument("base", metavar="BASE")
@click.argument("candidate", metavar="CANDIDATE")
@click.argument("file", metavar="FILE", type=readable_file)
@click.option("--max-flips", type=click.FloatRange(0, 1), metavar="SHARE", help="Fail if more than this share of lines flips.")
@click.option("--no-worse", is_flag=True, help="Fail if the candidate, by the labels, misses more or is wrong more often.")
@click.option("--flips", "shown", type=click.IntRange(0), default=20, show_default=True, help="Flips to show.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, every flip included.")
@with_settings("threshold", "inference_threads", "policy", "max_event_bytes")
@click.pass_context
def compare(  # noqa: PLR0913 - a command's parameters are its options
    context: click.Context,
    *,
    base: str,
    candidate: str,
    file: str,
    max_flips: float | None,
    no_worse: bool,
    shown: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """Compare the model CANDIDATE with the model BASE (shipped ones or paths) on the texts in FILE; - is standard input.

    One JSON document a line: a scoring request as `score` takes it, or {"text": "…", "label": "Fraud"}. A label (Fraud or NonFraud)
    may stand in either; where there are some, recall and wrong calls are told. Texts are shown with what offends masked.
    """
    result, refused = _compare(base, candidate, file, settings)
    if no_worse and not result.labelled:
        raise click.UsageError("--no-worse needs labels, and no line has one")
    if as_json:
        click.echo(orjson.dumps(result.to_document(), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in _table(result, shown):
            click.echo(line)
    faults = [f"{refused} line{'s' if refused > 1 else ''} of {file} refused"] if refused else []
    if max_flips is not None and 1 - result.agreement > max_flips:
        faults.append(f"{1 - result.agreement:.2%} of the lines flip, more than {max_flips:.2%}")
    if no_worse and result.worse:
        faults.append("by the labels the candidate is worse")
    for fault in faults:
        click.echo(f"stream-detector: {fault}", err=True)
    if faults:
        context.exit(1)


def _compare(base: str, candidate: str, file: str, settings: Settings) -> tuple[Comparison, int]:
    result, refused = Comparison(), 0
    with ExitStack() as stack:
        # Without caches: a text that stands there twice shall take its time twice.
        bare = {"verdict_cache_bytes": 0, "window_cache_bytes": 0}
        one, other = (
            stack.enter_context(Detector.load(settings.model_copy(update=bare | {"model": name}))) for name in (base, candidate)
        )
        click.echo(f"base: {name_of(one.manifest)}; candidate: {name_of(other.manifest)}", err=True)
        lines = decode_lines(Example, stack.enter_context(open_lines(file)), max_bytes=settings.max_event_bytes)
        while batch := list(islice(lines, _BATCH)):
            good = list(_readable(file, batch))
            refused += len(batch) - len(good)
            compare_batch(one, other, good, result)
    return result, refused


def _readable(file: str, batch: list[Line[Example]]) -> Iterator[tuple[int, Example]]:
    for line in batch:
        try:
            if isinstance(line.content, DecodeError):
                raise line.content
            line.content.texts  # noqa: B018 - asked here, so that a line without a text is refused as others are
        except DecodeError as error:
            report(file, line.number, error)
        else:
            yield line.number, line.content


def _table(result: Comparison, shown: int) -> Iterator[str]:
    flips = result.flips
    only = {side: sum(flip.fraud_by == side for flip in flips) for side in ("base", "candidate")}
    yield f"{result.lines} lines, {result.agreement:.2%} with the same label"
    yield f"Fraud by base alone: {only['base']}; by candidate alone: {only['candidate']}"
    yield "candidate's score less base's: " + ", ".join(
        f"{float(quantile):.0%} {value:+.4f}" for quantile, value in result.quantiles().items()
    )
    yield f"speed: base {result.base.seconds:.2f} s, candidate {result.candidate.seconds:.2f} s; {result.speed:.2f} times as fast"
    if result.labelled:
        for name, side in (("base", result.base), ("candidate", result.candidate)):
            yield f"{name}: {_figures(side)} of {result.labelled} with a label"
    for flip in flips[:shown]:
        yield _line(flip)
    if len(flips) > shown:
        yield f"… and {len(flips) - shown} more flips; --flips shows more"


def _figures(side: Side) -> str:
    recall = "no violations" if side.recall is None else f"recall {side.recall:.2%} ({side.missed} missed)"
    return f"{recall}, {side.wrong} wrong"


def _line(flip: Flip) -> str:
    right = f", right: {flip.right}" if flip.right else ""
    return f"line {flip.line}: Fraud by {flip.fraud_by} ({flip.base:.3g} -> {flip.candidate:.3g}{right}): {flip.excerpt}"
