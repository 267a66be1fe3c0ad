"""Violations into cases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from stream_detector.contracts import Decision, EventType, Kind
from stream_detector.review.audit import Action
from stream_detector.review.cases import CaseFilter, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.schema import Base
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from tests.review.conftest import SetClock
from tests.review.made import OPEN, cases, only_case, put, violation

_SECRETS = ("555", "sunny-loft", "sunny_loft")


def test_a_violation_is_stored_once(store: Store) -> None:
    """What comes again, in the same batch or later, changes nothing: neither rows nor counts."""
    first = put(store, violation(1), violation(1), violation(2))
    assert (first.violations, first.cases) == (2, 2)
    again = put(store, violation(2), violation(3))
    assert (again.violations, again.repeated, again.cases) == (1, 1, 1)
    assert len(cases(store)) == 3
    assert store.queue.totals()[State.OPEN] == 3


def test_repeated_texts_are_one_case(store: Store) -> None:
    """Bookings that repeat their listing's text are one case that tells how many there are, the newest and the surest of them."""
    same = {"partner_id": "P", "listing_id": "L", "event_type": EventType.BOOKING}
    put(store, violation(5, score=0.5, **same), violation(3, score=0.8, **same))
    put(store, violation(1, score=0.6, **same))
    (case,) = store.queue.page(OPEN, viewer="nobody").cases
    assert (case.violations, case.score) == (3, 0.8)
    assert case.last_detected_at == violation(1).detected_at
    assert case.first_detected_at == violation(5).detected_at
    shown = store.cases.get(case.case_id).violations
    assert [item.violation_id for item in shown] == ["V-1", "V-3", "V-5"]


@pytest.mark.parametrize(
    "other",
    [
        {"listing_id": "another"},
        {"partner_id": "another"},
        {"event_type": EventType.CLIENT_UPDATE},
        {"attributes": {"description": "A quiet flat. host@sunny-loft.example. Ask for Ann."}},
    ],
)
def test_what_differs_is_another_case(store: Store, other: dict[str, object]) -> None:
    """Another partner, listing, event type or text is decided by itself."""
    same: dict[str, object] = {"partner_id": "P", "listing_id": "L"}
    put(store, violation(1, **same), violation(2, **(same | other)))  # type: ignore[arg-type]
    assert len(cases(store)) == 2


def test_other_texts_of_the_event_make_no_other_case(store: Store) -> None:
    """An edit to a harmless text brings the same case, not a new one."""
    same = {"partner_id": "P", "listing_id": "L"}
    edited = dict(violation(2).attributes or {}) | {"houseRules": "Smoking allowed."}
    put(store, violation(1, **same), violation(2, attributes=edited, **same))
    assert store.queue.summary(only_case(store)).violations == 2


def test_a_decided_case_decides_what_joins_it(store: Store, clock: SetClock) -> None:
    """The same text again is not shown again: the decision is carried over, which the audit log says."""
    same = {"partner_id": "P", "listing_id": "L"}
    put(store, violation(1, **same))
    case_id = only_case(store)
    store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ann")
    put(store, violation(2, **same))
    clock.advance(6)
    store.seal()
    put(store, violation(3, **same))
    with store.database.read() as connection:
        assert list(connection.scalars(text("SELECT violation_id FROM outbox ORDER BY sequence"))) == ["V-1", "V-2", "V-3"]
    assert cases(store) == []
    (entry,) = store.audit.page(action=Action.CARRIED_OVER)
    assert entry.case_id == case_id


def test_no_contact_is_kept_beside_the_violation_itself(store: Store) -> None:
    """Contacts are linked by fingerprints; what is searched, shown and logged is masked. Only the violation's own document, which
    a reviewer must see, holds its text.
    """
    kinds = (Kind.PHONE, Kind.EMAIL, Kind.URL, Kind.HANDLE)
    put(store, violation(1, kinds=kinds), violation(2, kinds=kinds))
    case_id = cases(store)[0]
    store.cases.unmask(case_id, by="ann")
    assert store.queue.count(CaseFilter(search="host@sunny-loft.example"), viewer="ann").number == 2
    names = [*Base.metadata.tables, "case_words"]
    with store.database.read() as connection:
        rows = {name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()] for name in names}
    for row in rows["violations"]:
        assert b"sunny-loft" in bytes(row.pop("document"))
    for secret in _SECRETS:
        assert secret not in repr(rows)
    assert len({row["fingerprint"] for row in rows["contacts"]}) == 4


def test_masked_texts_keep_the_offsets(store: Store) -> None:
    """A page can highlight evidence in a masked text: the text is as long as the clear one, and clear elsewhere."""
    put(store, violation(1, kinds=(Kind.PHONE,)))
    (shown,) = store.cases.get(only_case(store)).violations
    clear = violation(1, kinds=(Kind.PHONE,)).attributes or {}
    assert len(shown.texts["description"]) == len(clear["description"])
    assert shown.texts["description"].startswith("A quiet flat. +1 ••• •••")
    assert shown.texts["houseRules"] == "No smoking."
    assert "555" not in shown.evidence[0].surface


def test_without_evidence_whatever_looks_like_a_contact_is_masked(store: Store) -> None:
    """Where nobody says which part offends, the text doesn't show a number or an address all the same."""
    details = violation(1).score_details.model_copy(update={"evidence": ()})
    put(store, violation(1, score_details=details))
    (shown,) = store.cases.get(only_case(store)).violations
    assert "sunny-loft" not in shown.texts["description"]
    assert "sunny-loft" not in store.queue.summary(only_case(store)).excerpt


def test_violations_without_texts_are_cases_of_their_own(store: Store) -> None:
    """With include_text off nobody can say that two violations are the same."""
    same = {"partner_id": "P", "listing_id": "L", "attributes": None}
    put(store, violation(1, **same), violation(2, **same))
    assert len(cases(store)) == 2
    assert store.cases.get(cases(store)[0]).violations[0].texts == {}


def test_hostile_strings_are_stored(store: Store) -> None:
    """Whatever a producer sends can't stop the console: NUL, markup, quotes, other scripts."""
    hostile = "x\x00<script>'\";--%_\u202e\U0001f600 ünï"
    put(store, violation(1, partner_id=hostile, listing_id=hostile, event_id=hostile, attributes={"description": hostile}))
    case = store.queue.summary(only_case(store))
    assert "<script>" in case.partner_id
    assert "\x00" not in case.partner_id
    assert store.queue.count(CaseFilter(search=hostile), viewer="ann").number <= 1


def test_the_store_is_there_again_after_it_was_closed(settings: Settings, clock: SetClock) -> None:
    """Opening a store again changes nothing in it."""
    with Store.open(settings, clock=clock) as store:
        put(store, violation(1))
    with Store.open(settings, clock=clock) as store:
        assert len(cases(store)) == 1
        assert put(store, violation(1)).repeated == 1
