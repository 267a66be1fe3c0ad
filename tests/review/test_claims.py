"""Claims: one reviewer a case, for a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from stream_detector.contracts import Decision
from stream_detector.errors import ClaimedError, DecidedError, UnknownCaseError
from stream_detector.review.audit import Action
from stream_detector.review.cases import CaseFilter
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from tests.review.conftest import SetClock
from tests.review.made import OPEN, cases, only_case, put, violation


def test_a_claimed_case_is_nobody_elses(store: Store, clock: SetClock) -> None:
    """While a claim lasts nobody else can take or decide the case; both are told by whom and until when."""
    put(store, violation(1))
    case_id = only_case(store)
    claim = store.claims.claim(case_id, "ann")
    for attempt in (
        lambda: store.claims.claim(case_id, "ben"),
        lambda: store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ben"),
    ):
        with pytest.raises(ClaimedError, match="ann has this case until 12:01:00") as refused:
            attempt()
        assert (refused.value.by, refused.value.until) == ("ann", claim.until)
    assert store.claims.claim_next(OPEN, "ben") is None
    assert store.queue.summary(case_id).claim == claim


def test_an_expired_claim_returns(store: Store, clock: SetClock) -> None:
    """When its time is over, a case is free without anybody's doing; renewing in time keeps it."""
    put(store, violation(1))
    case_id = only_case(store)
    store.claims.claim(case_id, "ann")
    clock.advance(59)
    store.claims.claim(case_id, "ann")
    clock.advance(59)
    assert store.claims.claim_next(OPEN, "ben") is None
    clock.advance(1)
    assert store.claims.of("ann") == ()
    assert store.queue.summary(case_id).claim is None
    taken = store.claims.claim_next(OPEN, "ben")
    assert taken is not None
    assert taken.case_id == case_id
    with pytest.raises(ClaimedError):
        store.claims.claim(case_id, "ann")


def test_released_cases_are_free(store: Store) -> None:
    """A case that is given back can be taken at once; giving back somebody else's does nothing."""
    put(store, violation(1))
    case_id = only_case(store)
    store.claims.claim(case_id, "ann")
    store.claims.release(case_id, "ben")
    assert [claim.case_id for claim in store.claims.of("ann")] == [case_id]
    store.claims.release(case_id, "ann")
    assert store.claims.claim(case_id, "ben").reviewer == "ben"
    assert [entry.action for entry in store.audit.page(case_id=case_id)] == [Action.CLAIMED, Action.RELEASED, Action.CLAIMED]


def test_the_next_case_is_the_first_of_the_queue_that_is_free(store: Store) -> None:
    """Who asks for the next case gets those that the filter wants, in the queue's order."""
    put(store, *(violation(number, partner_id="P" if number % 2 else "Q") for number in range(6)))
    order = cases(store)
    wanted = CaseFilter(partner_id="P")
    mine = [case.case_id for case in store.queue.page(wanted, viewer="ann").cases]
    assert len(mine) == 3
    assert [store.claims.claim_next(wanted, "ann").case_id for _ in mine] == mine  # type: ignore[union-attr]
    assert store.claims.claim_next(wanted, "ben") is None
    rest = [case_id for case_id in order if case_id not in mine]
    assert store.claims.claim_next(OPEN, "ben").case_id == rest[0]  # type: ignore[union-attr]


def test_two_reviewers_never_get_the_same_case(store: Store) -> None:
    """Eight who ask at once, again and again, get different cases, and all of them."""
    put(store, *(violation(number) for number in range(24)))
    together = Barrier(8)

    def ask(reviewer: str) -> list[int]:
        together.wait()
        got: list[int] = []
        while (claim := store.claims.claim_next(OPEN, reviewer)) is not None:
            got.append(claim.case_id)
        return got

    with ThreadPoolExecutor(8) as pool:
        got = [case_id for ids in pool.map(ask, [f"reviewer-{n}" for n in range(8)]) for case_id in ids]
    assert sorted(got) == sorted(cases(store))


def test_one_case_is_decided_once(store: Store) -> None:
    """Of many who decide a free case at once one does, and the others are told."""
    put(store, violation(1))
    case_id = only_case(store)
    together = Barrier(6)

    def decide(reviewer: str) -> bool:
        together.wait()
        try:
            store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer=reviewer)
        except DecidedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(decide, [f"reviewer-{n}" for n in range(6)])) == 1
    assert len(store.cases.get(case_id).decisions) == 1
    assert store.audit.verify() is None


def test_who_looks_at_a_case_is_known(store: Store, clock: SetClock) -> None:
    """Others who look are named until they look away, or are silent for half a minute."""
    put(store, violation(1))
    case_id = only_case(store)
    assert store.claims.look(case_id, "ann") == ()
    assert store.claims.look(case_id, "ben") == ("ann",)
    assert store.claims.look(case_id, "ann") == ("ben",)
    store.claims.leave(case_id, "ann")
    assert store.claims.look(case_id, "ben") == ()
    clock.advance(31)
    assert store.claims.look(case_id, "ann") == ()


def test_unknown_cases_are_refused(store: Store) -> None:
    """A number that no case has is told as such, whatever is asked of it."""
    for attempt in (
        lambda: store.claims.claim(7, "ann"),
        lambda: store.claims.look(7, "ann"),
        lambda: store.cases.get(7),
        lambda: store.cases.unmask(7, by="ann"),
        lambda: store.queue.summary(7),
        lambda: store.decisions.decide(7, Verdict(Decision.CONFIRMED), reviewer="ann"),
        lambda: store.decisions.reopen(7, by="lea"),
    ):
        with pytest.raises(UnknownCaseError, match="7"):
            attempt()
