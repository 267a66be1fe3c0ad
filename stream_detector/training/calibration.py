"""From logits to probabilities that mean what they say at the stream's rate of violations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_detector.inference.artefact import Calibration


def platt(logits: NDArray[np.float64], labels: NDArray[np.bool_], *, prior: float) -> Calibration:
    """Fit probability = sigmoid(slope * logit + intercept) at a given share of violations.

    The development set holds many more violations than the stream does, so examples are weighted until violations make up
    `prior` of the weight (Platt 1999; Elkan 2001 on priors). Newton's method on the weighted log loss.
    """
    positive = labels.mean()
    weights = np.where(labels, prior / positive, (1 - prior) / (1 - positive))
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
