"""ONNX Runtime on the CPU.

One session serves all threads, each run on a single core: on a CPU a batch costs as much as its windows one by one, and a
run split over cores loses a third to synchronisation, so windows side by side, unpadded, are the fastest there is.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stream_detector.batching import RunLimits
from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import GRAPH
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.observability import Metrics


class OnnxNetwork:
    """Runs an artefact's model.onnx.

    Args:
        folder: the artefact.
        threads: runs side by side; 0: one a core.
        max_rows: most windows in a run. More than one changes verdicts in their last digits: an int8 graph quantizes
            activations by the range they have in the whole run, so what a window is told would depend on its neighbours.

    Raises:
        ArtefactError: the graph can't be loaded.
    """

    def __init__(self, folder: Path, *, threads: int = 0, max_rows: int = 1) -> None:
        ort.disable_telemetry_events()  # the detector tells nobody anything but what it is set to
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
        self.sessions = threads or len(os.sched_getaffinity(0))
        self.limits = RunLimits(max_rows=max_rows)

    @property
    def name(self) -> str:
        """Says "onnx-cpu" and how many windows run side by side."""
        return f"onnx-cpu-{self.sessions}"

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run some windows; the interpreter's lock is free meanwhile."""
        logits, tags = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return logits, tags


class OnnxBackend(Dispatcher):
    """An artefact's graph behind a dispatcher.

    Args:
        folder: the artefact.
        special: the token numbers put before and after each window.
        threads: windows that run side by side; 0: one a core.
        promise_s: the deadline of a window that is submitted without one, in seconds from then.
        metrics: where runs are counted.

    Raises:
        ArtefactError: the graph can't be loaded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        special: tuple[int, int],
        threads: int = 0,
        promise_s: float = 0.25,
        metrics: Metrics | None = None,
    ) -> None:
        super().__init__(OnnxNetwork(folder, threads=threads), special=special, promise_s=promise_s, metrics=metrics)
