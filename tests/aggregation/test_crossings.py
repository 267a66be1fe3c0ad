"""Levels: told once an episode, whatever the order, and whatever a crash made forgotten."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.aggregation.book import Book
from stream_detector.aggregation.cases import Case
from stream_detector.aggregation.crossings import Crossing, Episodes, Rung, Span
from stream_detector.aggregation.rules import DAY_MS
from stream_detector.aggregation.totals import totals
from tests.aggregation.making import HOUR_MS, MONDAY_MS, RULES, SMALL, records, ruled, seen
from tests.aggregation.test_partner import windows_of


def tell(book: Book, cases: list[Case]) -> list[Crossing]:
    """What is told while cases come."""
    return [crossing for case in cases for crossing in book.enter(0, "P", case).crossings]


def names(told: list[Crossing]) -> list[tuple[str, str]]:
    """Window and level of each."""
    return [(crossing.window.name, crossing.level.name) for crossing in told]


def overlap(one: Span, other: Span) -> bool:
    """Whether two spans have a moment in common."""
    return one.start_ms < other.end_ms and other.start_ms < one.end_ms


def assert_told_once(told: list[Crossing]) -> None:
    """No two of one length and level have windows that overlap."""
    for place, one in enumerate(told):
        for other in told[:place]:
            if (one.window.name, one.level.name) == (other.window.name, other.level.name):
                assert not overlap(one.span, other.span)


@settings(max_examples=50)
@given(records, st.randoms(use_true_random=False))
def test_told_once_and_never_missed(cases: list[Case], chance: Random) -> None:
    """In any order, with repetitions: no episode twice, and each window that is at a level in the end lies in one that was told."""
    book = Book(SMALL)
    order = cases + cases
    chance.shuffle(order)
    told = tell(book, order)
    assert_told_once(told)
    assert_all_told(book, cases, told)


def assert_all_told(book: Book, cases: list[Case], told: list[Crossing]) -> None:
    """Each window that is at a level lies in an episode, and each episode was told."""
    page = book._partitions.get(0, {}).get("P")
    if page is None:
        return
    for name, start in windows_of(cases, SMALL, page.partner.horizon_ms):
        window = next(window for window in SMALL.windows if window.name == name)
        points = totals(page.partner.cases.values(), SMALL, start, start + window.length_ms).points
        for level in window.levels:
            if points >= level.points:
                spans = page.episodes.spans[Rung(name, level.name)]
                assert any(span.start_ms <= start and start + window.length_ms <= span.end_ms for span in spans)
    for rung, spans in page.episodes.spans.items():
        mine = [crossing.span for crossing in told if (crossing.window.name, crossing.level.name) == rung]
        assert all(any(overlap(span, one) for one in mine) for span in spans)


@settings(max_examples=50)
@given(records, st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_crash_anywhere_changes_nothing(cases: list[Case], chance: Random, lives: int) -> None:
    """A process that dies keeps any part of what it wrote last; records that weren't done come again, to another one.

    Messages are written before what follows from them, so they are all there; cases and episodes may be behind.
    """
    told: list[Crossing] = []
    kept: dict[str, Case] = {}
    episodes = b"[]"
    done = 0
    for life in range(lives):
        book = Book(SMALL)
        for case in kept.values():
            book.load_case(0, "P", case)
        book.load_episodes(0, "P", episodes)
        for one in told:
            book.load_told(0, "P", Rung(one.window.name, one.level.name), one.span)
        died = len(cases) if life == lives - 1 else chance.randint(done, len(cases))
        acknowledged = len(cases) if life == lives - 1 else chance.randint(done, died)
        for number, case in enumerate(cases[done:died], done):
            entry = book.enter(0, "P", case)
            told += entry.crossings
            lost = number >= acknowledged and chance.random() < 0.5
            if entry.change.case is not None and not lost:
                kept[case.violation_id] = entry.change.case
            if entry.episodes is not None and not (number >= acknowledged and chance.random() < 0.5):
                episodes = entry.episodes
        done = acknowledged
    assert_told_once(told)
    assert_all_told(book, cases, told)


def test_each_level_is_told_once_on_the_way_up() -> None:
    """Five offences within a day: notice at the second, warning at the fifth; the same by week and month."""
    book = Book(RULES)
    told = [names(tell(book, [seen(number, MONDAY_MS + number * HOUR_MS)])) for number in range(5)]
    assert told == [[], [("1d", "notice")], [("7d", "notice")], [], [("1d", "warning"), ("30d", "notice")]]


def test_staying_at_a_level_is_not_told_again() -> None:
    """Two a day for 40 days: one message for each length and level, though every day is above the daily one."""
    book = Book(RULES)
    told = tell(book, [seen(number, MONDAY_MS + number * DAY_MS // 2) for number in range(80)])
    assert sorted(names(told)) == sorted(
        [("1d", "notice"), ("7d", "notice"), ("7d", "warning"), ("30d", "notice"), ("30d", "warning"), ("30d", "severe")]
    )


def test_coming_back_after_a_pause_is_told_again() -> None:
    """Below the level for longer than the window is long, then up again: a new episode. For less: the same one."""
    book = Book(RULES)
    first = [seen(1, MONDAY_MS), seen(2, MONDAY_MS)]
    soon = [seen(3, MONDAY_MS + 30 * HOUR_MS), seen(4, MONDAY_MS + 30 * HOUR_MS)]
    later = [seen(number, MONDAY_MS + 5 * DAY_MS) for number in (5, 6)]
    told = [names(tell(book, cases)) for cases in (first, soon, later)]
    assert [("1d", "notice") in one for one in told] == [True, False, True]


def test_a_dismissal_keeps_a_level_from_being_told() -> None:
    """Whether the review comes before its violation or after it, the dismissed one doesn't bring the partner to a level."""
    for cases in (
        [ruled(1, dismissed=True), seen(1, MONDAY_MS), seen(2, MONDAY_MS)],
        [seen(1, MONDAY_MS), ruled(1, dismissed=True), seen(2, MONDAY_MS)],
    ):
        assert tell(Book(RULES), cases) == []


