"""What decisions teach: precision, thresholds, agreement; against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Decision, Kind, Reason
from stream_detector.errors import DecidedError, UnknownCaseError, VerdictError
from stream_detector.review.cases import CaseFilter, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.intervals import kappa, wilson
from stream_detector.review.precision import Dimension
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from tests.review.conftest import SetClock
from tests.review.made import OPEN, cases, only_case, put, violation

CONFIRMED = Verdict(Decision.CONFIRMED)
OTHER = Verdict(Decision.DISMISSED, Reason.OTHER)


def settle(store: Store, clock: SetClock) -> None:
    """Let all decisions stand."""
    clock.advance(6)
    while store.seal():
        pass


@pytest.fixture
def decided(store: Store, clock: SetClock) -> Store:
    """Ten cases with probabilities 0.1, 0.2 and so on: the upper six confirmed, the lower three dismissed, the sixth open."""
    kinds = [(Kind.PHONE,), (Kind.EMAIL, Kind.PHONE)]
    put(store, *(violation(n, score=round(n / 10, 1), kinds=kinds[n % 2], age_s=0) for n in range(1, 11)))
    for case in store.queue.page(OPEN, viewer="ann").cases:
        if case.score > 0.65:
            store.decisions.decide(case.case_id, CONFIRMED, reviewer="ann")
        elif case.score < 0.55:
            store.decisions.decide(case.case_id, OTHER, reviewer="ann")
    settle(store, clock)
    return store


def test_precision_by_kind_and_score(decided: Store) -> None:
    """A case with two kinds counts for both; open ones count for none; groups without decisions aren't there."""
    rows = {row.group: (row.confirmed, row.dismissed) for row in decided.precision.by(Dimension.KIND)}
    assert rows == {"phone": (4, 5), "email": (2, 3)}
    bands = {row.group: (row.confirmed, row.dismissed) for row in decided.precision.by(Dimension.SCORE)}
    assert bands == {"0.10 to 0.25": (0, 2), "0.25 to 0.50": (0, 2), "0.50 to 0.75": (1, 1), "0.75 to 0.90": (1, 0), "0.90 to 0.95": (1, 0), "0.99 to 1.00": (1, 0)}  # fmt: skip
    (row,) = decided.precision.by(Dimension.EVENT_TYPE)
    assert (row.precision, row.low, row.high) == (4 / 9, *wilson(4, 9))
    assert decided.precision.reasons() == {"other": 5}


def test_precision_within_a_time(decided: Store, clock: SetClock) -> None:
    """Old decisions fall out."""
    clock.advance(3600)
    assert decided.precision.by(Dimension.KIND, within=timedelta(minutes=30)) == ()
    assert len(decided.precision.by(Dimension.KIND, within=timedelta(hours=2))) == 2


def test_what_a_threshold_would_have_done(decided: Store) -> None:
    """At 0.75: the four above would have come, three of them confirmed, and one confirmed case would have been missed."""
    low, high = decided.thresholds.rows(at=[0.05, 0.75])
    assert (low.sent, low.confirmed, low.dismissed, low.missed, low.kept) == (10, 4, 5, 0, 1.0)
    assert (high.sent, high.confirmed, high.dismissed, high.missed, high.kept) == (3, 3, 0, 1, 0.75)
    assert (high.precision, high.sent_a_day) == (1.0, 3.0)
    offered = decided.thresholds.rows()
    assert offered[0].threshold == decided.thresholds.in_use() == 0.05
    assert [row.sent for row in offered] == sorted((row.sent for row in offered), reverse=True)
    assert decided.thresholds.rows(at=[]) == ()


def test_an_empty_store_has_no_numbers(store: Store) -> None:
    """Pages over an empty store show that there is nothing, rather than zeros that look like findings."""
    assert store.precision.by(Dimension.KIND) == ()
    assert store.thresholds.rows() == ()
    assert store.thresholds.in_use() is None
    agreement = store.quality.agreement()
    assert (agreement.pairs, agreement.share, agreement.kappa) == (0, None, None)
    assert store.offenders.top() == ()


