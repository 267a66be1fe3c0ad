"""Reviewers at work in any order, against a model of what each of them may see and do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from stream_detector.contracts import Decision, Reason
from stream_detector.errors import ClaimedError, DecidedError
from stream_detector.review.cases import CaseFilter, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from tests.review.conftest import SetClock, make_settings
from tests.review.made import OPEN, put, violation

_REVIEWERS = st.sampled_from(["ann", "ben", "cid"])
_UNDO_S, _LEASE_S = 5, 60


@dataclass
class Expected:
    """What the model knows of a case."""

    state: State = State.OPEN
    holder: str | None = None
    until: float = 0.0
    decision: int = 0
    reviewer: str = ""
    outcome: Decision = Decision.CONFIRMED
    due: float = 0.0
    published: int = 0


class Reviewing(RuleBasedStateMachine):
    """Claims, decisions, undoing, time and sealing in any order."""

    numbers = Bundle("numbers")

    @initialize()
    def begin(self) -> None:
        """An empty store, and an empty model."""
        self._folder = tempfile.TemporaryDirectory()
        self._clock = SetClock()
        review = {"folder": str(Path(self._folder.name)), "undo_seconds": _UNDO_S, "lease_seconds": _LEASE_S, "quality_share": 0}
        self._store = Store.open(make_settings(dict(review)), clock=self._clock)
        self._cases: dict[int, Expected] = {}
        self._time = 0.0

    def teardown(self) -> None:
        """Let go of the store."""
        assert self._store.audit.verify() is None
        self._store.close()
        self._folder.cleanup()

    @rule(target=numbers)
    def arrive(self) -> int:
        """A violation comes in."""
        number = len(self._cases)
        put(self._store, violation(number))
        (case,) = self._store.queue.page(CaseFilter(listing_id=f"L-{number}"), viewer="zoe").cases
        self._cases[case.case_id] = Expected()
        return case.case_id

    @rule(case_id=numbers, who=_REVIEWERS)
    def claim(self, case_id: int, who: str) -> None:
        """Take a case: it works exactly if it is open, and free or one's own."""
        case = self._cases[case_id]
        try:
            claim = self._store.claims.claim(case_id, who)
        except ClaimedError:
            assert case.state is State.OPEN
            assert self._holder(case) not in (None, who)
        except DecidedError:
            assert case.state is not State.OPEN
        else:
            assert case.state is State.OPEN
            assert self._holder(case) in (None, who)
            assert claim.reviewer == who
            case.holder, case.until = who, self._time + _LEASE_S

    @rule(who=_REVIEWERS)
    def claim_next(self, who: str) -> None:
        """Take the next case: it is a free one, and there is none only if no case is free."""
        free = {case_id for case_id, case in self._cases.items() if case.state is State.OPEN and self._holder(case) is None}
        claim = self._store.claims.claim_next(OPEN, who)
        if claim is None:
            assert not free
        else:
            assert claim.case_id in free
            case = self._cases[claim.case_id]
            case.holder, case.until = who, self._time + _LEASE_S

    @rule(case_id=numbers, who=_REVIEWERS)
    def release(self, case_id: int, who: str) -> None:
        """Give a case back."""
        self._store.claims.release(case_id, who)
        case = self._cases[case_id]
        if case.holder == who:
            case.holder = None

    @rule(case_id=numbers, who=_REVIEWERS, confirm=st.booleans())
    def decide(self, case_id: int, who: str, confirm: bool) -> None:  # noqa: FBT001 - drawn
        """Decide a case: it works exactly if it is open, and free or one's own."""
        verdict = Verdict(Decision.CONFIRMED) if confirm else Verdict(Decision.DISMISSED, Reason.OTHER)
        case = self._cases[case_id]
        try:
            decided = self._store.decisions.decide(case_id, verdict, reviewer=who)
        except ClaimedError:
            assert self._holder(case) not in (None, who)
        except DecidedError:
            assert case.state is not State.OPEN
        else:
            assert case.state is State.OPEN
            assert self._holder(case) in (None, who)
            assert decided.revision == case.published + 1
            case.state, case.holder = State.PENDING, None
            case.decision, case.reviewer, case.outcome = decided.decision_id, who, verdict.decision
            case.due = self._time + _UNDO_S

    @rule(case_id=numbers, who=_REVIEWERS)
    def undo(self, case_id: int, who: str) -> None:
        """Take a decision back: it works exactly for who made it, until it is due."""
        case = self._cases[case_id]
        if not case.decision:
            return
        may = case.state is State.PENDING and case.reviewer == who and self._time < case.due
        try:
            self._store.decisions.undo(case.decision, reviewer=who)
        except DecidedError:
            assert not may
        else:
            assert may
            case.state, case.holder, case.until = State.OPEN, who, self._time + _LEASE_S

    @rule(case_id=numbers)
    def reopen(self, case_id: int) -> None:
        """A lead opens a case: it works exactly if its decision stands."""
        case = self._cases[case_id]
        try:
            self._store.decisions.reopen(case_id, by="lea")
        except DecidedError:
            assert case.state in (State.OPEN, State.PENDING)
        else:
            assert case.state in (State.CONFIRMED, State.DISMISSED)
            case.state, case.holder = State.OPEN, None

    @rule(seconds=st.sampled_from([1, 5, 30, 60]))
    def wait(self, seconds: int) -> None:
        """Time goes by, which by itself changes nothing but claims."""
        self._clock.advance(seconds)
        self._time += seconds

    @rule()
    def seal(self) -> None:
        """What is due stands from now on, and is written down to be published, once."""
        due = [case for case in self._cases.values() if case.state is State.PENDING and case.due <= self._time]
        assert self._store.seal() == len(due)
        for case in due:
            case.state = State(case.outcome.value)
            case.published += 1

    @invariant()
    def nothing_is_hidden(self) -> None:
        """Each case is where the model says, under whose claim it says, and published as often as it says."""
        if not self.__dict__.get("_cases"):
            return
        found = self._store.queue.page(CaseFilter(states=()), viewer="zoe", size=1000).cases
        told = {case.case_id: (case.state, case.claim.reviewer if case.claim else None) for case in found}
        assert told == {case_id: (case.state, self._holder(case)) for case_id, case in self._cases.items()}
        with self._store.database.read() as connection:
            reviews = connection.scalar(text("SELECT count(*) FROM outbox"))
        assert reviews == sum(case.published for case in self._cases.values())
        totals = self._store.queue.totals()
        assert totals == {state: sum(case.state is state for case in self._cases.values()) for state in State}

    def _holder(self, case: Expected) -> str | None:
        return case.holder if case.state is State.OPEN and case.until > self._time else None


TestReviewing = Reviewing.TestCase
TestReviewing.settings = hypothesis_settings(max_examples=20, stateful_step_count=30, deadline=None)
