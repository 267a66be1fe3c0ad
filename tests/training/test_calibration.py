"""Platt's scaling: a probability means a probability, at the stream's rate of violations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream_detector.training.calibration import at_rate, calibration_error, platt


def _drawn(slope: float, intercept: float, seed: int = 5) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Logits, and labels that follow them by a known logistic."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, 40_000)
    return logits, rng.random(logits.size) < 1 / (1 + np.exp(-(slope * logits + intercept)))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.0, 3.0)])
def test_a_known_logistic_is_recovered(slope: float, intercept: float) -> None:
    """With the data's own rate for a prior, what is fitted is what the labels were drawn from."""
    logits, labels = _drawn(slope, intercept)
    calibration = platt(logits, labels, prior=float(labels.mean()))
    assert calibration.slope == pytest.approx(slope, rel=0.05)
    assert calibration.intercept == pytest.approx(intercept, abs=0.12)


@pytest.mark.parametrize("prior", [0.5, 0.01, 0.001])
def test_the_prior_is_honoured(prior: float) -> None:
    """In a stream with that share of violations the mean probability is that share, whatever the development set's was."""
    logits, labels = _drawn(1.0, 0.0)
    calibration = platt(logits, labels, prior=prior)
    probabilities = np.array([calibration.probability(logit) for logit in logits.tolist()])
    assert prior * probabilities[labels].mean() + (1 - prior) * probabilities[~labels].mean() == pytest.approx(prior, rel=0.02)


def test_a_rarer_violation_shifts_the_intercept() -> None:
    """By the change in log odds, as Bayes has it; the slope stays."""
    logits, labels = _drawn(1.0, 0.0)
    even, rare = (platt(logits, labels, prior=prior) for prior in (0.5, 0.01))
    assert rare.intercept - even.intercept == pytest.approx(math.log(0.01 / 0.99), abs=0.25)
    assert rare.slope == pytest.approx(even.slope, rel=0.1)


def test_labels_without_overlap_give_finite_numbers() -> None:
    """A network that errs nowhere has no best slope; the fit stops at a steep one instead of running away."""
    logits = np.array([-4.0, -3.0, -2.0, 2.0, 3.0, 4.0])
    calibration = platt(logits, logits > 0, prior=0.01)
    assert math.isfinite(calibration.slope)
    assert math.isfinite(calibration.intercept)
    assert calibration.probability(-2) < 0.01 < calibration.probability(2)


def test_a_network_that_is_wrong_keeps_its_order() -> None:
    """Where logits fall with the label the slope stays positive: a probability must rise with the logit."""
    logits, labels = _drawn(-1.0, 0.0)
    assert platt(logits, labels, prior=0.5).slope > 0


@given(scale=st.floats(0.01, 1000), shift=st.floats(-50, 50))
@settings(max_examples=30, deadline=None)
def test_logits_of_any_size_are_calibrated(scale: float, shift: float) -> None:
    """A network's logits may be small or huge, even all on one side: the fit ends with numbers and without a warning."""
    logits, labels = _drawn(1.0, 0.0)
    calibration = platt(logits[:500] * scale + shift, labels[:500], prior=0.01)
    assert math.isfinite(calibration.slope)
    assert math.isfinite(calibration.intercept)


def test_what_is_calibrated_has_no_error() -> None:
    """Probabilities that labels were drawn by, at the data's own rate."""
    logits, labels = _drawn(1.0, 0.0)
    error = calibration_error(1 / (1 + np.exp(-logits)), labels, prior=float(labels.mean()))
    assert error < 0.02


def test_calibration_error_by_hand() -> None:
    """Two bins, each a tenth too sure; where violations are rarer the bin of clean texts is all but the whole weight."""
    probabilities, labels = np.array([0.1] * 10 + [0.9] * 10), np.array([False] * 10 + [True] * 10)
    assert calibration_error(probabilities, labels, prior=0.5, bins=2) == pytest.approx(0.1)
    rare = np.array([0.0] * 10 + [0.9] * 10)
    assert calibration_error(rare, labels, prior=0.01, bins=2) == pytest.approx(0.001)


def test_probabilities_for_the_wrong_rate_have_an_error() -> None:
    """Fitted for half, read where one in a hundred offends; the intercept moved by the log odds mends it."""
    logits, labels = _drawn(1.0, 0.0)
    even = platt(logits, labels, prior=0.5)
    rare = at_rate(even, prior=0.5, rate=0.01)
    errors = [
        calibration_error(np.array([c.probability(logit) for logit in logits.tolist()]), labels, prior=0.01) for c in (even, rare)
    ]
    assert errors[0] > 0.1
    assert errors[1] < 0.01
