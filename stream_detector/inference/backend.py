"""What runs a network: the protocols that all hardware shares.

A `Network` is the hardware's side: it runs arrays, now, and says which shapes it takes. A `Backend` is what the detector sees:
it takes windows and returns futures. `Dispatcher` makes a backend of any network.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import Costs, RunLimits


@dataclass(frozen=True, slots=True)
class WindowOutput:
    """What the network says of one window.

    Attributes:
        logit: of the window, uncalibrated.
        tags: (tokens, classes) logits, without those of the special tokens.
    """

    logit: float
    tags: NDArray[np.float32]


class Network(Protocol):
    """Runs arrays of token numbers; safe to call from `sessions` threads at once."""

    @property
    def name(self) -> str:
        """What runs where, for responses and metrics."""

    @property
    def sessions(self) -> int:
        """How many runs go on side by side."""

    @property
    def limits(self) -> RunLimits:
        """What one run may hold. A compiled model names its shapes here, and is only ever given those."""

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run some windows.

        Args:
            ids: (rows, length) token numbers, special ones included.
            mask: (rows, length), 1 for a token and 0 for padding.

        Returns:
            (rows,) logits of the windows and (rows, length, classes) logits of the tags.
        """


class Backend(Protocol):
    """Runs windows; `submit` returns at once, so that tokenizing goes on while the network runs."""

    @property
    def name(self) -> str:
        """What runs where, for responses and metrics."""

    @property
    def costs(self) -> Costs:
        """What its runs take, as far as it knows."""

    @property
    def seconds_left(self) -> float:
        """How long it is expected to be busy with what was submitted so far."""

    def measure(self, longest: int, *, budget_s: float) -> None:
        """Time the hardware, so that what it will take can be foretold.

        Args:
            longest: tokens of the longest window there will be, special ones included.
            budget_s: about how long that may take.
        """

    def submit(self, tokens: Sequence[int], *, deadline: float | None = None) -> Future[WindowOutput]:
        """Run one window.

        Args:
            tokens: token numbers without special ones.
            deadline: by when it should be done, on the clock of `time.monotonic`; None: as if it had occurred now.
        """

    def close(self) -> None:
        """Release threads and memory; no submit after it."""
