"""The planner's plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stream_detector.batching.planning import Expectation
from stream_detector.errors import ConfigurationError


def draw(file: Path, rows: Sequence[Expectation], best: Expectation, promise_s: float) -> None:
    """Draw latency and utilisation over replicas.

    Raises:
        ConfigurationError: matplotlib isn't installed, or the file's ending is none that it can write.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError('--plot needs matplotlib; install it with pip install "stream-detector[plot]"') from None
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    latency = figure.subplots()
    kept = [row for row in rows if row.p99 < 40 * promise_s]
    for name, values in (("p99", [row.p99 for row in kept]), ("p50", [row.p50 for row in kept])):
        latency.plot([row.replicas for row in kept], [1000 * value for value in values], marker="o", label=name)
    latency.axhline(1000 * promise_s, linestyle="--", color="grey", label="promise")
    latency.axvline(best.replicas, linestyle=":", color="grey", label=f"plan: {best.replicas}")
    latency.set(xlabel="replicas", ylabel="latency, ms", ylim=(0, None), title="Expected latency and utilisation")
    busy = latency.twinx()
    busy.plot([row.replicas for row in kept], [100 * row.utilisation for row in kept], color="tab:green", label="utilisation")
    busy.set(ylabel="utilisation, %", ylim=(0, 100))
    latency.legend(loc="upper right")
    try:
        figure.savefig(file)
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"--plot {file}: {error}") from None
