"""From a crossing to the message about it, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from stream_detector.aggregation.book import Book
from stream_detector.aggregation.crossings import Rung
from stream_detector.aggregation.offenders import rung_of, tell
from stream_detector.contracts import RepeatOffender, crossing_id, decode, encode
from stream_detector.contracts.repeat_offenders import MOST_NAMED
from stream_detector.contracts.schemas import CONTRACTS, Side
from tests.aggregation.making import HOUR_MS, MONDAY_MS, RULES, seen

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_message_says_what_the_window_held() -> None:
    """Sums, moments and ids are those of the crossing's window, and the id follows from partner, level and window."""
    book = Book(RULES)
    cases = [seen(number, MONDAY_MS + number * HOUR_MS, certainty=900, contacts=("same",)) for number in range(3)]
    (crossing,) = [one for case in cases for one in book.enter(3, "P", case).crossings if one.window.name == "1d"]
    found = tell(book, 3, "P", crossing, now=NOW)
    assert (found.level, found.level_points, found.window_length) == ("notice", 2.0, "1d")
    assert (found.points, found.offences, found.violations, found.listings, found.contacts) == (2.7, 3, 3, 3, 1)
    assert found.violation_ids == ("V2", "V1", "V0")
    assert (found.last_occurred_at - found.first_occurred_at).total_seconds() == 2 * 3600
    assert found.crossing_id == crossing_id("P", "notice", "1d", found.window_start)
    assert rung_of(found) == (Rung("1d", "notice"), crossing.span)
    assert decode(RepeatOffender, encode(found)) == found


def test_a_flood_is_not_listed_in_full() -> None:
    """A message names the latest violations, so many at most that it stays small."""
    book = Book(RULES)
    told = [
        (crossing, tell(book, 0, "P", crossing, now=NOW))
        for number in range(200)
        for crossing in book.enter(0, "P", seen(number, MONDAY_MS + number * 1000, certainty=60)).crossings
    ]
    (severe,) = [found for crossing, found in told if (crossing.level.name, crossing.window.name) == ("severe", "1d")]
    assert severe.violations > MOST_NAMED
    assert len(severe.violation_ids) == MOST_NAMED
    assert len(encode(severe)) < 10_000


def test_a_message_fits_its_schema() -> None:
    """Every field that the closed schema names is written, and no other."""
    book = Book(RULES)
    book.enter(0, "P", seen(1, MONDAY_MS))
    (crossing,) = book.enter(0, "P", seen(2, MONDAY_MS)).crossings
    document = orjson.loads(encode(tell(book, 0, "P", crossing, now=NOW)))
    (contract,) = [contract for contract in CONTRACTS if contract.name == "repeat-offender"]
    assert set(document) == set(contract.schema(Side.PRODUCER)["properties"]) == set(contract.schema(Side.PRODUCER)["required"])
