"""From the teacher to what ships: what each step costs and gains.

    python benchmarks/model_ladder.py LISTINGS_FOLDER --teacher WORK --six-layer WORK --shipped WORK --three-layer WORK

Needs the `train` and `plot` extras. Each WORK is a folder that `train fit` or `train distill` left; a row whose folder isn't given
or isn't there is named as missing. Logits are kept in .training/ladder, so that an interrupted run goes on; latencies are
always measured anew, in rounds that go through all rows, so that a slow minute of the machine hits all alike. Writes
results/model_ladder.json, .md and .png.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from machine import describe

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import sha256
from stream_detector.training.corpus.compose import Composer
from stream_detector.training.corpus.listings import read_listings
from stream_detector.training.export import Precision, export_graph
from stream_detector.training.network import ContactNetwork
from stream_detector.training.pipeline import WINDOW, load_network, policy_normalizer
from stream_detector.training.quality import Logits, Texts, graph_logits, quality
from stream_detector.training.samples import Split, plain_samples

RESULTS = Path(__file__).parent / "results"
LENGTHS = (512, 128)
REPEATS = 10
CORES = len(os.sched_getaffinity(0))
WEIGHTS = "network.safetensors"

#: Title, which folder, and the precision of its graph; none is PyTorch.
ROWS: tuple[tuple[str, str, Precision | None], ...] = (
    ("teacher, PyTorch", "teacher", None),
    ("teacher, ONNX", "teacher", Precision.FP32),
    ("6 x 768, PyTorch", "six_layer", None),
    ("6 x 768, ONNX", "six_layer", Precision.FP32),
    ("6 x 768, ONNX int8", "six_layer", Precision.INT8_REDUCED),
    ("shipped 6 x 384, ONNX", "shipped", Precision.FP32),
    ("shipped 6 x 384, ONNX int8", "shipped", Precision.INT8_REDUCED),
    ("3 x 384, ONNX int8", "three_layer", Precision.INT8_REDUCED),
)


@dataclass
class Rung:
    """One row: its file, how it scores windows, and what was measured."""

    title: str
    work: Path
    file: Path
    logits: Logits
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: dict[int, list[float]] = field(default_factory=lambda: {length: [] for length in LENGTHS})


def torch_logits(network: ContactNetwork) -> Logits:
    """Logits of a network, windows of like length together."""
    network.eval()

    def logits(windows: Sequence[Sequence[int]]) -> np.ndarray:
        found = np.zeros(len(windows))
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        for start in range(0, len(order), 16):
            group = order[start : start + 16]
            ids = torch.zeros(len(group), max(len(windows[i]) for i in group), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(group):
                ids[row, : len(windows[i])], mask[row, : len(windows[i])] = torch.tensor(windows[i]), 1
            with torch.inference_mode():
                found[group] = network(ids, mask)[0].double().numpy()
        return found

    return logits


def climb(works: dict[str, Path | None], scratch: Path) -> tuple[list[Rung], list[str]]:
    """Load or export every row that there is; name those that there aren't."""
    rungs, missing = [], []
    for title, name, precision in ROWS:
        work = works[name]
        if work is None or not (work / WEIGHTS).is_file():
            missing.append(f"{title}: {f'{work}: no {WEIGHTS}' if work else 'no folder given'}")
            continue
        network = load_network(work)
        if precision is None:
            rungs.append(Rung(title, work, work / WEIGHTS, torch_logits(network)))
            continue
        graph = scratch / f"{sha256(work / WEIGHTS)[:16]}-{precision.value}.onnx"
        if not graph.is_file():
            partial = graph.with_suffix(".partial.onnx")
            export_graph(network, partial, precision)
            partial.replace(graph)
        rungs.append(Rung(title, work, graph, graph_logits(graph, CORES)))
    return rungs, missing


def kept(rung: Rung, texts: Texts, part: str, scratch: Path) -> np.ndarray:
    """The logits of all windows, from an earlier run where it had the same file and the same windows."""
    data = np.concatenate([np.array(window) for window in texts.windows])
    key = f"{sha256(rung.file)[:16]}-{part}-{len(texts.windows)}-{int(data.sum())}-{rung.file.suffix[1:]}"
    file = scratch / f"{key}.npy"
    if not file.is_file():
        started = time.perf_counter()
        logits = rung.logits(texts.windows)
        print(f"{rung.title}: {len(logits) / (time.perf_counter() - started):.1f} windows/s on {part}", flush=True)
        with file.with_suffix(".partial").open("wb") as stream:
            np.save(stream, logits)
        file.with_suffix(".partial").replace(file)
    return np.load(file)


def cutter(listings: Path, composed: int, plain: int, seed: int) -> Callable[[Path], dict[str, Texts]]:
    """Development and test texts, as a row's tokenizer cuts them."""
    texts = list(read_listings(listings))
    parts = {}
    for part, shift in (("dev", 1), ("test", 2)):
        own = [text for text in texts if Split(part).holds(text)]
        composer = Composer(own, seed=seed + shift, part="test" if part == "test" else "train")
        parts[part] = (list(composer.samples(composed)), plain_samples(own, plain, seed))
    known: dict[str, dict[str, Texts]] = {}

    def cut(work: Path) -> dict[str, Texts]:
        checksum = sha256(work / "tokenizer.json")
        if checksum not in known:
            tokenizer = load_tokenizer(work)
            known[checksum] = {part: Texts.cut(*samples, policy_normalizer(), tokenizer, WINDOW) for part, samples in parts.items()}
        return known[checksum]

    return cut


