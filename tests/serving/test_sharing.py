"""Requests that come at once share runs of the network, as events of the stream do."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from starlette.testclient import TestClient

from stream_detector.batching import RunLimits, Shape
from stream_detector.detection import Detector
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.text.view import Normalizer
from tests.detection.stand_in import MANIFEST, tokenizer
from tests.serving.asking import Served, request


class Accelerator:
    """A compiled model of four rows; its first run waits until it is let go on, and it remembers how many rows had a text."""

    name = "accelerator"
    sessions = 1
    limits = RunLimits(shapes=(Shape(4, 32),))

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.texts: list[int] = []

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find nothing."""
        self.texts.append(int((mask.sum(axis=1) > 2).sum()))
        self.entered.set()
        assert self.gate.wait(30)
        return np.full(len(ids), -6, np.float32), np.zeros((*ids.shape, len(MANIFEST.tags)), np.float32)


def test_requests_at_once_share_a_run() -> None:
    """What comes while the hardware is busy runs together when it is free."""
    network = Accelerator()
    backend = Dispatcher(network, special=(1, 2))
    made = Detector(MANIFEST, tokenizer(), backend, Normalizer([], []), threshold=0.5)
    served = Served(made, promise_ms=600_000)
    with TestClient(served.app) as client, ThreadPoolExecutor(4) as pool:
        served.client = client
        first = pool.submit(served.score, request(a="the flat"))
        assert network.entered.wait(30)
        others = [pool.submit(served.score, request(a=f"the flat is bright {'. ' * n}")) for n in range(3)]
        while len(backend._waiting) < 3:
            threading.Event().wait(0.01)
        assert all(300 < waiting.deadline - time.monotonic() <= 600 for waiting in backend._waiting), "arrival plus the promise"
        network.gate.set()
        assert [future.result().status_code for future in (first, *others)] == [200] * 4
    made.close()
    assert network.texts == [1, 3]
