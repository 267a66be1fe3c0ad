"""What runs a network: the protocol that all backends share."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WindowOutput:
    """What the network says of one window.

    Attributes:
        logit: of the window, uncalibrated.
        tags: (tokens, classes) logits, without those of the special tokens.
    """

    logit: float
    tags: NDArray[np.float32]


class Backend(Protocol):
    """Runs windows; `submit` returns at once, so that tokenizing goes on while the network runs."""

    @property
    def name(self) -> str:
        """What runs where, for responses and metrics."""

    def submit(self, tokens: Sequence[int]) -> Future[WindowOutput]:
        """Run one window of token numbers (without special ones)."""

    def close(self) -> None:
        """Release threads and memory; no submit after it."""
