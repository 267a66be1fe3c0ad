"""Which windows run together, which events are committed together, and when."""

from stream_detector.batching.cost import CostModel, Costs, RunningMean, Timing
from stream_detector.batching.rule import BatchLimits, CloseReason, EventCost, Supply, close_reason

__all__ = ["BatchLimits", "CloseReason", "CostModel", "Costs", "EventCost", "RunningMean", "Supply", "Timing", "close_reason"]
