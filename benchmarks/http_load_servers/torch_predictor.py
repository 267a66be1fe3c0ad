"""`stream-detector serve` with a network in PyTorch: what the predictor would be without ONNX and without int8.

    python benchmarks/http_load_servers/torch_predictor.py FOLDER PORT

FOLDER is what `stream-detector train fit` (or `distill`) left. A text of 512 tokens is one run, on all cores; what is around the
network, from the request to the verdict, is the predictor's own. Calibration and threshold are the shipped model's: they cost
nothing, and the verdicts are not looked at.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stream_detector.batching import RunLimits
from stream_detector.detection import Detector
from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import WindowShape, find, load_manifest
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.inference.windowing import special_tokens
from stream_detector.observability import Metrics
from stream_detector.observability.logs import configure
from stream_detector.serving import serve
from stream_detector.settings import Settings
from stream_detector.text.view import Normalizer
from stream_detector.training.pipeline import load_network


class TorchNetwork:
    """One run at a time, on all cores."""

    name = "torch-cpu"
    sessions = 1
    limits = RunLimits()

    def __init__(self, folder: Path) -> None:
        self._network = load_network(folder).eval()

    @torch.inference_mode()
    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run some windows."""
        logits, tags = self._network(torch.from_numpy(ids), torch.from_numpy(mask))
        return logits.numpy(), tags.numpy()


def main() -> None:
    """Serve until told to stop."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = Settings.load(flags={"http_port": port})

    def load(settings: Settings, metrics: Metrics) -> Detector:
        manifest = load_manifest(find(settings.model)).model_copy(update={"window": WindowShape(tokens=512, overlap=32)})
        tokenizer = load_tokenizer(folder)
        backend = Dispatcher(TorchNetwork(folder), special=special_tokens(tokenizer), metrics=metrics)
        policy = settings.policy
        normalizer = Normalizer(policy.platform_names, policy.platform_domains)
        detector = Detector(manifest, tokenizer, backend, normalizer, threshold=manifest.threshold, metrics=metrics)
        detector.measure()
        return detector

    configure(settings.log_level)
    serve(settings, load)


if __name__ == "__main__":
    main()
