"""What running the network costs on this machine: timed at the start, fitted, and corrected by every run.

Nothing else knows the machine: two processors of one name differ by a factor of two, and a neighbour's load by more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from threading import Lock
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

# Lengths are counted in units of so many tokens, so that the terms of the fit are of like size.
_UNIT: Final = 128
# The share of its weight that an observation keeps with each that follows: half of it after 350 runs.
_KEPT: Final = 0.998
# How fast the speed follows: a machine that is slower from now on is known within twenty runs, a hiccup moves it by 3 %.
_FOLLOW: Final = 0.06
_HICCUP: Final = 0.5
# Solving the fit takes half a millisecond, and coefficients move slowly.
_REFIT_EVERY: Final = 32
# Which of the four terms are there: a term that would have to be negative is left out.
_SUBSETS: Final = [list(s) for n in range(1, 5) for s in itertools.combinations(range(4), n)]
# Before anything was timed: rows gain nothing, 100 microseconds a token.
_GUESS: Final = np.array([0.0, 0.0, 100e-6 * _UNIT, 0.0])


class Timing(NamedTuple):
    """One run: rows, their padded length in tokens, and the seconds it took."""

    rows: int
    length: int
    seconds: float


class Costs(Protocol):
    """Foretells runs."""

    def seconds(self, rows: int, length: int) -> float:
        """Seconds for a run of so many rows, each padded to so many tokens."""


class CostModel:
    """Seconds of a run = speed x (fixed + rows x (constant + linear x length + quadratic x length²)), no term negative.

    The terms are the call itself, what each row costs, its layers and its attention. `speed` follows the machine's moods
    within some runs, the terms within some hundreds. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._terms: NDArray[np.float64] = _GUESS.copy()
        self._speed = 1.0
        self._timed = False
        self._gram = np.zeros((4, 4))
        self._moment = np.zeros(4)
        self._observed = 0

    @property
    def terms(self) -> tuple[float, float, float, float]:
        """Fixed, a row, a token and a squared token, in seconds at the present speed."""
        fixed, row, linear, quadratic = (float(term) * self._speed for term in self._terms)
        return fixed, row, linear / _UNIT, quadratic / _UNIT**2

    def seconds(self, rows: int, length: int) -> float:
        """Seconds for a run of so many rows, each padded to so many tokens."""
        fixed, row, linear, quadratic = self._terms.tolist()
        units = length / _UNIT
        found: float = self._speed * (fixed + rows * (row + units * (linear + units * quadratic)))
        return found

    def fit(self, timings: Iterable[Timing]) -> None:
        """Begin anew with timings made for the purpose."""
        with self._lock:
            self._gram[:], self._moment[:] = 0, 0
            self._speed, self._timed = 1.0, True
            for timing in timings:
                # A relative error of a tenth weighs the same whether the run was short or long.
                self._weigh_in(timing, scale=timing.seconds)
            self._solve()

    def learn(self, timing: Timing) -> float:
        """Take a run into account; return the relative error of what was foretold for it.

        Before anything was timed, the first run sets the speed.
        """
        with self._lock:
            foretold = self.seconds(timing.rows, timing.length)
            ratio = max(timing.seconds, 1e-9) / foretold
            if not self._timed:
                self._timed = True
                self._speed *= ratio
                return abs(1 - 1 / ratio)
            self._speed *= math.exp(_FOLLOW * min(max(math.log(ratio), -_HICCUP), _HICCUP))
            # Terms are fitted at the speed of now; a run that was interrupted must not bend them.
            usual = foretold * min(max(ratio, 1 / 2), 2)
            self._gram *= _KEPT
            self._moment *= _KEPT
            self._weigh_in(Timing(timing.rows, timing.length, usual / self._speed), scale=foretold / self._speed)
            self._observed += 1
            if self._observed % _REFIT_EVERY == 0:
                self._solve()
            return abs(1 - 1 / ratio)

    def _weigh_in(self, timing: Timing, *, scale: float) -> None:
        units = timing.length / _UNIT
        features = np.array([1.0, timing.rows, timing.rows * units, timing.rows * units**2]) / scale
        self._gram += np.outer(features, features)
        self._moment += features * (timing.seconds / scale)

    def _solve(self) -> None:
        """Non-negative least squares, exactly: four terms have fifteen subsets, so each is tried."""
        best, least = self._terms, math.inf
        for subset in _SUBSETS:
            gram = self._gram[np.ix_(subset, subset)]
            # A trace of ridge: where all runs were alike, the terms can't be told apart.
            ridge = 1e-9 * np.diag(np.diag(gram) + 1e-12)
            found = np.linalg.solve(gram + ridge, self._moment[subset])
            if (found < 0).any():
                continue
            error = float(found @ gram @ found - 2 * found @ self._moment[subset])
            if error < least and found.any():
                terms = np.zeros(4)
                terms[subset] = found
                best, least = terms, error
        self._terms = best


class RunningMean:
    """A running estimate in seconds, such as of publishing a batch; 0 before the first measurement."""

    def __init__(self, newest: float = 0.2) -> None:
        self.seconds = 0.0
        self._newest = newest

    def learn(self, seconds: float) -> None:
        """Take a measurement into account; a clock that was set back counts as no time."""
        seconds = max(0.0, seconds)
        self.seconds = seconds if self.seconds == 0 else self.seconds + self._newest * (seconds - self.seconds)
