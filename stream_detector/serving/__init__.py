"""The HTTP predictor: the detector of the stream, behind POST /score."""

from stream_detector.serving.app import make_app
from stream_detector.serving.predictor import Predictor, Scorer
from stream_detector.serving.server import serve

__all__ = ["Predictor", "Scorer", "make_app", "serve"]
