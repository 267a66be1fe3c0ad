"""The whole way with the shipped model on Apache Kafka: the example events in, explained violations out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest

from stream_detector.cli.demo.examples import load_examples
from stream_detector.contracts import Score, Violation, decode
from stream_detector.detection import Detector
from stream_detector.settings import Settings
from stream_detector.text.masking import mask
from tests.kafka.running import RunningWorker
from tests.kafka.traffic import Sent, received, send

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def detector() -> Iterator[Detector]:
    """The shipped model."""
    with Detector.load(Settings()) as loaded:
        yield loaded


def test_every_example_event_is_accounted_for_and_explained(exactly_once: Settings, detector: Detector) -> None:
    """Nothing is lost or repeated, and evidence points at the characters that were sent."""
    settings = exactly_once.model_copy(update={"publish_scores": True})
    topics = settings.topics
    now = datetime.now(UTC)
    records = [Sent(e.topic_in(topics), e.payload(now), (e.key or "").encode()) for e in load_examples(None)]
    send(settings, records)
    with RunningWorker(settings, detector) as running:
        running.has(len(records))

    scores = [decode(Score, message.value() or b"") for message in received(settings, topics.scores)]
    violations = [decode(Violation, message.value() or b"") for message in received(settings, topics.violations)]
    letters = [message for topic in topics.inputs for message in received(settings, topics.dead_letters_of(topic))]
    sent = {orjson.loads(record.value or b"")["eventId"]: record for record in records if _is_event(record.value)}
    assert len(scores) + len(letters) == len(records)
    assert {score.event_id for score in scores} == set(sent)
    assert len({violation.violation_id for violation in violations}) == len(violations)
    assert {v.event_id for v in violations} == {s.event_id for s in scores if s.score_details.label == "Fraud"}
    for violation in violations:
        texts = orjson.loads(sent[violation.event_id].value or b"")["attributes"]
        assert violation.attributes == {name: text for name, text in texts.items() if text is not None}
        assert violation.score_details.evidence, "a violation without a reason helps nobody"
        for evidence in violation.score_details.evidence:
            text = texts[evidence.attribute]
            assert 0 <= evidence.start < evidence.end <= len(text)
            assert evidence.surface == mask(text[evidence.start : evidence.end])


def _is_event(value: bytes | None) -> bool:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return False
    return isinstance(document, dict) and not document["eventId"].startswith("E-bad")
