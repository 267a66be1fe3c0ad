"""`stream-detector plan`: how many workers a stream needs, from what its texts cost on this machine."""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import click
import orjson

from stream_detector.batching.planning import Demand, Expectation, expect, replicas_for
from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.detection import Detector
from stream_detector.errors import ConfigurationError
from stream_detector.settings import Settings

_UNITS: Final = {"": 0.001, "ms": 0.001, "s": 1.0}
# So many texts of the file say enough about all of them.
_SAMPLE: Final = 2000
# Events scored together while measuring, so that all sessions are as busy as they will be.
_TOGETHER: Final = 16

Texts = dict[str, str]


def _duration(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """250ms, 0.25s, or a plain number of milliseconds, as seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)?", text.strip())
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"{text!r} is no duration; write it as 250ms or 0.25s")
    return float(found[1]) * _UNITS[found[2] or ""]


@click.command(
    cls=SettingsCommand, epilog="The table holds for replicas on machines like this one; Kafka's own needs are not in it."
)
@click.option(
    "--events-per-second", type=click.FloatRange(min=0, min_open=True), required=True, help="Arrivals at the busiest time."
)
@click.option(
    "--lengths",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Texts like those to come, one JSON object a line (.gz too): events, scoring requests or listings.",
)
@click.option(
    "--promise",
    metavar="DURATION",
    callback=_duration,
    help="Latency to keep at p99, such as 250ms.  [default: the setting promise_ms]",
)
@click.option(
    "--known", type=click.FloatRange(0, 1, max_open=True), default=0.0, help="Share of events whose texts were seen before."
)
@click.option(
    "--kafka-time", metavar="DURATION", callback=_duration, default="10ms", help="What Kafka takes of each event.  [default: 10ms]"
)
@click.option(
    "--measure-for", metavar="DURATION", callback=_duration, default="5s", help="How long to measure this machine.  [default: 5s]"
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Also draw latency over replicas (.png, .svg, .pdf).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
@with_settings("model", "backend", "inference_threads", "promise_ms", "policy")
def plan(  # noqa: PLR0913 - a flag each
    *,
    events_per_second: float,
    lengths: Path,
    promise: float | None,
    known: float,
    kafka_time: float,
    measure_for: float,
    plot: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Plan replicas, partitions and cores for a load: the fewest whose 99th percentile keeps the promise."""
    promise_s = promise if promise is not None else settings.promise_ms / 1000
    sessions = settings.inference_threads or len(os.sched_getaffinity(0))
    demand = measure(settings, lengths, kafka_time, measure_for)
    asking = events_per_second * (1 - known)
    best = replicas_for(demand, asking, sessions, promise_s)
    if best is None:
        raise ConfigurationError(
            f"--promise {promise_s * 1000:.0f}ms can't be kept by any number of replicas: a hundredth of the events takes longer"
            " even alone; raise the promise, or use more cores a replica or a faster model"
        )
    around = [expect(demand, asking, replicas, sessions, promise_s) for replicas in _around(best.replicas)]
    if plot is not None:
        from stream_detector.cli.plan_plot import draw  # noqa: PLC0415 - only who draws needs the library

        draw(plot, around, best, promise_s)
    if as_json:
        rows = [document(row, sessions, partitions_for(row.replicas)) for row in around]
        chosen = document(best, sessions, partitions_for(best.replicas))
        click.echo(
            orjson.dumps({"eventsPerSecond": events_per_second, "promiseMs": promise_s * 1000, "plan": chosen, "around": rows})
        )
    else:
        _print(around, best, sessions, promise_s)


def measure(settings: Settings, lengths: Path, kafka_s: float, seconds: float) -> Demand:
    """Score a sample of the texts with all sessions busy, and see what events take.

    What is around the network (views, tokens, verdicts) takes cores too: the time that the sample took as a whole, against the
    sum of its runs, is what every window is made dearer by.
    """
    groups = list(islice(read_texts(lengths), _SAMPLE))
    if not groups:
        raise ConfigurationError(f"{lengths}: no texts in it; give JSON objects with `attributes`, or with texts as values")
    Random(1).shuffle(groups)  # noqa: S311 - a sample, no secret
    with Detector.load(settings) as detector:
        detector.measure()
        cut = [detector.window_lengths(group) for group in groups]
        sessions = settings.inference_threads or len(os.sched_getaffinity(0))
        start, scored = time.perf_counter(), 0
        while scored < len(groups) and time.perf_counter() - start < seconds:
            detector.score(groups[scored : scored + _TOGETHER])
            scored += _TOGETHER
        took = (time.perf_counter() - start) * sessions
        foretold = sum(detector.costs.seconds(1, length) for event in cut[:scored] for length in event)
        # Texts of the sample that came twice were scored once: that must not make the others look cheap.
        dearer = max(1.0, took / foretold) if foretold else 1.0
        return Demand.of([[dearer * detector.costs.seconds(1, length) for length in event] for event in cut], kafka_s)


def read_texts(file: Path) -> Iterator[Texts]:
    """The texts of each line: those in `attributes`, or every string value but identifiers."""
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                document = None
            if not isinstance(document, dict):
                raise ConfigurationError(f"{file}:{number}: not a JSON object; write one a line")
            texts = document.get("attributes", document)
            if isinstance(texts, Mapping):
                yield {
                    name: text for name, text in texts.items() if isinstance(text, str) and text and not name.lower().endswith("id")
                }


def partitions_for(replicas: int) -> int:
    """Two for each replica: as many replicas again can be added without moving keys to other partitions."""
    return 2 * replicas


def document(row: Expectation, sessions: int, partitions: int) -> dict[str, float]:
    """One row, as JSON."""
    return {
        "replicas": row.replicas,
        "partitions": partitions,
        "cores": row.replicas * sessions,
        "utilisation": round(row.utilisation, 4),
        "p50Ms": round(row.p50 * 1000, 1),
        "p99Ms": round(row.p99 * 1000, 1),
        "withinPromise": round(row.within, 5),
    }


def _around(replicas: int) -> Sequence[int]:
    """The plan, some that are too few and some to spare."""
    return sorted({max(1, round(replicas * share)) for share in (0.8, 0.9, 0.95, 1, 1.1, 1.25, 1.5, 2)})


def _print(rows: Sequence[Expectation], best: Expectation, sessions: int, promise_s: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - JSON has no need of it
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(title=f"The fewest replicas that keep {promise_s * 1000:.0f} ms at p99: {best.replicas}")
    for heading in ("replicas", "partitions", "cores", "utilisation", "p50 ms", "p99 ms", "within the promise"):
        table.add_column(heading, justify="right")
    for row in rows:
        cells = (
            str(row.replicas),
            str(partitions_for(row.replicas)),
            str(row.replicas * sessions),
            f"{row.utilisation:.0%}",
            *(f"{1000 * latency:.0f}" if latency < 3600 else "no end" for latency in (row.p50, row.p99)),
            f"{row.within:.2%}",
        )
        table.add_row(*cells, style="bold" if row.replicas == best.replicas else None)
    Console().print(table)
