"""Proving a group's ledger on a broker: which spans are read, in which order, and what is entered where."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Protocol, TypeVar

from stream_detector.contracts import DeadLetter, Event, Label, Score, ScoringResponse, Violation
from stream_detector.contracts.wire import PLAIN, WireFormat
from stream_detector.errors import ConfigurationError, DecodeError
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.ledger import Ledger, Report
from stream_detector.streaming.reading import Read, Reader, Span
from stream_detector.streaming.records import Partition, read

#: A dead worker's transaction has ended by then, and what it held up can be read.
_SETTLE_S: Final = 30.0
#: Outputs have times of their own: so much earlier than the inputs they may seem, by clocks that don't agree.
_CLOCKS_MS: Final = 10 * 60 * 1000
_BATCH: Final = 64

Item = TypeVar("Item")


class Judge(Protocol):
    """Gives verdicts once more: the detector."""

    def score(self, texts: Sequence[dict[str, str]]) -> list[ScoringResponse]:
        """One response for each mapping of attribute name to text, in order."""
        ...


def choose_spans(
    reader: Reader,
    settings: Settings,
    *,
    spans: Sequence[Span] = (),
    since_ms: int | None = None,
    until_ms: int | None = None,
    whole: bool = False,
) -> list[Span]:
    """The inputs to look at.

    Args:
        reader: asks the broker.
        settings: name the topics and the group.
        spans: only these; a `start` below 0 is the oldest that the broker has, an `end` below 0 what the group has committed.
        since_ms: only what was written then or later, in milliseconds since the epoch.
        until_ms: only what was written before.
        whole: up to the end of the log, whether the group has done it or not.

    Raises:
        ConfigurationError: a span lies outside of what the broker has, or isn't of an input topic.
    """
    held = {span.key: span for topic in settings.topics.inputs for span in reader.whole(topic)}
    if spans:
        for span in spans:
            _require_held(span, held, settings)
        chosen = [Span(*span.key, max(span.start, held[span.key].start), span.end) for span in spans]
    else:
        chosen = [Span(*span.key, span.start, -1) for span in held.values()]
    if whole:
        chosen = [Span(*span.key, span.start, held[span.key].end if span.end < 0 else span.end) for span in chosen]
    elif any(span.end < 0 for span in chosen):
        done = reader.committed(span.key for span in chosen)
        chosen = [
            Span(*span.key, span.start, max(span.start, done.get(span.key, 0)) if span.end < 0 else span.end) for span in chosen
        ]  # fmt: skip
    if since_ms is not None:
        chosen = reader.since(chosen, since_ms)
    if until_ms is not None:
        chosen = reader.until(chosen, until_ms)
    return chosen


def prove(
    reader: Reader,
    latest: Reader,
    settings: Settings,
    spans: list[Span],
    *,
    judge: Judge | None = None,
    since_ms: int | None = None,
) -> Report:
    """Read inputs and outputs, and compare.

    Args:
        reader: reads what is committed.
        latest: a reader that also knows what isn't committed yet.
        settings: name the topics and the group, and say whether scores are published.
        spans: the inputs to look at.
        judge: scores the inputs once more, where a violation's absence is to be proven without scores.
        since_ms: outputs that are older, by some minutes more, are not read.
    """
    # The outputs' ends are taken after the group's offsets: what was committed with them is there.
    outputs = _outputs(settings)
    ends = {topic: _settled(reader, latest, topic) for topic in outputs}
    if since_ms is not None:
        ends = {topic: reader.since(spans_, since_ms - _CLOCKS_MS) for topic, spans_ in ends.items()}
    committed = reader.committed(span.key for span in spans)
    wire = wire_format(settings)
    ledger = Ledger(spans, committed, scores=settings.publish_scores)
    for batch in _batches(reader.read(spans), _BATCH):
        _enter_inputs(ledger, batch, settings, wire, judge)
    for topic, kind in outputs.items():
        for item in reader.read(ends[topic]):
            _enter_output(ledger, item, kind, wire)
    return ledger.close()


def _require_held(span: Span, held: dict[Partition, Span], settings: Settings) -> None:
    if span.key not in held:
        raise ConfigurationError(
            f"span {span.topic}:{span.partition}: there is no such partition among the inputs {', '.join(settings.topics.inputs)};"
            " correct the span, or the [topics] table"
        )
    has = held[span.key]
    if max(span.start, span.end) > has.end or 0 <= span.start < has.start:
        raise ConfigurationError(
            f"span {span.topic}:{span.partition}: the broker has offsets {has.start} to {has.end}; correct the span"
        )


def _outputs(settings: Settings) -> dict[str, type[Violation | Score] | None]:
    topics = settings.topics
    scores: dict[str, type[Violation | Score] | None] = {topics.scores: Score} if settings.publish_scores else {}
    return {topics.violations: Violation} | scores | dict.fromkeys(map(topics.dead_letters_of, topics.inputs))


def _settled(reader: Reader, latest: Reader, topic: str) -> list[Span]:
    """All of a topic, once what is written by now is committed or aborted."""
    written = {span.key: span.end for span in latest.whole(topic)}
    deadline = time.monotonic() + _SETTLE_S
    while True:
        spans = reader.whole(topic)
        if all(span.end >= written.get(span.key, 0) for span in spans):
            return spans
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"{topic}: a transaction has been open for longer than {_SETTLE_S:.0f} s, and hides what comes after it;"
                " find its producer (kafka-transactions.sh find-hanging), then verify again"
            )
        time.sleep(0.2)


def _enter_inputs(ledger: Ledger, batch: list[Read], settings: Settings, wire: WireFormat, judge: Judge | None) -> None:
    now = datetime.now(UTC)
    found = [(item.record, read(item.record, settings, now=now, wire=wire)) for item in batch]
    events = [event for _, event in found if isinstance(event, Event)]
    verdicts: Iterator[bool | None] = iter([None] * len(events))
    if judge is not None and events:
        responses = judge.score([event.texts for event in events])
        verdicts = iter([response.score_details.label is Label.FRAUD for response in responses])
    for record, what in found:
        ledger.input(record, what, fraud=next(verdicts) if isinstance(what, Event) else None)


def _enter_output(ledger: Ledger, item: Read, kind: type[Violation | Score] | None, wire: WireFormat = PLAIN) -> None:
    record = item.record
    try:
        if kind is None:
            ledger.dead_letter(DeadLetter.parse(record.key, record.value, record.headers).source, record)
        else:
            value = record.value or b""
            ledger.verdict(wire.read(kind, value, record.headers, max_bytes=max(1, len(value))), record)
    except (DecodeError, ValueError) as error:
        ledger.unreadable(record, str(error))


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
