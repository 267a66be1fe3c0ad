"""Texts to verdicts: the detector, its evidence and its cache."""

from stream_detector.detection.detector import Detector, TextVerdict

__all__ = ["Detector", "TextVerdict"]
