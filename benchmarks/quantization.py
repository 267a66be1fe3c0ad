"""What does int8 change? Verdicts of the quantized graphs against the fp32 graph, on the same windows.

    python benchmarks/quantization.py LISTINGS_FOLDER [--work .training]

Needs the `train` extra and the network that `stream-detector train fit` left in the work folder. Half of the windows come from
composed texts of the held-back cities, half from plain ones. A verdict is a window's logit against the shipped threshold.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from machine import describe

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import find, load_manifest
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.settings import Settings
from stream_detector.training.corpus.compose import Composer
from stream_detector.training.corpus.listings import read_listings
from stream_detector.training.export import Precision, export_graph
from stream_detector.training.pipeline import load_network, policy_normalizer
from stream_detector.training.samples import Split, plain_samples

RESULT = Path(__file__).parent / "results" / "quantization.json"
TEXTS = 1000


def windows_of(listings: Path, model: Path) -> list[list[int]]:
    """Windows of composed and plain texts, with the special tokens."""
    texts = [listing for listing in read_listings(listings) if Split("test").holds(listing)]
    samples = [*Composer(texts, seed=11).samples(TEXTS), *plain_samples(texts, TEXTS, 11)]
    tokenizer, normalizer, shape = load_tokenizer(model), policy_normalizer(), load_manifest(model).window
    first, last = special_tokens(tokenizer)
    cuts = [view_windows(normalizer.view(s.text), tokenizer, shape) for s in samples]
    return [[first, *cut.ids[window.start : window.stop], last] for cut in cuts for window in cut.windows]


def logits(graph: Path, windows: list[list[int]]) -> np.ndarray:
    """The window logits of a graph."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    found = []
    for window in windows:
        ids = np.array([window], dtype=np.int64)
        found.append(float(session.run(["logit"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]))
    return np.array(found)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--work", type=Path, default=Path(".training"))
    given = parser.parse_args()
    model = find(Settings().model)
    manifest, windows, network = load_manifest(model), windows_of(given.listings, model), load_network(given.work)
    threshold = (
        math.log(manifest.threshold / (1 - manifest.threshold)) - manifest.calibration.intercept
    ) / manifest.calibration.slope
    found: dict[str, np.ndarray] = {}
    sizes: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision in Precision:
            graph = Path(folder, f"{precision.value}.onnx")
            export_graph(network, graph, precision)
            sizes[precision.value] = round(graph.stat().st_size / 1e6, 1)
            found[precision.value] = logits(graph, windows)
    exact = found[Precision.FP32.value]
    result = {
        "question": "window verdicts and logits of quantized graphs against fp32",
        "machine": describe(),
        "windows": len(windows),
        "megabytes": sizes,
        "verdictsChanged": {name: int(((values > threshold) != (exact > threshold)).sum()) for name, values in found.items()},
        "largestLogitChange": {name: round(float(np.abs(values - exact).max()), 2) for name, values in found.items()},
        "medianLogitChange": {name: round(float(np.median(np.abs(values - exact))), 3) for name, values in found.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
