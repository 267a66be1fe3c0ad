"""The ledger: each input record on one side, each output that names it on the other. Pure: it is told both, and compares.

What a record is due follows from the record alone (the worker's own codec decides) and, where they are known, from its
score or from scoring it once more:

    tombstone, or an event type that isn't scored    nothing
    can't be read                                    one dead letter
    an event                                         its verdict: a violation if it is Fraud (and a score, where they are
                                                     published), or one dead letter if scoring it failed
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from hashlib import blake2b

from stream_detector.contracts import Event, Score, Source, Violation, verdict_id
from stream_detector.streaming.reading import Span
from stream_detector.streaming.records import Outcome, OutcomeKind, Partition, Record

_EXAMPLES = 20


class Due(IntFlag):
    """What is known of an input record, one byte an offset."""

    NO_RECORD = 0
    NOTHING = 1
    LETTER = 2
    VERDICT = 4
    FRAUD = 8  # by its score, or by scoring it once more
    CLEAN = 16


class Fault(StrEnum):
    """What can be wrong with a ledger."""

    LOST = "lost"  # due, and not there
    REPEATED = "repeated"  # there twice, or a dead letter beside a verdict
    UNEXPECTED = "unexpected"  # there, and not due
    AHEAD = "ahead"  # output for a record that the group hasn't committed: it will be repeated
    NO_SOURCE = "no source"  # output for an offset in the span at which there is no record
    ALTERED = "altered"  # output whose key, bytes or event id aren't its record's
    WRONG_ID = "wrong id"  # an id that doesn't follow from the record and the model
    OUT_OF_ORDER = "out of order"  # two outputs of one key in another order than their records
    UNREADABLE = "unreadable"  # an output that isn't what its topic holds by contract
    NOT_DONE = "not done"  # in the span, and not committed by the group


class Kind(StrEnum):
    """The three sorts of output."""

    VIOLATION = "violation"
    SCORE = "score"
    DEAD_LETTER = "dead letter"


@dataclass(slots=True)
class Report:
    """What was found. `proven` says whether the ledger is in order."""

    records: int = 0
    due: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    #: Events without a violation that nothing else says are clean: no score of them was published.
    presumed_clean: int = 0

    @property
    def proven(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def fault(self, kind: Fault, what: str) -> None:
        """Enter a fault; the first of each kind are told in full."""
        self.faults[kind.value] += 1
        if self.faults[kind.value] <= _EXAMPLES:
            self.examples.append(f"{kind.value}: {what}")


class _Page:
    """One partition of the span: some bytes an offset."""

    def __init__(self, span: Span) -> None:
        size = max(0, span.end - span.start)
        self.span = span
        self.due = bytearray(size)
        self.found = {kind: bytearray(size) for kind in Kind}
        self.prints: dict[int, bytes] = {}


class Ledger:
    """Takes the inputs of the spans first, then the outputs, then gives its report.

    Args:
        spans: which inputs are looked at, one span a partition at most.
        committed: where the group is, by partition.
        scores: whether every verdict was published as a score.
    """

    def __init__(self, spans: list[Span], committed: dict[Partition, int], *, scores: bool) -> None:
        self._pages = {span.key: _Page(span) for span in spans}
        self._committed = committed
        self._scores = scores
        self._report = Report()
        self._order: dict[tuple[str, int, str, int, bytes], int] = {}

    def input(self, record: Record, found: Event | Outcome, *, fraud: bool | None = None) -> None:
        """Enter an input record and what the worker's codec makes of it; `fraud` where the verdict is known."""
        page = self._pages[record.topic, record.partition]
        at = record.offset - page.span.start
        if isinstance(found, Event):
            due = Due.VERDICT if fraud is None else Due.VERDICT | (Due.FRAUD if fraud else Due.CLEAN)
            identity = _fingerprint(record.key, found.event_id.encode())
        elif found.kind is OutcomeKind.DEAD_LETTER:
            due, identity = Due.LETTER, b""
        else:
            due, identity = Due.NOTHING, b""
        page.due[at] = due
        page.prints[at] = _fingerprint(record.key, record.value) + identity
        self._report.records += 1
        self._report.due[_name(due)] += 1

    def verdict(self, verdict: Violation | Score, record: Record) -> None:
        """Enter a violation or a score, and the record that it came in."""
        kind = Kind.VIOLATION if isinstance(verdict, Violation) else Kind.SCORE
        at = self._place(kind, verdict.source, record)
        if at is None:
            return
        page, index = at
        where = _where(kind, verdict.source, record)
        given = verdict.violation_id if isinstance(verdict, Violation) else verdict.verdict_id
        if given != verdict_id(verdict.source, verdict):
            self._report.fault(Fault.WRONG_ID, f"{where} has the id {given}")
        print_ = page.prints.get(index)
        if print_ is not None and print_[8:] not in (b"", _fingerprint(record.key, verdict.event_id.encode())):
            self._report.fault(Fault.ALTERED, f"{where} has another key or event id than its record")
        if kind is Kind.SCORE:
            page.due[index] |= Due.FRAUD if verdict.score_details.label == "Fraud" else Due.CLEAN
        self._in_order(verdict.source, record, where)

    def dead_letter(self, source: Source, record: Record) -> None:
        """Enter a dead letter and the record that it is."""
        at = self._place(Kind.DEAD_LETTER, source, record)
        if at is None:
            return
        page, index = at
        where = _where(Kind.DEAD_LETTER, source, record)
        print_ = page.prints.get(index)
        if print_ is not None and print_[:8] != _fingerprint(record.key, record.value):
            self._report.fault(Fault.ALTERED, f"{where} has another key or other bytes than its record")
        self._in_order(source, record, where)

    def unreadable(self, record: Record, why: str) -> None:
        """Enter an output that can't be read."""
        self._report.fault(Fault.UNREADABLE, f"{record.topic}[{record.partition}]@{record.offset}: {why}")

    def close(self) -> Report:
        """Compare, and say what was found."""
        for page in self._pages.values():
            for index, due in enumerate(page.due):
                if due:
                    self._compare(page, index, Due(due))
        return self._report

    def _place(self, kind: Kind, source: Source, record: Record) -> tuple[_Page, int] | None:
        key = source.topic, source.partition
        page = self._pages.get(key)
        if page is None or source.offset < page.span.start:
            return None
        # Committed last of all readings: whatever was visible before belongs to offsets that were committed with it.
        if source.offset >= self._committed.get(key, 0):
            self._report.fault(Fault.AHEAD, f"{_where(kind, source, record)}, which the group has not committed")
        if source.offset >= page.span.end:
            return None
        index = source.offset - page.span.start
        self._report.outputs[kind.value] += 1
        if page.due[index] == Due.NO_RECORD:
            self._report.fault(Fault.NO_SOURCE, f"{_where(kind, source, record)}, where there is no record")
        if page.found[kind][index] < 255:
            page.found[kind][index] += 1
        return page, index

    def _in_order(self, source: Source, record: Record, where: str) -> None:
        if record.key is None:
            return
        key = (record.topic, record.partition, source.topic, source.partition, _fingerprint(record.key, b""))
        if source.offset < self._order.get(key, -1):
            self._report.fault(Fault.OUT_OF_ORDER, f"{where} comes after one of a later record with its key")
        self._order[key] = max(source.offset, self._order.get(key, -1))

    def _compare(self, page: _Page, index: int, due: Due) -> None:
        topic, partition = page.span.key
        offset = page.span.start + index
        where = f"{topic}[{partition}]@{offset}"
        violations, scores, letters = (page.found[kind][index] for kind in Kind)
        if offset >= self._committed.get(page.span.key, 0):
            self._report.fault(Fault.NOT_DONE, where)
            return
        for kind, count in zip(Kind, (violations, scores, letters), strict=True):
            if count > 1:
                self._report.fault(Fault.REPEATED, f"{where} has {count} of {kind.value}")
        if letters and (violations or scores):
            self._report.fault(Fault.REPEATED, f"{where} has a dead letter and a verdict")
        if Due.VERDICT not in due:
            if violations or scores or (letters and Due.LETTER not in due):
                self._report.fault(Fault.UNEXPECTED, f"{where} is due {_name(due)}, and has more")
            if Due.LETTER in due and not letters:
                self._report.fault(Fault.LOST, f"{where} can't be read, and has no dead letter")
        elif not letters:
            self._compare_verdict(where, due, violations, scores)

    def _compare_verdict(self, where: str, due: Due, violations: int, scores: int) -> None:
        if self._scores and not scores:
            self._report.fault(Fault.LOST, f"{where} has neither a score nor a dead letter")
        if Due.FRAUD in due and not violations:
            self._report.fault(Fault.LOST, f"{where} is Fraud, and has no violation")
        if Due.CLEAN in due and violations:
            self._report.fault(Fault.UNEXPECTED, f"{where} is not Fraud, and has a violation")
        if not due & (Due.FRAUD | Due.CLEAN) and not violations:
            self._report.presumed_clean += 1


def _name(due: Due) -> str:
    if Due.VERDICT in due:
        return "a verdict"
    return "a dead letter" if Due.LETTER in due else "nothing"


def _where(kind: Kind, source: Source, record: Record) -> str:
    return (
        f"{kind.value} at {record.topic}[{record.partition}]@{record.offset}"
        f" for {source.topic}[{source.partition}]@{source.offset}"
    )  # fmt: skip


def _fingerprint(*parts: bytes | None) -> bytes:
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(b"-" if part is None else b"+%d " % len(part) + part)
    return digest.digest()
