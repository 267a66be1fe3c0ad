"""The page about metrics, made from their definitions: `python -m stream_detector.observability.catalogue docs/metrics.md`.

What one learns from a metric stands as a comment above its definition, where whoever changes it sees it; it is read from there.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from stream_detector.contracts import EventType, Kind, Label
from stream_detector.contracts.reviews import Decision
from stream_detector.errors import DecodeReason
from stream_detector.observability.drift import SIGNALS
from stream_detector.observability.metrics import Metrics

#: Partitions of a topic that the page counts with; `topics create` makes so many.
PARTITIONS: Final = 12

#: How many values a label has at most, by its name or by metric and name. None is a producer's or a client's own word.
BOUNDS: Final = {
    "event_type": len(EventType),
    "outcome": 5,
    "stage": 4,
    "violations.kind": len(Kind) + 1,
    "reviews.kind": len(Kind) + 1,
    "tokens.kind": 2,
    "time": 2,
    "decision": len(Decision),
    "window": 3,
    "partner": 2,
    "level": 3,
    "signal": len(SIGNALS),
    "bin": max(len(bins) for bins in SIGNALS.values()),
    "batch_closed.reason": 6,
    "runs.reason": 6,
    "dead_letters.reason": len(DecodeReason),
    "http_refusals.reason": len(DecodeReason) + 17,
    "result": 2,
    "cache": 2,
    "topic": 3,
    "partition": PARTITIONS,
    "path": 7,
    "status": 16,
    "label": len(Label),
    "model_verdicts.role": 2,
    "model_reloads.role": 3,
    "shadow_events.result": 4,
    "shadow_dropped.reason": 4,
    "record": 3,
    "aggregation_refused.reason": len(DecodeReason),
    "model_code": 2,
    "model_version": 2,
    "refresh_version": 2,
    "backend": 1,
}

_DEFINITION = re.compile(r"((?:^ *# .*\n)+)^ *self\.(\w+) = (?:Counter|Gauge|Histogram)\(", re.MULTILINE)

_HEAD = """# Metrics

Made from the definitions in `stream_detector/observability/metrics.py`; `make docs` makes it again. Each process exports all of them
under `/metrics`; those that it has no use for stay empty or 0. The usual `process_*` metrics are there too.

No label holds a word of a producer or of a client: each has a fixed few values, so a process has at most {series:,} series with
{partitions} partitions a topic. Prometheus adds `instance` and `job`.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A metric: `attribute` is its name in the program, `series` how many it has at most in one process."""

    attribute: str
    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    learns: str
    buckets: tuple[float, ...]
    series: int


def entries() -> list[Entry]:
    """All metrics, in the order of their definitions."""
    metrics = Metrics()
    source = inspect.getsource(Metrics.__init__)
    learns = {
        attribute: " ".join(re.sub(r"^ *# ", "", text, flags=re.MULTILINE).split())
        for text, attribute in _DEFINITION.findall(source)
    }
    return [
        _entry(attribute, metric, learns.get(attribute, ""))
        for attribute, metric in vars(metrics).items()
        if isinstance(metric, MetricWrapperBase)
    ]


def bound(attribute: str, label: str) -> int:
    """How many values a label of a metric has at most. KeyError if nobody said so."""
    return BOUNDS.get(f"{attribute}.{label}") or BOUNDS[label]


def render() -> str:
    """The page, in Markdown."""
    found = entries()
    parts = [_HEAD.format(series=sum(entry.series for entry in found), partitions=PARTITIONS)]
    parts += [_section(entry) for entry in found]
    return "\n".join(parts)


def _entry(attribute: str, metric: MetricWrapperBase, learns: str) -> Entry:
    (family,) = metric.describe()
    buckets = tuple(getattr(metric, "_upper_bounds", ())) if isinstance(metric, Histogram) else ()
    labels = tuple(metric._labelnames)  # noqa: SLF001 - the library has no other way to ask
    # A histogram has a series a bucket, a sum, a count and the time of its creation; a counter has a value and that time.
    each = len(buckets) + 3 if buckets else 2 if family.type == "counter" else 1
    series = math.prod(bound(attribute, label) for label in labels) * each
    name = family.name + ("_total" if family.type == "counter" else "")
    return Entry(attribute, name, family.type, labels, family.documentation, learns, buckets, series)


def _section(entry: Entry) -> str:
    labels = ", ".join(f"`{label}` ({bound(entry.attribute, label)})" for label in entry.labels) or "none"
    lines = [f"## {entry.name}", "", f"{entry.help}.", "", textwrap.fill(entry.learns, 130), ""]
    lines += [f"- {entry.kind}, at most {entry.series:,} series", f"- labels, with how many values at most: {labels}"]
    if entry.buckets:
        lines.append(f"- buckets: {', '.join(f'{edge:g}' for edge in entry.buckets if edge != math.inf)}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
