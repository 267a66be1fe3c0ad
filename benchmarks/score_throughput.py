"""How near does `stream-detector score` come to the raw engine on the same windows?

    python benchmarks/score_throughput.py TEXTS.jsonl [--rounds 5]

TEXTS.jsonl holds scoring requests, no text twice (a repeated text would come from the cache). The raw engine is ONNX Runtime
with the shipped graph on windows that were cut beforehand, tried in the ways that people run it: one window at a time on
each core, one session over all cores, and padded batches of eight; the fastest counts. Both are run in turn, so that a slow
minute of the machine hits both. Start-up of the command is measured apart (`--text` on one word) and taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from machine import describe

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import GRAPH, find, verify
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.settings import Settings
from stream_detector.text.view import Normalizer

RESULT = Path(__file__).parent / "results" / "score_throughput.json"


def cut(file: Path, model: Path) -> list[list[int]]:
    """All windows of all texts, with the special tokens."""
    manifest, tokenizer, policy = verify(model), load_tokenizer(model), Settings().policy
    normalizer = Normalizer(policy.platform_names, policy.platform_domains)
    first, last = special_tokens(tokenizer)
    windows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        for text in json.loads(line)["attributes"].values():
            cut_text = view_windows(normalizer.view(text), tokenizer, manifest.window)
            windows += [[first, *cut_text.ids[window.start : window.stop], last] for window in cut_text.windows]
    return windows


def session(model: Path, threads: int) -> ort.InferenceSession:
    """A plain session."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(model / GRAPH), options, providers=["CPUExecutionProvider"])


def one_each(model: Path, windows: Sequence[Sequence[int]]) -> None:
    """One window at a time on each core."""
    cores = len(os.sched_getaffinity(0))
    shared = session(model, 1)
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda window: run(shared, [window]), windows))


def all_cores(model: Path, windows: Sequence[Sequence[int]]) -> None:
    """One session over all cores."""
    shared = session(model, len(os.sched_getaffinity(0)))
    for window in windows:
        run(shared, [window])


def batches_of_eight(model: Path, windows: Sequence[Sequence[int]]) -> None:
    """Padded batches of like length."""
    shared = session(model, len(os.sched_getaffinity(0)))
    ordered = sorted(windows, key=len)
    for start in range(0, len(ordered), 8):
        run(shared, ordered[start : start + 8])


def run(shared: ort.InferenceSession, windows: Sequence[Sequence[int]]) -> None:
    """Run one batch."""
    length = max(map(len, windows))
    ids = np.zeros((len(windows), length), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[row, : len(window)], mask[row, : len(window)] = window, 1
    shared.run(None, {"input_ids": ids, "attention_mask": mask})


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*arguments: str) -> None:
    """Run the command line in a process of its own."""
    program = Path(sys.executable).with_name("stream-detector")
    subprocess.run([str(program), "score", *arguments], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    model = find(Settings().model)
    windows = cut(given.texts, model)
    ways = {"oneWindowEachCore": one_each, "oneSessionAllCores": all_cores, "batchesOfEight": batches_of_eight}
    times: dict[str, list[float]] = {name: [] for name in (*ways, "scoreCommand", "startUp")}
    for _ in range(given.rounds):
        for name, way in ways.items():
            times[name].append(seconds(lambda way=way: way(model, windows)))
        times["startUp"].append(seconds(lambda: command("--text", "Hello")))
        times["scoreCommand"].append(seconds(lambda: command(str(given.texts))))
    median = {name: statistics.median(found) for name, found in times.items()}
    raw = min(median[name] for name in ways)
    ratios = [min(times[name][i] for name in ways) / (times["scoreCommand"][i] - times["startUp"][i]) for i in range(given.rounds)]
    result = {
        "question": "share of the raw engine's throughput that stream-detector score reaches on the same windows",
        "machine": describe(),
        "windows": len(windows),
        "tokens": sum(map(len, windows)),
        "rounds": given.rounds,
        "medianSeconds": {name: round(value, 3) for name, value in median.items()},
        "windowsPerSecondRaw": round(len(windows) / raw, 1),
        "ratioMedian": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