class TestSecondOpinions:
    """Decided cases shown once more, to somebody else."""

    @pytest.fixture
    def store(self, settings: Settings, clock: SetClock) -> Iterator[Store]:
        """A store that asks for a second opinion on every case."""
        review = settings.review.model_copy(update={"quality_share": 1.0})
        with Store.open(settings.model_copy(update={"review": review}), clock=clock) as opened:
            yield opened

    def test_a_second_opinion_is_blind_and_somebody_elses(self, store: Store, clock: SetClock) -> None:
        """It looks like any open case, under a number of its own; who decided first neither sees nor gets it."""
        put(store, violation(1))
        first = only_case(store)
        store.decisions.decide(first, CONFIRMED, reviewer="ann")
        settle(store, clock)
        assert cases(store, viewer="ann") == []
        assert store.claims.claim_next(OPEN, "ann") is None
        (second,) = cases(store, viewer="ben")
        with pytest.raises(DecidedError, match="needs a second reviewer"):
            store.decisions.decide(second, OTHER, reviewer="ann")
        case = store.cases.get(second)
        assert case.decisions == ()
        assert [item.violation_id for item in case.violations] == ["V-1"]
        assert first not in {item.case_id for item in store.cases.partner("P-1", beside=second).recent}
        assert store.cases.linked(second) == ()

    def test_agreement_is_counted_and_nothing_of_it_published(self, store: Store, clock: SetClock) -> None:
        """Four cases, on one of which the second person disagrees."""
        put(store, *(violation(n) for n in range(4)))
        for case_id in cases(store):
            store.decisions.decide(case_id, CONFIRMED if case_id % 2 else OTHER, reviewer="ann")
        settle(store, clock)
        published = _outbox(store)
        seconds = cases(store, viewer="ben")
        assert store.quality.agreement().waiting == len(seconds) == 4
        answers = {}
        for case_id in seconds:
            decision = _first_of(store, case_id)
            answers[case_id] = decision
        odd = seconds[0]
        for case_id, decision in answers.items():
            agreed = CONFIRMED if decision is Decision.CONFIRMED else OTHER
            differs = OTHER if decision is Decision.CONFIRMED else CONFIRMED
            store.decisions.decide(case_id, differs if case_id == odd else agreed, reviewer="ben")
        settle(store, clock)
        agreement = store.quality.agreement()
        assert (agreement.waiting, agreement.pairs, agreement.agreed, agreement.share, agreement.kappa) == (0, 4, 3, 0.75, 0.5)
        (disagreement,) = store.quality.disagreements()
        assert (disagreement.first_reviewer, disagreement.second_reviewer) == ("ann", "ben")
        assert {row.reviewer: (row.decided, row.pairs, row.agreed) for row in store.quality.reviewers()} == {
            "ann": (4, 4, 3),
            "ben": (4, 4, 3),
        }
        assert _outbox(store) == published == 4
        assert store.queue.count(CaseFilter(states=(State.CONFIRMED, State.DISMISSED)), viewer="zoe").number == 4


def test_golden_cases_are_told_from_no_other(store: Store, clock: SetClock) -> None:
    """A planted case is an open case to everyone but who planted it; what is decided is held against what is known."""
    put(store, violation(1))
    case_id = only_case(store)
    with pytest.raises(VerdictError, match="isn't decided"):
        store.quality.plant(case_id, expected=Decision.CONFIRMED, by="lea")
    with pytest.raises(UnknownCaseError):
        store.quality.plant(99, expected=Decision.CONFIRMED, by="lea")
    store.decisions.decide(case_id, CONFIRMED, reviewer="ann")
    settle(store, clock)
    with pytest.raises(VerdictError, match="reason"):
        store.quality.plant(case_id, expected=Decision.DISMISSED, by="lea")
    planted = store.quality.plant(case_id, expected=Decision.CONFIRMED, by="lea")
    assert cases(store, viewer="lea") == []
    assert cases(store, viewer="ann") == [planted.case_id]
    assert store.audit.page(case_id=planted.case_id) == ()
    store.decisions.decide(planted.case_id, OTHER, reviewer="ann")
    settle(store, clock)
    (golden,) = store.quality.golden()
    assert (golden.answer, golden.right, golden.reviewer) == (Decision.DISMISSED, False, "ann")
    (row,) = store.quality.reviewers()
    assert (row.golden, row.golden_right) == (1, 0)
    assert _outbox(store) == 1


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilsons_interval_holds_its_share(hits: int, misses: int) -> None:
    """Whatever the counts: within 0 and 1, around the share, and narrower with ten times the cases."""
    of = hits + misses
    low, high = wilson(hits, of)
    assert 0 <= low <= high <= 1
    if of:
        assert low <= hits / of <= high
        wider = high - low
        low, high = wilson(10 * hits, 10 * of)
        assert high - low < wider


def test_kappa_of_a_textbook() -> None:
    """50 cases, 20 and 15 of them decided alike: observed 0.7, by chance 0.5."""
    yes, no = Decision.CONFIRMED, Decision.DISMISSED
    assert kappa({(yes, yes): 20, (yes, no): 5, (no, yes): 10, (no, no): 15}) == pytest.approx(0.4)
    assert kappa({(yes, yes): 9}) is None
    assert kappa({}) is None


def _outbox(store: Store) -> int:
    from sqlalchemy import text  # noqa: PLC0415 - for this alone

    with store.database.read() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM outbox")) or 0)


def _first_of(store: Store, second: int) -> Decision:
    from sqlalchemy import text  # noqa: PLC0415 - for this alone

    query = text("SELECT d.decision FROM cases c JOIN decisions d ON d.case_id = c.shadow_of WHERE c.case_id = :id")
    with store.database.read() as connection:
        return Decision(connection.scalar(query, {"id": second}))
