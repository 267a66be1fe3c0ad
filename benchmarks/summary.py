"""Every figure that was measured, in one table and a few plots.

    python -m benchmarks.summary

Reads benchmarks/results/*.json and writes results/README.md, results/*.png (needs matplotlib) and the table between the two marks
in README.md. Measures nothing itself: each row names the command that did. A question whose result isn't there is named as not
measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures: python -m benchmarks.summary -->", "<!-- end of figures -->"

Figures = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One row: what is asked, which file answers, how its figures are told, and what makes it."""

    asked: str
    file: str
    told: Callable[[Figures], str]
    command: str


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _model(found: Figures) -> str:
    hand, plain = found["challenge"], found["plain"]
    return (
        f"disguises by hand found {_percent(hand['violationsFound']['share'])}, look-alikes by hand wrong "
        f"{_percent(hand['harmlessWrong']['share'])}, plain real texts wrong {_percent(plain['harmlessWrong']['share'])}"
    )


def _stream(found: Figures) -> str:
    return f"{found['ratioMedian']:.2f} of the raw engine (goal 0.9), {found['eventsPerSecond']:.0f} events/s"


def _latency(found: Figures) -> str:
    loads = [
        f"{share}: p50 {load['percentilesMs']['p50']:.0f}, p99 {load['percentilesMs']['p99']:.0f}, p99.9 {load['percentilesMs']['p99.9']:.0f} ms"
        for share, load in found["loads"].items()
    ]
    return "; ".join(loads) + f" (of {found['capacityEventsPerSecond']:.0f} events/s)"


def _caches(found: Figures) -> str:
    times = {name: stream["timesAsFast"]["both"] for name, stream in found["streams"].items()}
    return f"{times['bookings']:.1f} times as fast on ten bookings a listing (goal 8), {times['edits']:.1f} on edits of a sentence, {times['longEdits']:.1f} of long texts (goal 3)"


def _engine(found: Figures) -> str:
    around = found["around"]
    return (
        f"ready in {around['secondsToReady']:.1f} s (goal 2), {around['workedPeakMiB']:.0f} MiB (goal 400), cost foretold within "
        f"{_percent(around['costModelMedianError'])} (median; goal 15 %), padding {_percent(around['paddingShare'])} (goal 5 %)"
    )


def _scheduler(found: Figures) -> str:
    rows = found["rows"]
    traces = sorted({(row["hardware"], row["trace"]) for row in rows})
    behind = 0
    for trace in traces:
        here = {row["rule"]: row for row in rows if (row["hardware"], row["trace"]) == trace}
        peers = [here[rule]["within"] for rule in ("fixedBatch", "tokenBudget", "oneByOne")]
        behind += here["deadline"]["within"] < max(peers) - 0.0005
    return f"share within 250 ms ahead of fixed batches, token budgets and no batches, or equal, on {len(traces) - behind} of {len(traces)} traces"


def _http(found: Figures) -> str:
    return "; ".join(f"{name}: {value:.2f}" for name, value in found["ratios"].items())


def _demo(found: Figures) -> str:
    return f"p50 {found['medianLatencyMs']['p50']:.0f} ms, p99 {found['medianLatencyMs']['p99']:.0f} ms at 25 events/s"


def _faults(found: Figures) -> str:
    count = sum(kind["count"] for kind in found["faults"].values())
    seen = found["subscriber"]
    return f"{found['events']:,} events, {count} faults: {seen['lost']} lost, {seen['repeated']} repeated"


def _kills(found: Figures) -> str:
    runs = found["runs"]
    wrong = sum(len(run["wrongSums"]) + len(run["faultsOfMessages"]) + run["repeatedMessages"] for run in runs)
    recovery = max(run["secondsToRecover"]["median"] for run in runs)
    return (
        f"{sum(run['kills'] for run in runs)} kills with {' and '.join(run['store'] for run in runs)}: {wrong} wrong sums or messages; "
        f"back after {recovery:.1f} s (median)"
    )


def _rolling(found: Figures) -> str:
    return f"{found['restarts']} restarts, {found['events']:,} events: {found['lost']} lost, {found['repeated']} repeated"


def _hostile(found: Figures) -> str:
    memory = found["maxRssMb"]
    return f"{found['payloads']:,} payloads, {found['crashes']} crashes; {memory['afterATenth']} MB after a tenth, {memory['atTheEnd']} MB at the end"


def _pressure(found: Figures) -> str:
    memory = found["residentMiB"]
    return (
        f"{found['timesTheCapacity']:.0f} times as fast for {found['minutes']:.0f} minutes: {memory['secondThird']:.0f} MiB in the "
        f"second third, {memory['lastThird']:.0f} MiB in the last"
    )


def _linear(found: Figures) -> str:
    worst = max(found["texts"].items(), key=lambda item: item[1]["exponent"])
    return f"time grows with length to the power of at most {worst[1]['exponent']:.2f} ({worst[0]}), 10 kB to 1 MB"


def _ladder(found: Figures) -> str:
    return "; ".join(f"{name}: {value}" for name, value in found["shown"].items())


