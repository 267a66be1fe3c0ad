"""What the engine alone takes for the same texts: ONNX Runtime on windows that were cut beforehand. Used by http_load.py.

    python benchmarks/http_load_raw.py BODIES FIRST COUNT

Two ways, because people do it both ways: the shipped model's windows, one thread each, on all cores at once; and the whole text
in one run of 512 tokens on all cores. Prints the milliseconds of each request, after as many uncounted ones as FIRST leaves room for.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import GRAPH, find, load_manifest
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.settings import Settings
from stream_detector.text.view import Normalizer

WARM_UPS = 5
CORES = len(os.sched_getaffinity(0))
Feeds = dict[str, NDArray[np.int64]]


def feeds(tokens: Sequence[int]) -> Feeds:
    """The graph's inputs for one window."""
    ids = np.array([tokens], dtype=np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def session(folder: Path, threads: int) -> ort.InferenceSession:
    """The shipped graph."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    return ort.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])


def milliseconds(requests: Sequence[Sequence[Feeds]], run: Callable[[Sequence[Feeds]], object]) -> list[float]:
    """Of each request, one after the other; the first few aren't counted."""
    taken = []
    for request in [*requests[:WARM_UPS], *requests]:
        start = time.perf_counter()
        run(request)
        taken.append((time.perf_counter() - start) * 1000)
    return taken[WARM_UPS:]


def main() -> None:
    """Measure and print."""
    file, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder, policy = find(Settings().model), Settings().policy
    manifest, tokenizer = load_manifest(folder), load_tokenizer(folder)
    normalizer = Normalizer(policy.platform_names, policy.platform_domains)
    start, end = special_tokens(tokenizer)
    with file.open(encoding="utf-8") as lines:
        texts = [text for line in islice(lines, first, first + count) for text in json.loads(line)["attributes"].values()]
    cuts = [view_windows(normalizer.view(text), tokenizer, manifest.window) for text in texts]
    cut = [[feeds([start, *one.ids[window.start : window.stop], end]) for window in one.windows] for one in cuts]
    whole = [[feeds([start, *one.ids[:510], end])] for one in cuts]
    single, wide = session(folder, 1), session(folder, CORES)
    with ThreadPoolExecutor(CORES) as pool:
        found = {
            "windowsSideBySide": milliseconds(cut, lambda request: list(pool.map(lambda one: single.run(None, one), request))),
            "oneRunAllCores": milliseconds(whole, lambda request: wide.run(None, request[0])),
        }
    print(json.dumps({"windows": sum(map(len, cut)) / len(cut), "milliseconds": found}))


if __name__ == "__main__":
    main()
