"""The queue: what is in it, in which order, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stream_detector.contracts import Decision, EventType, Kind, Reason
from stream_detector.review import queue
from stream_detector.review.cases import CaseFilter, CaseSummary, Cursor, Order, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from tests.review.conftest import SetClock
from tests.review.made import OPEN, put, violation

_KINDS = [(Kind.EMAIL,), (Kind.PHONE,), (Kind.PHONE, Kind.MESSENGER), (Kind.URL,)]


@pytest.fixture
def filled(store: Store, clock: SetClock) -> Store:
    """Sixty cases over six hours, some of them decided, some of them claimed."""
    put(
        store,
        *(
            violation(
                number,
                kinds=_KINDS[number % 4],
                score=round(0.1 + (number * 37 % 60) / 70, 2),
                age_s=number * 360,
                partner_id=f"P-{number % 5}",
                listing_id=None if number % 7 == 0 else f"L-{number}",
                event_type=list(EventType)[number % 3],
                model_version="1.0" if number < 20 else "1.1",
            )
            for number in range(60)
        ),
    )
    ids = [case.case_id for case in store.queue.page(OPEN, viewer="ann", size=60).cases]
    for case_id in ids[::10]:
        store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ann")
    clock.advance(5)
    store.seal()
    for case_id in ids[5::10]:
        store.decisions.decide(case_id, Verdict(Decision.DISMISSED, Reason.OTHER), reviewer="ann")
    for case_id in ids[1::10]:
        store.claims.claim(case_id, "ann")
    return store


def everything(store: Store) -> list[CaseSummary]:
    """All cases, in no order that a test relies on."""
    return list(store.queue.page(CaseFilter(states=()), viewer="zoe", size=1000).cases)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (CaseFilter(), lambda case: case.state is State.OPEN),
        (CaseFilter(states=(State.CONFIRMED, State.PENDING)), lambda case: case.state in (State.CONFIRMED, State.PENDING)),
        (CaseFilter(states=(), kinds=(Kind.PHONE,)), lambda case: Kind.PHONE in case.kinds),
        (CaseFilter(states=(), kinds=(Kind.URL, Kind.MESSENGER)), lambda case: {Kind.URL, Kind.MESSENGER} & set(case.kinds)),
        (CaseFilter(states=(), event_types=(EventType.BOOKING,)), lambda case: case.event_type is EventType.BOOKING),
        (CaseFilter(states=(), partner_id="P-3"), lambda case: case.partner_id == "P-3"),
        (CaseFilter(states=(), listing_id="L-8"), lambda case: case.listing_id == "L-8"),
        (CaseFilter(states=(), model_version="1.0"), lambda case: case.model_version == "1.0"),
        (CaseFilter(states=(), min_score=0.4, max_score=0.6), lambda case: 0.4 <= case.score <= 0.6),
        (CaseFilter(claimed=True), lambda case: case.state is State.OPEN and case.claim is not None),
        (CaseFilter(claimed=False), lambda case: case.state is State.OPEN and case.claim is None),
        (CaseFilter(claimed_by="ann"), lambda case: case.claim is not None),
        (CaseFilter(claimed_by="ben"), lambda _: False),
        (CaseFilter(states=(), search="P-2"), lambda case: case.partner_id == "P-2"),
        (CaseFilter(states=(), search="whatsapp"), lambda _: False),
        (CaseFilter(states=(), search="QUIET flat"), lambda _: True),
        (CaseFilter(states=(), search="+1 (202) 555-0143"), lambda case: Kind.PHONE in case.kinds),
    ],
)
def test_a_filter_keeps_what_it_says(filled: Store, wanted: CaseFilter, holds: object) -> None:
    """Each filter, against a look at every case; the count agrees."""
    expected = {case.case_id for case in everything(filled) if holds(case)}  # type: ignore[operator]
    found = filled.queue.page(wanted, viewer="zoe", size=1000).cases
    assert {case.case_id for case in found} == expected
    count = filled.queue.count(wanted, viewer="zoe")
    assert (count.number, count.exact) == (len(expected), True)


def test_age_counts_from_the_newest_detection(filled: Store, clock: SetClock) -> None:
    """Newer and older than an hour part the cases, whatever the order they are kept in."""
    hour_ago = clock() - timedelta(hours=1)
    cases = everything(filled)
    newer = filled.queue.page(CaseFilter(states=(), newer_than=timedelta(hours=1)), viewer="zoe", size=1000).cases
    older = filled.queue.page(CaseFilter(states=(), older_than=timedelta(hours=1)), viewer="zoe", size=1000).cases
    assert {case.case_id for case in newer} == {case.case_id for case in cases if case.last_detected_at >= hour_ago}
    assert {case.case_id for case in older} == {case.case_id for case in cases if case.last_detected_at <= hour_ago}
    assert newer
    assert older


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order.PRIORITY, lambda case: (case.last_detected_at.replace(minute=0, second=0, microsecond=0), case.score)),
        (Order.CERTAINTY, lambda case: case.score),
        (Order.NEWEST, lambda case: case.last_detected_at),
        (Order.OLDEST, lambda case: -case.last_detected_at.timestamp()),
    ],
)
@pytest.mark.parametrize("states", [(State.OPEN,), ()])
def test_pages_hold_each_case_once_in_order(filled: Store, order: Order, key: object, states: tuple[State, ...]) -> None:
    """Page by page, whatever the order: all cases, none twice; a cursor survives its way through an address."""
    wanted = CaseFilter(states=states)
    found: list[CaseSummary] = []
    after: Cursor | None = None
    while True:
        page = filled.queue.page(wanted, viewer="zoe", order=order, after=after, size=7)
        found += page.cases
        if page.next is None:
            break
        after = Cursor.parse(str(page.next))
    assert len(found) == len({case.case_id for case in found}) == filled.queue.count(wanted, viewer="zoe").number
    keys = [key(case) for case in found]  # type: ignore[operator]
    assert keys == sorted(keys, reverse=True)


def test_totals_are_what_a_count_would_say(filled: Store) -> None:
    """The numbers that are kept while writing never drift from the rows."""
    totals = filled.queue.totals()
    for state in State:
        assert totals[state] == filled.queue.count(CaseFilter(states=(state,)), viewer="zoe").number


def test_counting_stops(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count of many says that there are at least so many."""
    monkeypatch.setattr(queue, "COUNTED", 20)
    count = filled.queue.count(CaseFilter(states=()), viewer="zoe")
    assert (count.exact, str(count)) == (False, "20+")