QUESTIONS = (
    Question("How good is the shipped model?", "contact-minilm-l6", _model, "`stream-detector train evaluate`"),
    Question("What did each step from the teacher cost and gain?", "model_ladder", _ladder, "`benchmarks/model_ladder.py`"),
    Question("How near to the raw engine is the stream?", "stream_throughput", _stream, "`benchmarks/stream_throughput.py`"),
    Question("How late is a verdict under load?", "latency_under_load", _latency, "`benchmarks/latency_under_load.py`"),
    Question("And in the demo?", "demo_latency", _demo, "`benchmarks/demo_latency.py`"),
    Question("What do the caches save?", "repeated_texts", _caches, "`benchmarks/repeated_texts.py`"),
    Question("What does the worker take?", "engine", _engine, "`benchmarks/engine.py`"),
    Question("Is the scheduler's rule the better one?", "scheduler_sim", _scheduler, "`benchmarks/scheduler_sim.py`"),
    Question("What does a request cost over HTTP?", "http_load", _http, "`benchmarks/http_load.py`"),
    Question("Is anything lost or repeated under faults?", "faults-classic", _faults, "`python -m benchmarks.faults`"),
    Question(
        "And with three brokers, one cut off?", "faults-classic-three-brokers", _faults, "`python -m benchmarks.faults --brokers 3`"
    ),
    Question("And while workers are restarted one by one?", "rolling_restart", _rolling, "`python -m benchmarks.rolling_restart`"),
    Question("Do counts of partners survive kills?", "aggregate_kills", _kills, "`python -m benchmarks.aggregate_kills`"),
    Question("Is memory bounded under too many events?", "back_pressure", _pressure, "`benchmarks/back_pressure.py`"),
    Question("Does a payload crash the codec?", "hostile_payloads", _hostile, "`python -m benchmarks.hostile_payloads`"),
    Question("Is there a text that takes for ever?", "linear_time", _linear, "`python -m benchmarks.linear_time`"),
)


def table() -> str:
    """The questions that have an answer, in Markdown; then those that have none."""
    rows, missing = [], []
    for question in QUESTIONS:
        file = RESULTS / f"{question.file}.json"
        if not file.is_file():
            missing.append(f"{question.asked} ({question.command})")
            continue
        found = json.loads(file.read_text(encoding="utf-8"))
        rows.append(f"| {question.asked} | {question.told(found)} | {question.command} |")
    lines = ["| question | measured | by |", "|---|---|---|", *rows, "", f"Measured on {_machines()}."]
    if missing:
        lines += ["", "Not measured yet: " + "; ".join(missing) + "."]
    return "\n".join(lines)


def _machines() -> str:
    named = set()
    for file in RESULTS.glob("*.json"):
        machine = json.loads(file.read_text(encoding="utf-8")).get("machine")
        if machine:
            named.add(f"{machine['processor']}, {machine['cores']} cores ({', '.join(machine['vectorInstructions'])})")
    return "; ".join(sorted(named))


def in_readme(readme: str) -> str:
    """README.md with the table of today between its marks."""
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


def draw() -> None:
    """The plots of those results that are there."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - the table alone needs no plots

    def saved(name: str, paint: Callable[[Any, Figures], None]) -> None:
        file = RESULTS / f"{name}.json"
        if file.is_file():
            figure = Figure(figsize=(8, 4), layout="constrained")
            paint(figure.subplots(), json.loads(file.read_text(encoding="utf-8")))
            figure.savefig(RESULTS / f"{name}.png", dpi=100)

    saved("latency_under_load", _draw_latency)
    saved("scheduler_sim", _draw_scheduler)
    saved("http_load", _draw_http)


def _draw_latency(axes: Any, found: Figures) -> None:
    for share, load in found["loads"].items():
        told = load["percentilesMs"]
        axes.plot(list(told), list(told.values()), marker="o", label=f"{share} of capacity")
    axes.axhline(250, linestyle="--", color="grey", label="promise")
    axes.set(ylabel="ms from occurrence to subscriber", yscale="log", title="Latency under an open-loop load, exactly once")
    axes.legend()


def _draw_scheduler(axes: Any, found: Figures) -> None:
    rules = ("deadline", "fixedBatch", "tokenBudget", "oneByOne")
    traces = sorted({(row["hardware"], row["trace"]) for row in found["rows"]})
    for at, rule in enumerate(rules):
        shares = {(row["hardware"], row["trace"]): 100 * row["within"] for row in found["rows"] if row["rule"] == rule}
        axes.bar([place + 0.2 * at for place in range(len(traces))], [shares[trace] for trace in traces], 0.2, label=rule)
    axes.set_xticks([place + 0.3 for place in range(len(traces))], [" ".join(trace) for trace in traces], rotation=60, ha="right")
    axes.set(ylabel="% within 250 ms", title="Scheduling rules on simulated traces")
    axes.legend(loc="lower left")


def _draw_http(axes: Any, found: Figures) -> None:
    totals = {name: rows[-1] for name, rows in found["servers"].items()}
    totals |= {f"raw engine, {way}": row for way, row in found["rawEngine"].items()}
    ordered = sorted(totals.items(), key=lambda item: item[1]["throughput"])
    axes.barh([name for name, _ in ordered], [row["throughput"] for _, row in ordered])
    axes.set(xlabel=f"requests/s of {found['tokens']} tokens", title="The same requests, one client, in turn")


def main() -> None:
    """Write the table and the plots."""
    README.write_text(in_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    (RESULTS / "README.md").write_text(f"# What was measured\n\n{table()}\n", encoding="utf-8")
    draw()
    print(table())


if __name__ == "__main__":
    main()
