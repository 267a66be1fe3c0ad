"""Networks whose answers are known beforehand, and that insist on what they were promised."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import RunLimits

SPECIAL = (101, 102)
POISON = 666


class SumNetwork:
    """A window's logit is the sum of its tokens, special ones included; each tag row holds its token twice.

    Args:
        limits: what it says it takes, and takes.
        gate: runs wait until it is set.
    """

    name = "sum"

    def __init__(self, limits: RunLimits, *, sessions: int = 1, gate: threading.Event | None = None) -> None:
        self.limits = limits
        self.sessions = sessions
        self.shapes: list[tuple[int, int]] = []
        self.entered = threading.Event()
        self._gate = gate

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Refuse what a compiled model would refuse."""
        assert ids.shape == mask.shape
        assert ids.dtype == mask.dtype == np.int64
        if self.limits.shapes:
            assert ids.shape in self.limits.shapes
        assert mask.any(axis=1).all(), "a row without a token: the attention would divide by zero"
        assert (ids[mask == 0] == 0).all()
        self.entered.set()
        if self._gate is not None:
            assert self._gate.wait(30)
        if (ids == POISON).any():
            raise ZeroDivisionError("poison")
        self.shapes.append(ids.shape)
        tags = np.repeat(ids[:, :, None], 2, axis=2).astype(np.float32)
        return (ids * mask).sum(axis=1).astype(np.float32), tags