def test_after_a_dismissal_the_same_episode_is_not_told_again() -> None:
    """Told, dismissed, and up again within the same windows: T&S has heard of it."""
    book = Book(RULES)
    assert names(tell(book, [seen(1, MONDAY_MS), seen(2, MONDAY_MS)])) == [("1d", "notice")]
    assert tell(book, [ruled(1, dismissed=True), seen(3, MONDAY_MS + HOUR_MS)]) == []


def test_taking_a_dismissal_back_brings_the_level() -> None:
    """The second revision counts, also for levels."""
    book = Book(RULES)
    assert tell(book, [seen(1, MONDAY_MS), ruled(1, dismissed=True), seen(2, MONDAY_MS)]) == []
    assert names(tell(book, [ruled(1, dismissed=False, revision=2)])) == [("1d", "notice")]


def test_the_told_window_is_the_fullest() -> None:
    """A message shows the window with the most points, not the first that just reached the level."""
    book = Book(SMALL)
    told = tell(book, [seen(1, MONDAY_MS), seen(2, MONDAY_MS + 7 * HOUR_MS)])
    assert [(one.level.name, (one.span.start_ms - MONDAY_MS) // HOUR_MS) for one in told] == [("few", -18), ("more", -12)]


def test_what_was_lost_in_a_crash_is_made_good() -> None:
    """The cases were written down, the message was not: the record that comes again brings it."""
    book = Book(RULES)
    for number in (1, 2):
        book.load_case(0, "P", seen(number, MONDAY_MS))
    assert names(tell(book, [seen(2, MONDAY_MS)])) == [("1d", "notice")]
    assert tell(book, [seen(2, MONDAY_MS)]) == []


def test_a_dismissal_that_was_written_down_makes_good_too() -> None:
    """A dismissal can move an offence to a later moment, and so fill another window: also that is told after a crash."""
    morning, evening = MONDAY_MS, MONDAY_MS + 23 * HOUR_MS
    book = Book(SMALL)
    cases = [seen(1, morning, listing="L", contacts=("a",)), seen(2, evening, listing="L", contacts=("a",))]
    other = seen(3, evening + 16 * HOUR_MS)
    for case in [*cases, other, ruled(1, dismissed=True)]:
        book.load_case(0, "P", case)
    assert ("1d", "more") in names(tell(book, [ruled(1, dismissed=True)]))


spans = st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@settings(max_examples=50)
@given(st.lists(spans, max_size=12))
def test_episodes_are_unions(given_spans: list[Span]) -> None:
    """They cover the same moments in whatever order they come, don't overlap, and survive their topic."""
    rung, episodes, again = Rung("1d", "notice"), Episodes(), Episodes()
    for span in given_spans:
        episodes.extend(rung, span)
    for span in reversed(given_spans):
        again.extend(rung, span)
    found = episodes.spans.get(rung, ())
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(found))
    assert {m for s in found for m in range(*s)} == {m for s in given_spans for m in range(*s)}
    assert again.spans == episodes.spans
    copy = Episodes()
    copy.take(episodes.encode())
    assert copy.spans == episodes.spans
