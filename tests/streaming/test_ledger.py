"""The ledger: what is in order passes, and each sort of fault is found and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stream_detector.contracts import DeadLetter, Event, Score, Violation, decode
from stream_detector.settings import Settings
from stream_detector.streaming.ledger import Fault, Ledger, Report
from stream_detector.streaming.reading import Span
from stream_detector.streaming.records import Outcome, OutputMessage, Record, judge, messages_of, read, unscorable
from tests.kafka.stand_in import FRAUD, respond
from tests.kafka.traffic import event

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SETTINGS = Settings(publish_scores=True)
TOPIC = "listing-updates"
#: A violation, a clean event, one that can't be read, a tombstone, and one that the model fails on.
VALUES = (event(0, text=FRAUD), event(1), b"{", None, event(4, text="poison"))
INPUTS = [Record(TOPIC, 0, offset, b"key", value) for offset, value in enumerate(VALUES)]

Messages = list[OutputMessage]
Change = Callable[[Messages], Messages]


def outputs() -> Messages:
    """What a worker publishes for the inputs."""
    messages: Messages = []
    for record in INPUTS:
        found = read(record, SETTINGS, now=NOW)
        if isinstance(found, Event):
            texts = found.texts
            outcome: Outcome = (
                unscorable(record, found, ValueError(), now=NOW)
                if "poison" in texts.values()
                else judge(record, found, respond(texts), SETTINGS, now=NOW)
            )
        else:
            outcome = found
        messages += messages_of(outcome, SETTINGS, now=NOW)
    return messages


def report(
    messages: Messages, *, committed: int = 5, scores: bool = True, fraud: Sequence[bool | None] = (None,) * 5, start: int = 0
) -> Report:
    """The report on some outputs."""
    ledger = Ledger([Span(TOPIC, 0, start, 5)], {(TOPIC, 0): committed}, scores=scores)
    for record, known in zip(INPUTS, fraud, strict=True):
        if record.offset >= start:
            ledger.input(record, read(record, SETTINGS, now=NOW), fraud=known)
    for offset, message in enumerate(messages):
        record = Record(message.topic, 0, offset, message.key, message.value, message.headers)
        if message.topic == f"{TOPIC}.dlq":
            ledger.dead_letter(DeadLetter.parse(record.key, record.value, record.headers).source, record)
        else:
            ledger.verdict(decode(Violation if message.topic == "violations" else Score, record.value or b""), record)
    return ledger.close()


def test_what_a_worker_publishes_is_proven() -> None:
    """Every record once: nothing to complain of, and each sort is counted."""
    found = report(outputs())
    assert found.proven, found.examples
    assert found.records == 5
    assert found.due == {"a verdict": 3, "a dead letter": 1, "nothing": 1}
    assert found.outputs == {"violation": 1, "score": 2, "dead letter": 2}


def edited(number: int, **changes: object) -> Change:
    """The outputs, with one of them changed."""
    return lambda messages: [replace(m, **changes) if at == number else m for at, m in enumerate(messages)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: m[1:], Fault.LOST),  # the violation of an event that is Fraud by its score
        (lambda m: [m[0], *m[2:]], Fault.LOST),  # the score
        (lambda m: m[:3] + m[4:], Fault.LOST),  # the dead letter of what can't be read
        (lambda m: m[:-1], Fault.LOST),  # neither verdict nor dead letter
        (lambda m: [*m, m[0]], Fault.REPEATED),
        (lambda m: [*m, m[1]], Fault.REPEATED),
        (lambda m: [*m, m[3]], Fault.REPEATED),
        (edited(0, key=b"other"), Fault.ALTERED),
        (edited(3, value=b"{}"), Fault.ALTERED),
        (lambda m: [m[1], m[2], m[0], *m[3:]], None),  # topics of their own have orders of their own
        (lambda m: [m[0], m[2], m[1], *m[3:]], Fault.OUT_OF_ORDER),
        (lambda m: edited(0, value=m[0].value.replace(b'"violationId":"', b'"violationId":"0'))(m), Fault.WRONG_ID),
        (lambda m: edited(0, value=m[0].value.replace(b'"offset":0', b'"offset":3'))(m), Fault.UNEXPECTED),
        (lambda m: edited(0, value=m[0].value.replace(b'"offset":0', b'"offset":7'))(m), Fault.AHEAD),
    ],
)
def test_each_fault_is_found(change: Change, fault: Fault | None) -> None:
    """A ledger that can't find a fault proves nothing."""
    found = report(change(outputs()))
    assert (set(found.faults) >= {fault}) if fault else found.proven, found.examples
    assert found.proven is (fault is None)


def test_output_before_its_offset_is_committed_is_a_fault() -> None:
    """It will be repeated; and a record in the span that isn't committed is not done."""
    assert report(outputs(), committed=3).faults == {"ahead": 1, "not done": 2}


def test_output_for_an_offset_without_a_record() -> None:
    """Output that nothing in the input explains, such as that of an aborted transaction's record."""
    ledger = Ledger([Span(TOPIC, 0, 0, 5)], {(TOPIC, 0): 5}, scores=True)
    record = Record("listing-updates.dlq", 0, 0, b"key", b"{", outputs()[3].headers)
    ledger.dead_letter(DeadLetter.parse(record.key, record.value, record.headers).source, record)
    assert ledger.close().faults == {"no source": 1}


def test_output_of_records_before_the_span_is_left_alone() -> None:
    """A span looks at its own records only."""
    found = report(outputs(), start=3)
    assert found.proven, found.examples
    assert found.outputs == {"dead letter": 1}


def test_without_scores_absence_is_only_presumed() -> None:
    """A missing violation can't be told from a clean event, and the report says of how many that is so."""
    kept = [message for message in outputs() if message.topic != "scores"]
    found = report(kept, scores=False)
    assert found.proven
    assert found.presumed_clean == 1
    assert report(kept[1:], scores=False).proven, "this is what scores are for"


def test_scoring_once_more_proves_absence() -> None:
    """With the verdicts known, a lost violation is found without scores, and so is one too many."""
    kept = [message for message in outputs() if message.topic != "scores"]
    fraud = (True, False, None, None, None)
    assert report(kept, scores=False, fraud=fraud).presumed_clean == 0
    assert report(kept[1:], scores=False, fraud=fraud).faults == {"lost": 1}
    assert report(kept, scores=False, fraud=(False, False, None, None, None)).faults == {"unexpected": 1}


@pytest.mark.parametrize("missing", ["dlq.reason", "dlq.error", "dlq.source.offset", "dlq.timestamp"])
def test_a_dead_letter_without_its_headers_is_named(missing: str) -> None:
    """What somebody else put on a dead-letter topic is told apart."""
    headers = [(name, value) for name, value in outputs()[3].headers if name != missing]
    with pytest.raises(ValueError, match=missing):
        DeadLetter.parse(None, b"", headers)
