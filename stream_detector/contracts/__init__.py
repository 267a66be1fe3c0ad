"""What crosses a wire: events in, verdicts out, dead letters aside; and the codec between bytes and models."""

from stream_detector.contracts.base import Timestamp, WireModel, format_timestamp
from stream_detector.contracts.cloud_events import CloudEvents, carried, envelope_of, unwrap, wrap
from stream_detector.contracts.codec import DEFAULT_MAX_BYTES, decode, decode_batch, encode
from stream_detector.contracts.dead_letters import DeadLetter, Headers
from stream_detector.contracts.events import Event, EventType, TransactionContext
from stream_detector.contracts.preflight import PreflightResponse, TakeOut
from stream_detector.contracts.repeat_offenders import RepeatOffender, crossing_id
from stream_detector.contracts.reviews import Decision, Reason, Review, ReviewedSpan, review_id
from stream_detector.contracts.scoring import (
    Evidence,
    Kind,
    Label,
    ScoreDetails,
    ScoringRequest,
    ScoringResponse,
    format_probability,
)
from stream_detector.contracts.shadow import ShadowDisagreement, disagreement_of
from stream_detector.contracts.violations import Score, Source, Violation, score_of, verdict_id, violation_of

__all__ = [
    "DEFAULT_MAX_BYTES",
    "CloudEvents",
    "DeadLetter",
    "Decision",
    "Event",
    "EventType",
    "Evidence",
    "Headers",
    "Kind",
    "Label",
    "PreflightResponse",
    "Reason",
    "RepeatOffender",
    "Review",
    "ReviewedSpan",
    "Score",
    "ScoreDetails",
    "ScoringRequest",
    "ScoringResponse",
    "ShadowDisagreement",
    "Source",
    "TakeOut",
    "Timestamp",
    "TransactionContext",
    "Violation",
    "WireModel",
    "carried",
    "crossing_id",
    "decode",
    "decode_batch",
    "disagreement_of",
    "encode",
    "envelope_of",
    "format_probability",
    "format_timestamp",
    "review_id",
    "score_of",
    "unwrap",
    "verdict_id",
    "violation_of",
    "wrap",
]
