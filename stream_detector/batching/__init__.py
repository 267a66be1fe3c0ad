"""Which windows run together, which events are committed together, and when."""

from stream_detector.batching.cost import CostModel, Costs, RunningMean, Timing
from stream_detector.batching.rule import BatchCost, BatchLimits, CloseReason, Supply, close_reason
from stream_detector.batching.scheduler import Run, RunLimits, Shape, Waiting, next_run

__all__ = [
    "BatchCost",
    "BatchLimits",
    "CloseReason",
    "CostModel",
    "Costs",
    "Run",
    "RunLimits",
    "RunningMean",
    "Shape",
    "Supply",
    "Timing",
    "Waiting",
    "close_reason",
    "next_run",
]
