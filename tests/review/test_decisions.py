"""Decisions, one and many, and taking them back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from stream_detector.contracts import Decision, Kind, Reason, ReviewedSpan
from stream_detector.errors import DecidedError, UnknownCaseError, VerdictError
from stream_detector.review.audit import Action
from stream_detector.review.cases import CaseFilter, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from tests.review.conftest import SetClock
from tests.review.made import OPEN, cases, only_case, put, violation

CONFIRMED = Verdict(Decision.CONFIRMED)
THIRD_PARTY = Verdict(Decision.DISMISSED, Reason.THIRD_PARTY)


def outbox(store: Store) -> list[str]:
    """What is written down to be published."""
    with store.database.read() as connection:
        return list(connection.scalars(text("SELECT violation_id FROM outbox ORDER BY sequence")))


def test_a_decision_stands_when_it_can_no_longer_be_undone(store: Store, clock: SetClock) -> None:
    """Until then nothing is published; after it, undoing is refused."""
    put(store, violation(1))
    decided = store.decisions.decide(only_case(store), THIRD_PARTY, reviewer="ann")
    clock.advance(4.999)
    assert store.seal() == 0
    assert outbox(store) == []
    clock.advance(0.001)
    with pytest.raises(DecidedError, match="can't be undone any more"):
        store.decisions.undo(decided.decision_id, reviewer="ann")
    assert store.seal() == 1
    assert outbox(store) == ["V-1"]
    case = store.cases.get(decided.case_id)
    assert case.summary.state is State.DISMISSED
    assert [(one.reason, one.revision, one.undo_until) for one in case.decisions] == [(Reason.THIRD_PARTY, 1, None)]


def test_an_undone_decision_leaves_no_trace_but_in_the_log(store: Store, clock: SetClock) -> None:
    """The case is open again and its reviewer's; what they decide next is what is published."""
    put(store, violation(1))
    case_id = only_case(store)
    decided = store.decisions.decide(case_id, CONFIRMED, reviewer="ann")
    assert store.queue.totals()[State.PENDING] == 1
    store.decisions.undo(decided.decision_id, reviewer="ann")
    assert store.queue.totals()[State.OPEN] == 1
    assert [claim.case_id for claim in store.claims.of("ann")] == [case_id]
    assert store.cases.get(case_id).decisions == ()
    with pytest.raises(DecidedError, match="was undone already"):
        store.decisions.undo(decided.decision_id, reviewer="ann")
    store.decisions.decide(case_id, THIRD_PARTY, reviewer="ann")
    clock.advance(5)
    store.seal()
    assert store.queue.summary(case_id).state is State.DISMISSED
    actions = [entry.action for entry in store.audit.page(case_id=case_id)]
    assert actions == [Action.SEALED, Action.DECIDED, Action.UNDONE, Action.DECIDED]


def test_only_who_decided_can_undo(store: Store) -> None:
    """Nobody takes back somebody else's decision; a number that no decision has is told."""
    put(store, violation(1))
    decided = store.decisions.decide(only_case(store), CONFIRMED, reviewer="ann")
    with pytest.raises(DecidedError, match="is ann's"):
        store.decisions.undo(decided.decision_id, reviewer="ben")
    with pytest.raises(UnknownCaseError, match="99"):
        store.decisions.undo(99, reviewer="ann")


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        (Verdict(Decision.DISMISSED), "reason: a dismissed case needs one of third_party"),
        (Verdict(Decision.CONFIRMED, Reason.OTHER), "reason: a confirmed case has none"),
        (Verdict(Decision.CONFIRMED, note="x" * 4001), "note: 4,001 characters"),
        (
            Verdict(Decision.CONFIRMED, spans=(ReviewedSpan(attribute="description", start=5, end=500, kind=Kind.PHONE),)),
            "spans: 5 to 500 is no part",
        ),
        (Verdict(Decision.CONFIRMED, spans=(ReviewedSpan(attribute="none", start=0, end=1, kind=Kind.PHONE),)), "spans: 0 to 1"),
        (
            Verdict(Decision.CONFIRMED, spans=(ReviewedSpan(attribute="description", start=3, end=3, kind=Kind.PHONE),)),
            "spans: 3 to 3",
        ),
    ],
)
def test_a_wrong_verdict_changes_nothing(store: Store, verdict: Verdict, message: str) -> None:
    """A verdict that contradicts itself or the text is refused with what to mend, and the case stays open."""
    put(store, violation(1))
    case_id = only_case(store)
    with pytest.raises(VerdictError, match=message):
        store.decisions.decide(case_id, verdict, reviewer="ann")
    assert store.queue.summary(case_id).state is State.OPEN
    assert store.audit.page() == ()


