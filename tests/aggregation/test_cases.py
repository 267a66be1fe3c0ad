"""Cases: two halves that come in any order, and more than once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.aggregation.cases import Case, case_of_review, case_of_violation, decode, encode, merge
from stream_detector.contracts import Review, Violation
from stream_detector.contracts import decode as read
from stream_detector.contracts.examples import EXAMPLES
from tests.aggregation.making import MONDAY_MS, RULES, ruled, seen, violations
from tests.aggregation.making import reviews as some_reviews

VIOLATION = read(Violation, orjson.dumps(EXAMPLES["violation"][0]))


def review(**values: object) -> Review:
    """A reviewer's word on the example."""
    fields: dict[str, object] = {
        "review_id": "R-1",
        "violation_id": VIOLATION.violation_id,
        "revision": 1,
        "decision": "dismissed",
        "reason": "third_party",
        "partner_id": VIOLATION.partner_id,
        "event_type": VIOLATION.event_type,
        "occurred_at": VIOLATION.occurred_at,
        "reviewer": "someone",
        "decided_at": VIOLATION.detected_at,
    }
    return Review.model_validate(fields | values)


same_violation = (violations | some_reviews).map(lambda case: Case("V1", case.sighting, case.ruling))


@given(st.lists(same_violation, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_tell_nothing(cases: list[Case], random: object) -> None:
    """What is known in the end depends only on which records came."""
    shuffled = [*cases, *cases]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reduce(merge, shuffled) == reduce(merge, cases)


@given(same_violation, same_violation)
def test_a_case_survives_its_topic(one: Case, other: Case) -> None:
    """What is written to a changelog is read back as it was."""
    case = merge(one, other)
    assert decode(encode(case)) == case


@given(
    st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null", b'{"v":1,"s":[1]}', b'{"v":"a","s":5}', b'{"v":"a","r":[[]]}'])
)
def test_other_bytes_are_refused(value: bytes) -> None:
    """A changelog that something else wrote to ends in an error that can be told, whatever stands in it."""
    with pytest.raises(ValueError, match=r"^is no case of this program$"):
        decode(value)


def test_nothing_of_a_text_or_an_id_is_kept() -> None:
    """Listing ids are a producer's words, contacts are people's: neither stands in a case in the clear."""
    written = encode(case_of_violation(VIOLATION, ["0" * 32]))
    for word in (b"sunny", b"host", VIOLATION.listing_id.encode() if VIOLATION.listing_id else b"?"):
        assert word not in written


def test_a_clock_that_runs_ahead_does_not_reach_into_the_future() -> None:
    """Nothing occurs after it was detected."""
    ahead = VIOLATION.model_copy(update={"occurred_at": VIOLATION.detected_at + timedelta(days=700)})
    assert case_of_violation(ahead, []).moment_ms == int(VIOLATION.detected_at.timestamp() * 1000)
    assert case_of_violation(VIOLATION, []).moment_ms == int(datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp() * 1000)


def test_weights_are_kind_times_certainty() -> None:
    """0.935 of an address of 1 point; a confirmed one is certain, a dismissed one counts for nothing."""
    case = case_of_violation(VIOLATION, [])
    assert case.points(RULES) == 935
    assert merge(case, case_of_review(review(decision="confirmed", reason=None))).points(RULES) == 1000
    assert merge(case, case_of_review(review())).points(RULES) == 0
    assert case_of_review(review(decision="confirmed", reason=None)).points(RULES) == 0


def test_a_later_revision_counts() -> None:
    """A decision that was taken back after it was published is replaced, in whatever order the two come."""
    dismissed, confirmed = ruled(1, dismissed=True), ruled(1, dismissed=False, revision=2)
    case = seen(1, MONDAY_MS)
    assert merge(merge(case, confirmed), dismissed).confirmed
    assert merge(merge(dismissed, confirmed), case).confirmed


def test_corrected_evidence_decides_the_kind() -> None:
    """A reviewer who says that it is a payment address changes its weight."""
    spans = ({"attribute": "listingDescription", "start": 55, "end": 78, "kind": "payment"},)
    case = merge(case_of_violation(VIOLATION, []), case_of_review(review(decision="confirmed", reason=None, spans=spans)))
    assert case.kinds == ("payment",)
    assert case.points(RULES) == 1500


@pytest.mark.parametrize("decision", ["confirmed", "dismissed"])
def test_a_review_alone_counts_for_nothing(decision: str) -> None:
    """A review that comes before its violation waits for it."""
    case = case_of_review(review(decision=decision, reason="other" if decision == "dismissed" else None))
    assert not case.counts
    assert not case.confirmed
