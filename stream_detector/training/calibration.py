"""From logits to probabilities that mean what they say at the stream's rate of violations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_detector.inference.artefact import Calibration

#: Share of violations that a stream is taken to carry: a scan of real listing texts found 0.3 to 1 %.
STREAM_PRIOR = 0.01

#: Share of clean development texts that the threshold lets be flagged.
FALSE_FLAGS = 0.002


def platt(logits: NDArray[np.float64], labels: NDArray[np.bool_], *, prior: float) -> Calibration:
    """Fit probability = sigmoid(slope * logit + intercept) at a given share of violations.

    The development set holds many more violations than the stream does, so examples are weighted until violations make up
    `prior` of the weight (Platt 1999; Elkan 2001 on priors). Newton's method on the weighted log loss.
    """
    weights = at_prior(labels, prior)
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    theta = np.array([1.0, 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -40, 40)))
        gradient = design.T @ (weights * (p - labels)) + 1e-4 * theta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + 1e-4 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta -= np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(slope=float(max(theta[0], 1e-3)), intercept=float(theta[1]))


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.bool_], *, prior: float, bins: int = 15) -> float:
    """Expected calibration error: how far on average a probability is from the share of violations among its like.

    Examples are sorted by probability and cut into bins that hold equally many, and weighted until violations make up `prior`
    of the weight, as the stream has them (Naeini et al., 2015; equal-mass bins as in Roelofs et al., 2022). Bins of equally
    many, rather than equally heavy, examples put many bins where the violations are, which makes the figure stricter.

    Args:
        probabilities: (examples,).
        labels: (examples,), some of each.
        prior: share of violations to weigh for.
        bins: how many.
    """
    weights = at_prior(labels, prior)
    gaps = weights * (probabilities - labels)
    order = np.argsort(probabilities, kind="stable")
    return float(sum(abs(gaps[part].sum()) for part in np.array_split(order, bins)) / weights.sum())


def at_rate(calibration: Calibration, *, prior: float, rate: float) -> Calibration:
    """The same calibration where violations are another share: the intercept moves by the change in log odds."""
    shift = np.log(rate / (1 - rate)) - np.log(prior / (1 - prior))
    return Calibration(slope=calibration.slope, intercept=float(calibration.intercept + shift))


def at_prior(labels: NDArray[np.bool_], prior: float) -> NDArray[np.float64]:
    """Weights under which violations are a share of `prior`."""
    positive = labels.mean()
    return np.where(labels, prior / positive, (1 - prior) / (1 - positive))