@pytest.mark.parametrize(
    "search", ["", " ", "'", '"', "*", "a*b", "NEAR(a b)", "x OR y", ":*", "<->", "!!", "\\", "日本語", "%_", "((("]
)
def test_whatever_is_searched_for_is_no_query_language(filled: Store, search: str) -> None:
    """Nothing typed into the search box breaks it or means more than its words."""
    number = filled.queue.count(CaseFilter(states=(), search=search), viewer="zoe").number
    assert number == (60 if not search.strip() else 0)


def test_words_are_found_in_any_script_and_by_their_beginning(store: Store) -> None:
    """Accents and case don't matter, the last word may be unfinished, and scripts without spaces are searched as well."""
    texts = {"Gemütliche Wohnung am See": "GEMUTLICHE woh", "安静的公寓在湖边": "公寓", "Тихая квартира у озера": "тихая кварт"}
    for number, (text, _) in enumerate(texts.items()):
        put(store, violation(number, attributes={"description": text}, score_details=_bare()))
    for number, search in enumerate(texts.values()):
        (case,) = store.queue.page(CaseFilter(search=search), viewer="ann").cases
        assert case.listing_id == f"L-{number}"
    assert store.queue.page(CaseFilter(search="寓公"), viewer="ann").cases == ()


def test_the_pulse_tells_that_something_changed(store: Store) -> None:
    """New cases, decisions and claims move it; looking doesn't."""
    before = store.queue.pulse()
    put(store, violation(1))
    after = store.queue.pulse()
    assert after != before
    store.queue.page(OPEN, viewer="ann")
    assert store.queue.pulse() == after
    store.claims.claim_next(OPEN, "ann")
    assert store.queue.pulse() != after


def test_cases_with_the_same_contact_are_linked(store: Store) -> None:
    """Another listing's case with the same number, however it is written, is shown; the partner's own are told apart."""
    put(store, violation(1, kinds=(Kind.PHONE,), partner_id="P"))
    put(store, violation(2, kinds=(Kind.PHONE,), surfaces=["+1 (202) 555-01-43"], partner_id="P"))
    put(store, violation(3, kinds=(Kind.PHONE,), partner_id="Q"), violation(4, kinds=(Kind.EMAIL,)))
    (first,) = store.queue.page(CaseFilter(listing_id="L-1"), viewer="ann").cases
    linked = {item.case.listing_id: item for item in store.cases.linked(first.case_id)}
    assert set(linked) == {"L-2", "L-3"}
    assert [linked[name].same_partner for name in ("L-2", "L-3")] == [True, False]
    assert linked["L-2"].kinds == (Kind.PHONE,)
    history = store.cases.partner("P", beside=first.case_id)
    assert (history.open, history.listings, [case.listing_id for case in history.recent]) == (2, 2, ["L-2"])


def test_model_versions_are_told_once(filled: Store) -> None:
    """A filter offers each version that there is."""
    assert filled.queue.model_versions() == ("1.0", "1.1")


def _bare() -> object:
    return violation(1).score_details.model_copy(update={"evidence": ()})
