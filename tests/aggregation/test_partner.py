"""Windows: what is kept up to date record by record equals what is added up afterwards."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.aggregation.cases import Case, merge
from stream_detector.aggregation.partner import Partner
from stream_detector.aggregation.rules import DAY_MS, Rules
from stream_detector.aggregation.totals import Totals, totals
from tests.aggregation.making import HOUR_MS, MONDAY_MS, RULES, SMALL, records, ruled, seen


def batch(cases: list[Case], rules: Rules) -> dict[str, Case]:
    """All that is known after all records, added up at once."""
    known: dict[str, Case] = {}
    for case in cases:
        known[case.violation_id] = merge(known[case.violation_id], case) if case.violation_id in known else case
    newest = max((case.sighting.moment_ms for case in cases if case.sighting), default=0)
    return {name: case for name, case in known.items() if case.moment_ms >= rules.horizon(newest)}


def windows_of(cases: list[Case], rules: Rules, horizon_ms: int) -> list[tuple[str, int]]:
    """Every window that holds a case and is still open."""
    return sorted(
        {(window.name, start) for case in cases for window in rules.windows for start in window.starts(case.moment_ms)
         if start >= horizon_ms}
    )  # fmt: skip


@settings(max_examples=50)
@given(records, st.randoms(use_true_random=False))
def test_any_order_gives_the_batch_computation(cases: list[Case], chance: Random) -> None:
    """Late, out of order, repeated: each window of each length ends up with the same sums, and the same cases are kept."""
    order = cases + chance.choices(cases, k=5) if cases else []
    chance.shuffle(order)
    partner = Partner(SMALL)
    for case in order:
        partner.put(case)
    known = batch(cases, SMALL)
    # Reviews of violations that were forgotten may stay or go: they count for nothing.
    assert {name: c for name, c in partner.cases.items() if c.sighting} == {name: c for name, c in known.items() if c.sighting}
    lengths = {window.name: window for window in SMALL.windows}
    open_ = windows_of(cases, SMALL, partner.horizon_ms)
    for name, start in chance.sample(open_, min(8, len(open_))):
        window = lengths[name]
        expected = totals(known.values(), SMALL, start, start + window.length_ms)
        assert partner.totals(start, start + window.length_ms) == expected
        assert [*partner.points(window, range(start, start + 1))] == [(start, expected.points)]


@settings(max_examples=20)
@given(records)
def test_points_of_neighbouring_windows(cases: list[Case]) -> None:
    """Sums that slide from window to window are those of each window alone."""
    partner = Partner(SMALL)
    for case in cases:
        partner.put(case)
    window = SMALL.windows[0]
    starts = range(MONDAY_MS - DAY_MS, MONDAY_MS + 9 * DAY_MS, window.hop_ms)
    assert [*partner.points(window, starts)] == [
        (start, total) for start in starts for _, total in partner.points(window, range(start, start + 1))
    ]


@settings(max_examples=50)
@given(records)
def test_an_offence_counts_once_a_day(cases: list[Case]) -> None:
    """Points are never more than one violation's for each listing, contact and day."""
    partner = Partner(SMALL)
    for case in cases:
        partner.put(case)
    found = partner.totals(0, 2**60)
    assert found.offences == len({case.offence for case in partner.cases.values() if case.counts})
    assert found.offences <= found.violations
    assert found.points <= 1500 * found.offences


def test_sums_of_a_day() -> None:
    """One day by hand: two listings, three contacts, one violation repeated by a booking, one dismissed, one confirmed."""
    partner = Partner(RULES)
    noon = MONDAY_MS + 12 * HOUR_MS
    for case in (
        seen(1, noon, listing="L1", contacts=("a", "b"), certainty=800),
        seen(2, noon + HOUR_MS, listing="L1", contacts=("a", "b"), certainty=900),
        seen(3, noon, listing="L2", contacts=("c",), kinds=("payment", "phone"), certainty=500),
        seen(4, noon, listing="L3", contacts=("d",)),
        ruled(4, dismissed=True),
        ruled(3, dismissed=False),
        seen(5, noon, listing="", contacts=(), kinds=(), certainty=400),
    ):
        partner.put(case)
    assert partner.totals(MONDAY_MS, MONDAY_MS + DAY_MS) == Totals(
        points=900 + 1500 + 200,
        offences=3,
        violations=4,
        confirmed=1,
        listings=2,
        contacts=3,
        kinds={"phone": 3, "payment": 1, "none": 1},
        moments_ms=(noon, noon + HOUR_MS),
    )


def test_a_thousand_bookings_repeat_one_offence() -> None:
    """A flagged description that comes again with each booking makes nobody a repeat offender; doing it again the next day does."""
    partner = Partner(RULES)
    for number in range(1000):
        partner.put(seen(number, MONDAY_MS + number * 1000, listing="L1", contacts=("a",)))
    partner.put(seen(1000, MONDAY_MS + DAY_MS, listing="L1", contacts=("a",)))
    found = partner.totals(MONDAY_MS, MONDAY_MS + 7 * DAY_MS)
    assert (found.points, found.offences, found.violations) == (2000, 2, 1001)


def test_what_is_too_far_back_is_forgotten_and_said_to_be() -> None:
    """State doesn't grow without end: who keeps it is told what to remove; windows that could miss something are closed."""
    partner = Partner(SMALL)
    partner.put(seen(1, MONDAY_MS))
    change = partner.put(seen(2, MONDAY_MS + 6 * DAY_MS))
    assert change.forgotten == ("V1",)
    assert partner.horizon_ms == MONDAY_MS + DAY_MS
    late = partner.put(seen(3, MONDAY_MS + DAY_MS - 1))
    assert (late.case, late.is_news, late.forgotten) == (None, False, ())
    assert partner.put(seen(1, MONDAY_MS)).case is None
    assert len(partner) == 1
