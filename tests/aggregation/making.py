"""Cases to count, made by hand and by Hypothesis."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from stream_detector.aggregation.cases import Case, Ruling, Sighting
from stream_detector.aggregation.rules import DAY_MS, Rules
from stream_detector.settings import AggregationSettings

HOUR_MS = 60 * 60 * 1000
#: A Monday's midnight, UTC.
MONDAY_MS = 20_000 * DAY_MS

RULES = Rules.of(AggregationSettings())
SMALL = Rules.of(AggregationSettings(windows=("1d/6h few=1 more=2", "2d/1d many=3"), keep_days=5))


def seen(number: int, moment_ms: int, **values: object) -> Case:
    """A violation with one phone number on a listing of its own."""
    fields: dict[str, object] = {"kinds": ("phone",), "certainty": 1000, "listing": f"L{number}", "contacts": (f"c{number}",)}
    return Case(f"V{number}", Sighting(moment_ms=moment_ms, **(fields | values)))  # type: ignore[arg-type]


def ruled(number: int, *, dismissed: bool, revision: int = 1, moment_ms: int = MONDAY_MS) -> Case:
    """A review of it."""
    return Case(f"V{number}", ruling=Ruling(revision, dismissed, moment_ms, None))


kinds = st.sets(st.sampled_from(["phone", "email", "payment", "solicitation"]), max_size=2).map(lambda some: tuple(sorted(some)))
moments = st.integers(0, 40).map(lambda quarter: MONDAY_MS + quarter * 6 * HOUR_MS) | st.integers(MONDAY_MS, MONDAY_MS + 9 * DAY_MS)
violations = st.builds(
    lambda number, moment, kinds, certainty, listing, contacts: seen(
        number, moment, kinds=kinds, certainty=certainty, listing=listing, contacts=tuple(sorted(contacts))
    ),
    st.integers(0, 12),
    moments,
    kinds,
    st.integers(0, 1000),
    st.sampled_from(["", "L1", "L2"]),
    st.sets(st.sampled_from(["a", "b"])),
)
reviews = st.builds(
    lambda number, dismissed, revision, moment, kinds: Case(f"V{number}", ruling=Ruling(revision, dismissed, moment, kinds)),
    st.integers(0, 12),
    st.booleans(),
    st.integers(1, 3),
    moments,
    st.none() | kinds,
)


def _at_one_moment(cases: list[Case]) -> list[Case]:
    """All that is said of one violation says when it occurred, and says the same."""
    moments = {case.violation_id: case.moment_ms for case in cases}
    return [
        Case(
            case.violation_id,
            case.sighting and replace(case.sighting, moment_ms=moments[case.violation_id]),
            case.ruling and replace(case.ruling, moment_ms=moments[case.violation_id]),
        )
        for case in cases
    ]


records = st.lists(violations | reviews, max_size=25).map(_at_one_moment)
