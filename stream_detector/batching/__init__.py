"""Which events run together, and when."""

from stream_detector.batching.cost import EventCost
from stream_detector.batching.rule import BatchLimits, CloseReason, Supply, close_reason

__all__ = ["BatchLimits", "CloseReason", "EventCost", "Supply", "close_reason"]
