"""Networks whose answers are known beforehand, and that insist on what they were promised."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import RunLimits, Shape
from stream_detector.inference.toolchains import CompileOptions, Program

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


class SumToolchain:
    """Another stand-in for a Neuron toolchain, without torch: its programs are files that name their shape, and add up tokens.

    Args:
        count: cores that there are.
        target: what it calls itself.
        together: so many runs must be under way at once before any of them ends.
    """

    def __init__(self, count: int = 2, *, target: str = "sum", together: int = 1) -> None:
        self.target = target
        self.loaded: list[tuple[str, range]] = []
        self.ran: list[tuple[range, tuple[int, int]]] = []
        self._count = count
        self._together = threading.Barrier(together)

    def check(self, options: CompileOptions) -> None:
        """It can do everything."""

    def trace(self, network: Any, shape: Shape, file: Path, options: CompileOptions) -> None:
        """A program is its shape."""
        file.write_text(json.dumps(shape), encoding="utf-8")

    def load(self, file: Path, cores: range) -> Program:
        """What was traced for a shape refuses any other."""
        self.loaded.append((file.name, cores))
        shape = json.loads(file.read_text(encoding="utf-8"))

        def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            assert list(ids.shape) == list(mask.shape) == shape
            self._together.wait(30)
            self.ran.append((cores, ids.shape))
            return (ids * mask).sum(axis=1).astype(np.float32), np.repeat(ids[:, :, None], 2, axis=2).astype(np.float32)

        return run

    def cores(self) -> int:
        """As it was told."""
        return self._count

    def versions(self) -> dict[str, str]:
        """None to speak of."""
        return {}
