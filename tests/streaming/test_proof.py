"""What is entered into the ledger from an output topic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stream_detector.contracts import CloudEvents, Event, Violation
from stream_detector.settings import Settings
from stream_detector.streaming.ledger import Ledger
from stream_detector.streaming.proof import _enter_output
from stream_detector.streaming.reading import Read, Span
from stream_detector.streaming.records import Record, judge, messages_of, read
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize("wrapping", CloudEvents)
def test_wrapped_verdicts_are_read(wrapping: CloudEvents) -> None:
    """Whatever the workers' setting for CloudEvents was when they published."""
    settings = Settings(cloud_events=wrapping)
    record = Record("listing-updates", 0, 0, b"key", event(1, text=FRAUD))
    found = read(record, settings, now=NOW)
    assert isinstance(found, Event)
    (message,) = messages_of(judge(record, found, respond(found.texts), settings, now=NOW), settings, now=NOW)
    ledger = Ledger([Span("listing-updates", 0, 0, 1)], {("listing-updates", 0): 1}, scores=False)
    ledger.input(record, found, fraud=True)
    output = replace(record, topic=message.topic, value=message.value, headers=tuple(message.headers))
    _enter_output(ledger, Read(output, 0), Violation)
    report = ledger.close()
    assert report.proven, report.examples
