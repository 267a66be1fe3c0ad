"""The page with the top partners: ids and counts, whatever the ids are."""

from __future__ import annotations

from stream_detector.aggregation.book import Book
from stream_detector.aggregation.page import describe, render
from stream_detector.aggregation.rules import DAY_MS
from tests.aggregation.making import HOUR_MS, MONDAY_MS, RULES, ruled, seen

HOSTILE = '<img src=x onerror=alert(1)>"&\u202e'


def book(**partners: int) -> Book:
    """Partners with so many violations on Monday."""
    made = Book(RULES)
    for name, count in partners.items():
        for number in range(count):
            made.enter(0, name, seen(number, MONDAY_MS + HOUR_MS))
    return made


def test_the_heaviest_come_first() -> None:
    """Points decide, and each row says which level they reach now."""
    page = describe(book(few=1, many=9, some=4), RULES.windows[1], now_ms=MONDAY_MS + 2 * HOUR_MS, ready=True)
    assert [(row["partnerId"], row["points"], row["level"]) for row in page["partners"]] == [
        ("many", 9, "warning"),
        ("some", 4, "notice"),
        ("few", 1, None),
    ]
    assert page["window"] == "7d"
    assert page["levels"] == {"notice": 3.0, "warning": 8.0, "severe": 20.0}


def test_only_what_is_in_the_window_counts() -> None:
    """A day later it is in the week's window and not in the day's; whoever has nothing there isn't listed."""
    later = MONDAY_MS + 2 * DAY_MS
    assert describe(book(P=2), RULES.windows[0], now_ms=later, ready=True)["partners"] == []
    assert len(describe(book(P=2), RULES.windows[1], now_ms=later, ready=True)["partners"]) == 1


def test_a_dismissed_violation_leaves_the_page() -> None:
    """At once, without a new violation."""
    made = book(P=1)
    made.enter(0, "P", ruled(0, dismissed=True))
    assert describe(made, RULES.windows[1], now_ms=MONDAY_MS + HOUR_MS, ready=True)["partners"] == []


def test_markup_in_an_id_stays_text() -> None:
    """A partner's id is a producer's word."""
    made = Book(RULES)
    made.enter(0, HOSTILE, seen(1, MONDAY_MS))
    page = render(made, RULES.windows[1], now_ms=MONDAY_MS + HOUR_MS, ready=True)
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&amp;" in page


def test_sums_that_are_too_low_say_so() -> None:
    """While what was kept is still being read, nobody takes the page for the truth."""
    assert "too low" in render(book(), RULES.windows[1], now_ms=MONDAY_MS, ready=False)
    page = render(book(), RULES.windows[1], now_ms=MONDAY_MS, ready=True)
    assert "too low" not in page
    assert "Nobody has points" in page


def test_partners_of_another_process_are_not_shown() -> None:
    """What belongs to a partition that went to another process goes with it; a partner of whom nothing is kept, too."""
    made = book(P=1)
    assert (made.partners, made.cases, [*made.partitions]) == (1, 1, [0])
    made.clear()
    assert (made.partners, made.cases, [*made.partitions]) == (0, 0, [])
