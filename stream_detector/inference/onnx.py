"""ONNX Runtime on the CPU.

One session serves all threads, each run on a single core: on a CPU a batch costs as much as its windows one by one, and a
run split over cores loses a third to synchronisation, so windows side by side, unpadded, are the fastest there is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort

from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import GRAPH
from stream_detector.inference.backend import WindowOutput


class OnnxBackend:
    """Runs an artefact's model.onnx.

    Args:
        folder: the artefact.
        special: the token numbers put before and after each window.
        threads: windows that run side by side; 0: one a core.

    Raises:
        ArtefactError: the graph can't be loaded.
    """

    def __init__(self, folder: Path, *, special: tuple[int, int], threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a class of its own for each failure, without a common base
            raise ArtefactError(
                f"{folder / GRAPH}: ONNX Runtime can't load it ({type(error).__name__}); export the model anew"
            ) from error
        self._first, self._last = special
        self._threads = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="inference")

    @property
    def name(self) -> str:
        """Says "onnx-cpu" and how many windows run side by side."""
        return f"onnx-cpu-{self._threads}"

    def submit(self, tokens: Sequence[int]) -> Future[WindowOutput]:
        """Queue one window."""
        return self._pool.submit(self._run, tokens)

    def close(self) -> None:
        """Wait for what runs, then end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, tokens: Sequence[int]) -> WindowOutput:
        ids = np.empty((1, len(tokens) + 2), dtype=np.int64)
        ids[0, 0], ids[0, 1:-1], ids[0, -1] = self._first, tokens, self._last
        logits, tags = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return WindowOutput(float(logits[0]), tags[0, 1:-1])
