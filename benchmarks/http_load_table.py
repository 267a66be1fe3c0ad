"""The load table of the published system, out of what JMeter wrote, and its form in Markdown."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

COLUMNS = ("label", "requests", "avg", "tp90", "tp99", "min", "max", "throughput")


class Sample(NamedTuple):
    """One request: when it began and how long it took, in milliseconds, and whether it was answered with 200."""

    start: float
    elapsed: float
    ok: bool


def read(file: Path, label: str) -> list[Sample]:
    """The samples of a label in a CSV of JMeter's; warm-up has another one."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Sample(float(row["timeStamp"]), float(row["elapsed"]), row["responseCode"] == "200")
            for row in csv.DictReader(lines)
            if row["label"] == label
        ]


def of_raw(milliseconds: Sequence[float]) -> list[Sample]:
    """Samples of requests that followed each other at once."""
    starts = [0.0]
    for elapsed in milliseconds:
        starts.append(starts[-1] + elapsed)
    return [Sample(start, elapsed, ok=True) for start, elapsed in zip(starts, milliseconds, strict=False)]


def row(label: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """A row: times in milliseconds, throughput in requests a second from the first request's start to the last one's end."""
    elapsed = sorted(sample.elapsed for sample in samples)
    seconds = (max(sample.start + sample.elapsed for sample in samples) - min(sample.start for sample in samples)) / 1000
    return {
        "label": label,
        "requests": len(samples),
        "avg": round(fmean(elapsed), 1),
        "tp90": round(_percentile(elapsed, 0.9), 1),
        "tp99": round(_percentile(elapsed, 0.99), 1),
        "min": round(elapsed[0], 1),
        "max": round(elapsed[-1], 1),
        "throughput": round(len(samples) / seconds, 2),
        "errors": sum(not sample.ok for sample in samples),
    }


def total(runs: Sequence[Sequence[Sample]]) -> dict[str, Any]:
    """All runs as one row; its throughput is that of the time that they took, without what was between them."""
    rows = [row("", run) for run in runs]
    seconds = sum(one["requests"] / one["throughput"] for one in rows)
    together = row("all runs", [sample for run in runs for sample in run])
    return together | {"throughput": round(together["requests"] / seconds, 2)}


def markdown(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A table under a heading."""
    units = {"avg": "avg ms", "tp90": "tp90 ms", "tp99": "tp99 ms", "min": "min ms", "max": "max ms", "throughput": "requests/s"}
    head = " | ".join(units.get(column, column) for column in COLUMNS)
    lines = [f"### {title}", "", f"| {head} |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(str(one[column]) for column in COLUMNS) + " |" for one in rows]
    return "\n".join([*lines, ""])


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank, as JMeter's aggregate report has it: of 60 requests the 99th percentile is the slowest."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
