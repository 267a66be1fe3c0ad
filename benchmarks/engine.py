"""How is ONNX Runtime best run on this machine, and what does everything around it cost?

    python benchmarks/engine.py LISTINGS_FOLDER [--listings 150] [--rounds 3]

Every way of running the shipped graph is tried on the same windows, in a process of its own (so that its memory can be told),
all ways in turn each round: how many sessions, threads in a run, runs side by side, the memory arena, padded batches. Beside
that, in one process each: view, tokens and windows a second; start-up to the first verdict and to being measured, with the
memory it takes; and the cost model's error on a mixed stream.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from corpus import listings, windows
from machine import describe

from stream_detector.detection import Detector
from stream_detector.inference.artefact import GRAPH, find
from stream_detector.observability import Metrics
from stream_detector.settings import Settings

RESULT = Path(__file__).parent / "results" / "engine.json"
CORES = len(os.sched_getaffinity(0))

#: sessions, threads in a run, runs side by side, memory arena, memory pattern, rows in a run
WAYS: dict[str, tuple[int, int, int, bool, bool, int]] = {
    "shared session, one thread a run (shipped)": (1, 1, CORES, True, True, 1),
    "without arena": (1, 1, CORES, False, True, 1),
    "without memory pattern": (1, 1, CORES, True, False, 1),
    "without both": (1, 1, CORES, False, False, 1),
    "a session a core": (CORES, 1, CORES, True, True, 1),
    "all cores on each run": (1, CORES, 1, True, True, 1),
    "twice as many runs as cores": (1, 1, 2 * CORES, True, True, 1),
    "one core": (1, 1, 1, True, True, 1),
    "batches of 2": (1, 1, CORES, True, True, 2),
    "batches of 8": (1, 1, CORES, True, True, 8),
}


def run_way(name: str, given: Sequence[Sequence[int]]) -> dict[str, float]:
    """Windows a second and the peak of the process's memory, in MiB."""
    sessions, intra, side_by_side, arena, pattern, rows = WAYS[name]
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = intra, 1, 3
    options.enable_cpu_mem_arena, options.enable_mem_pattern = arena, pattern
    model = str(find(Settings().model) / GRAPH)
    made = [ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]) for _ in range(sessions)]
    ordered = list(given) if rows == 1 else sorted(given, key=len)
    batches = [_padded(ordered[start : start + rows]) for start in range(0, len(ordered), rows)]

    def run(numbered: tuple[int, tuple[np.ndarray, np.ndarray]]) -> None:
        number, (ids, mask) = numbered
        made[number % sessions].run(None, {"input_ids": ids, "attention_mask": mask})

    with ThreadPoolExecutor(side_by_side) as pool:
        list(pool.map(run, enumerate(batches[: 4 * side_by_side])))
        start = time.perf_counter()
        list(pool.map(run, enumerate(batches)))
        seconds = time.perf_counter() - start
    padding = 1 - sum(map(len, given)) / sum(ids.size for ids, _ in batches)
    return {"windowsPerSecond": len(given) / seconds, "peakMiB": _peak(), "padding": padding}


def run_around(folder: Path, count: int) -> dict[str, float]:
    """What the detector does around the network: start-up, view, tokens and windows, and how well costs are foretold."""
    start = time.perf_counter()
    metrics = Metrics()
    with Detector.load(Settings(), metrics) as detector:
        loaded = time.perf_counter() - start
        detector.measure()
        measured = time.perf_counter() - start
        peak = _peak()
        groups = listings(folder, count)
        reader, texts = detector._reader, [text for group in groups for text in group.values()]  # noqa: SLF001
        start = time.perf_counter()
        for text in texts:
            reader.cut(text)
        cutting = time.perf_counter() - start
        for at in range(0, len(groups), 8):
            detector.score(groups[at : at + 8])
        return {
            "secondsToFirstVerdict": loaded,
            "secondsToReady": measured,
            "readyPeakMiB": peak,
            "workedPeakMiB": _peak(),
            "textsCutPerSecond": len(texts) / cutting,
            "costModelMedianError": _median_error(metrics),
            "paddingShare": _padding(metrics),
        }


def _median_error(metrics: Metrics) -> float:
    """The median of the histogram, interpolated inside its bucket."""
    samples = [sample for metric in metrics.cost_error.collect() for sample in metric.samples if sample.name.endswith("_bucket")]
    half, below, under = samples[-1].value / 2, 0.0, 0.0
    for sample in samples:
        bound = float(sample.labels["le"])
        if sample.value >= half:
            return below + (bound - below) * (half - under) / max(1.0, sample.value - under)
        below, under = bound, sample.value
    return below


def _padding(metrics: Metrics) -> float:
    counted = {
        kind: metrics.registry.get_sample_value("stream_detector_tokens_total", {"kind": kind}) or 0.0
        for kind in ("text", "padding")
    }
    return counted["padding"] / max(1.0, sum(counted.values()))


def _padded(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    return ids, mask


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(*arguments: str) -> dict[str, float]:
    """Run this file in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--listings", dest="count", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only == "around":
        print(json.dumps(run_around(given.listings, given.count)))
        return
    if given.only:
        print(json.dumps(run_way(given.only, windows(listings(given.listings, given.count)))))
        return
    shared = (str(given.listings), "--listings", str(given.count))
    ways: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    around = []
    for _ in range(given.rounds):
        for name, runs in ways.items():
            runs.append(_apart(*shared, "--only", name))
        around.append(_apart(*shared, "--only", "around"))
    result = {
        "question": "how the engine is best run here, and what is around it",
        "machine": describe(),
        "rounds": given.rounds,
        "ways": {name: _medians(runs) for name, runs in ways.items()},
        "around": _medians(around),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
