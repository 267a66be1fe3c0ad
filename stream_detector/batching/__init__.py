"""Which events run together, and when."""

from stream_detector.batching.rule import BatchLimits, CloseReason, Supply, close_reason

__all__ = ["BatchLimits", "CloseReason", "Supply", "close_reason"]
