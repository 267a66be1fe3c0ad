"""What an operator sees: metrics, structured logs, health and readiness over HTTP."""

from stream_detector.observability.http import ObservabilityServer
from stream_detector.observability.metrics import Metrics
from stream_detector.observability.readiness import Readiness, State

__all__ = ["Metrics", "ObservabilityServer", "Readiness", "State"]