def test_corrected_spans_and_notes_are_kept(store: Store) -> None:
    """What the reviewer marked and wrote is there for colleagues; the log says that there was a note, not what it says."""
    put(store, violation(1))
    span = ReviewedSpan(attribute="description", start=14, end=20, kind=Kind.HANDLE)
    case_id = only_case(store)
    store.decisions.decide(case_id, Verdict(Decision.CONFIRMED, spans=(span,), note="same host as L-7"), reviewer="ann")
    (decided,) = store.cases.get(case_id).decisions
    assert (decided.spans, decided.note) == ((span,), "same host as L-7")
    (entry,) = store.audit.page()
    assert entry.detail["noted"] is True
    assert "L-7" not in repr(entry)


def test_a_case_of_many_is_decided_whole(store: Store, clock: SetClock) -> None:
    """One decision publishes a review for each violation of its case."""
    same = {"partner_id": "P", "listing_id": "L"}
    put(store, *(violation(number, **same) for number in range(5)))
    store.decisions.decide(only_case(store), CONFIRMED, reviewer="ann")
    clock.advance(5)
    store.seal()
    assert outbox(store) == [f"V-{number}" for number in range(5)]


def test_a_case_can_be_opened_again(store: Store, clock: SetClock) -> None:
    """A lead opens what was published; the next decision has the next revision. What isn't decided can't be opened."""
    put(store, violation(1))
    case_id = only_case(store)
    with pytest.raises(DecidedError, match="is open"):
        store.decisions.reopen(case_id, by="lea")
    store.decisions.decide(case_id, CONFIRMED, reviewer="ann")
    with pytest.raises(DecidedError, match="is pending"):
        store.decisions.reopen(case_id, by="lea")
    clock.advance(5)
    store.seal()
    store.decisions.reopen(case_id, by="lea")
    assert store.decisions.decide(case_id, THIRD_PARTY, reviewer="lea").revision == 2
    clock.advance(5)
    store.seal()
    assert outbox(store) == ["V-1", "V-1"]
    assert store.queue.totals() == {State.OPEN: 0, State.PENDING: 0, State.CONFIRMED: 0, State.DISMISSED: 1}


def test_many_are_decided_as_they_were_counted(store: Store, clock: SetClock) -> None:
    """A bulk decision decides what its preview counted: not what came in since, not what others have."""
    put(store, *(violation(number, partner_id="P") for number in range(5)), violation(9))
    wanted = CaseFilter(partner_id="P")
    kept = store.queue.page(wanted, viewer="ben").cases[0].case_id
    store.claims.claim(kept, "ben")
    preview = store.decisions.preview(wanted, reviewer="ann")
    assert (preview.count.number, preview.count.exact) == (4, True)
    put(store, violation(20, partner_id="P"))
    decided = store.decisions.decide_all(wanted, THIRD_PARTY, token=preview.token, reviewer="ann")
    assert len(decided) == 4
    assert kept not in {one.case_id for one in decided}
    assert store.queue.count(wanted, viewer="ann").number == 2
    (entry,) = store.audit.page(action=Action.BULK_DECIDED)
    assert entry.detail["cases"] == 4
    assert store.decisions.undo_all([one.decision_id for one in decided], reviewer="ann") == 4
    assert store.queue.count(wanted, viewer="ann").number == 6


def test_many_that_have_changed_are_not_decided(store: Store) -> None:
    """If one of the counted cases was decided since, or the filter is another one, nothing is decided."""
    put(store, violation(9), *(violation(number, partner_id="P") for number in range(3)))
    wanted = CaseFilter(partner_id="P")
    preview = store.decisions.preview(wanted, reviewer="ann")
    with pytest.raises(VerdictError, match="have changed"):
        store.decisions.decide_all(OPEN, THIRD_PARTY, token=preview.token, reviewer="ann")
    store.decisions.decide(store.queue.page(wanted, viewer="ben").cases[0].case_id, CONFIRMED, reviewer="ben")
    with pytest.raises(VerdictError, match="have changed"):
        store.decisions.decide_all(wanted, THIRD_PARTY, token=preview.token, reviewer="ann")
    with pytest.raises(VerdictError, match="token"):
        store.decisions.decide_all(wanted, THIRD_PARTY, token="made up", reviewer="ann")
    assert store.queue.totals()[State.PENDING] == 1


def test_recent_decisions_are_told(store: Store, clock: SetClock) -> None:
    """A reviewer sees what they decided, the newest first, and what can still be undone."""
    put(store, violation(1), violation(2))
    first, second = cases(store)
    store.decisions.decide(first, CONFIRMED, reviewer="ann")
    clock.advance(5)
    store.decisions.decide(second, THIRD_PARTY, reviewer="ann")
    recent = store.decisions.recent("ann")
    assert [one.case_id for one in recent] == [second, first]
    assert [one.undo_until is None for one in recent] == [False, True]
    assert store.decisions.recent("ben") == ()
