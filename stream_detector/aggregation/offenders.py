"""From a crossing to the message about it, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from stream_detector.aggregation.book import Book
from stream_detector.aggregation.crossings import Crossing, Rung, Span
from stream_detector.aggregation.rules import POINT
from stream_detector.contracts import RepeatOffender, crossing_id
from stream_detector.contracts.repeat_offenders import MOST_NAMED

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def tell(book: Book, partition: int, partner_id: str, crossing: Crossing, *, now: datetime) -> RepeatOffender:
    """The message about a level that a partner reached."""
    window, level, span = crossing.window, crossing.level, crossing.span
    found = book.totals(partition, partner_id, span)
    first, last = found.moments_ms or span
    return RepeatOffender(
        crossing_id=crossing_id(partner_id, level.name, window.name, moment_of(span.start_ms)),
        partner_id=partner_id,
        level=level.name,
        level_points=level.points / POINT,
        window_length=window.name,
        window_start=moment_of(span.start_ms),
        window_end=moment_of(span.end_ms),
        points=found.points / POINT,
        offences=found.offences,
        violations=found.violations,
        confirmed=found.confirmed,
        listings=found.listings,
        contacts=found.contacts,
        kinds=dict(sorted(found.kinds.items())),
        first_occurred_at=moment_of(first),
        last_occurred_at=moment_of(last),
        violation_ids=tuple(case.violation_id for case in book.cases_in(partition, partner_id, span)[:MOST_NAMED]),
        reported_at=now,
    )


def rung_of(found: RepeatOffender) -> tuple[Rung, Span]:
    """What a message is about: length and level, and which window."""
    return Rung(found.window_length, found.level), Span(ms_of(found.window_start), ms_of(found.window_end))


def moment_of(moment_ms: int) -> datetime:
    """Milliseconds since the epoch as a moment."""
    return _EPOCH + timedelta(milliseconds=moment_ms)


def ms_of(moment: datetime) -> int:
    """A moment as milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