def time_all(rungs: Sequence[Rung], rounds: int) -> None:
    """One window at a time on all cores; a round goes through all rows."""
    windows = {length: [[101, *([2000, 2003, 2013, 1996] * 128)[: length - 2], 102]] for length in LENGTHS}
    for current in range(rounds + 1):
        for rung in rungs:
            for length, window in windows.items():
                for _ in range(REPEATS if current else 2):  # round 0 warms up
                    started = time.perf_counter()
                    rung.logits(window)
                    if current:
                        rung.seconds[length].append(time.perf_counter() - started)


def shown(rungs: Sequence[Rung]) -> dict[str, Any]:
    """What the ladder is to show, where both its ends are there."""
    by_title = {rung.title: rung.figures for rung in rungs}
    top, bottom = by_title.get("teacher, PyTorch"), by_title.get("shipped 6 x 384, ONNX int8")
    if not top or not bottom:
        return {}
    return {
        "accuracyLost": round(top["accuracy"] - bottom["accuracy"], 4),
        "latencyCut512": round(1 - bottom["p50Ms512"] / top["p50Ms512"], 4),
        "latencyCut128": round(1 - bottom["p50Ms128"] / top["p50Ms128"], 4),
        "sizeCut": round(1 - bottom["megabytes"] / top["megabytes"], 4),
    }


def table(rungs: Sequence[Rung], missing: Sequence[str]) -> str:
    """Markdown."""
    times = [f"{name} at {length}" for length in LENGTHS for name in ("p50", "p90", "p99")]
    columns = ["MB", *(f"{name}, ms" for name in times), "accuracy", "F1", "recall at 0.2 % wrong", "ECE", "ECE at even odds"]
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for rung in rungs:
        figures = rung.figures
        speeds = [f"{figures[f'{name}Ms{length}']:.1f}" for length in LENGTHS for name in ("p50", "p90", "p99")]
        shares = [f"{figures[name]:.1%}".replace("%", " %") for name in ("accuracy", "f1", "recallAtCleanWrong")]
        cells = [f"{figures['megabytes']:.1f}", *speeds, *shares, f"{figures['ece']:.4f}", f"{figures['eceAtEvenOdds']:.4f}"]
        lines.append(f"| {rung.title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *(f"\nMissing: {row}." for row in missing)])


def draw(rungs: Sequence[Rung], file: Path) -> None:
    """Accuracy over latency, a circle's area the size on disk."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the back end is chosen

    figure, axes = plt.subplots(figsize=(9, 5.5))
    for rung in rungs:
        x, y = rung.figures["p50Ms512"], 100 * rung.figures["accuracy"]
        axes.scatter(x, y, s=4 * rung.figures["megabytes"], alpha=0.5)
        axes.annotate(rung.title, (x, y), xytext=(0, 8), textcoords="offset points", fontsize=8, ha="center")
    axes.set_xscale("log")
    axes.set_xlabel("p50 at 512 tokens, ms (log scale)")
    axes.set_ylabel("accuracy on the test split, %")
    axes.set_title("From the teacher to what ships; area: size on disk")
    axes.margins(0.15)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    for name in ("teacher", "six-layer", "shipped", "three-layer"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--composed", type=int, default=2000)
    parser.add_argument("--plain", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scratch", type=Path, default=Path(".training/ladder"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(CORES)
    given.scratch.mkdir(parents=True, exist_ok=True)
    rungs, missing = climb({name: getattr(given, name) for _, name, _ in ROWS}, given.scratch)
    for row in missing:
        print(f"missing: {row}", flush=True)
    if not rungs:
        parser.error("no row's weights are there")
    cut = cutter(given.listings, given.composed, given.plain, given.seed)
    for rung in rungs:
        texts = cut(rung.work)
        logits = {part: kept(rung, texts[part], part, given.scratch) for part in texts}
        rung.figures = quality(texts["dev"], logits["dev"], texts["test"], logits["test"])
    time_all(rungs, given.rounds)
    for rung in rungs:
        rung.figures["megabytes"] = round(rung.file.stat().st_size / 1e6, 1)
        for length, seconds in rung.seconds.items():
            for percentile in (50, 90, 99):
                rung.figures[f"p{percentile}Ms{length}"] = round(1000 * float(np.percentile(seconds, percentile)), 2)
    result = {
        "question": "what each step from the teacher to the shipped artefact costs and gains",
        "machine": describe() | {"torch": torch.__version__},
        "rounds": given.rounds,
        "repeats": REPEATS,
        "rows": {rung.title: rung.figures for rung in rungs},
        "missing": missing,
        "shown": shown(rungs),
    }
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "model_ladder.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (given.results / "model_ladder.md").write_text(table(rungs, missing) + "\n", encoding="utf-8")
    draw(rungs, given.results / "model_ladder.png")
    print(table(rungs, missing))
    print(json.dumps(result["shown"], indent=2))


if __name__ == "__main__":
    main()
