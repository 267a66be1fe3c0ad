"""CloudEvents through the worker's edge: read however they are wrapped, written as the setting says."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from stream_detector.contracts import CloudEvents, Event, Score, Violation, unwrap
from stream_detector.settings import Settings
from stream_detector.streaming.records import Outcome, OutputMessage, Record, judge, messages_of, read
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
ATTRIBUTES = {"specversion": "1.0", "id": "input", "source": "urn:shop", "type": "listing.changed"}
BINARY = tuple((f"ce_{name}", text.encode()) for name, text in ATTRIBUTES.items())
TRACE = ("traceparent", b"00-1-2-01")


def _outputs(record: Record, settings: Settings) -> list[OutputMessage]:
    found = read(record, settings, now=NOW)
    if isinstance(found, Outcome):
        return messages_of(found, settings, now=NOW)
    assert isinstance(found, Event)
    return messages_of(judge(record, found, respond(found.texts), settings, now=NOW), settings, now=NOW)


@pytest.mark.parametrize("mode", list(CloudEvents))
def test_an_input_in_an_envelope_is_scored(mode: CloudEvents) -> None:
    """Its violation has an envelope of its own or none, never the input's; the trace goes on."""
    record = Record("listing-updates", 0, 1, None, event(1, text=FRAUD), (*BINARY, TRACE))
    violation, score = _outputs(record, Settings(cloud_events=mode, publish_scores=True))
    assert TRACE in violation.headers
    read_again = unwrap(Violation, violation.value or b"", violation.headers, max_bytes=100_000)
    assert unwrap(Score, score.value or b"", score.headers, max_bytes=100_000).event_id == read_again.event_id == "E-1"
    ids = {value for name, value in violation.headers if name == "ce_id"}
    assert ids == ({read_again.violation_id.encode()} if mode is CloudEvents.BINARY else set())


def test_the_same_id_in_either_mode() -> None:
    """A subscriber of CloudEvents drops repetitions by the envelope's id: it is the violation's."""
    record = Record("listing-updates", 0, 1, None, event(1, text=FRAUD))
    (message,) = _outputs(record, Settings(cloud_events=CloudEvents.STRUCTURED))
    document = orjson.loads(message.value or b"")
    assert document["id"] == document["data"]["violationId"]


def test_a_broken_envelope_is_a_dead_letter_as_it_came() -> None:
    """Its headers are the producer's, byte for byte, and the reason names the one at fault."""
    headers = tuple(header for header in BINARY if header[0] != "ce_id")
    record = Record("listing-updates", 0, 1, b"k", event(1), headers)
    (message,) = _outputs(record, Settings(cloud_events=CloudEvents.BINARY))
    assert message.topic == "listing-updates.dlq"
    assert tuple(message.headers)[: len(headers)] == headers
    assert dict(message.headers)["dlq.error"] == b"ce_id: is required in a CloudEvent; add it"
