"""Kafka: consume, score, publish and commit, with a delivery guarantee."""

from stream_detector.streaming.embedded import EmbeddedBroker
from stream_detector.streaming.records import Outcome, OutcomeKind, Record
from stream_detector.streaming.scorers import Scorer, Scorers, Share
from stream_detector.streaming.topics import TopicReport, create_topics
from stream_detector.streaming.worker import Worker

__all__ = [
    "EmbeddedBroker",
    "Outcome",
    "OutcomeKind",
    "Record",
    "Scorer",
    "Scorers",
    "Share",
    "TopicReport",
    "Worker",
    "create_topics",
]
