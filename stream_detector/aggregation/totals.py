"""What a partner did in a window, added up from its cases: the definition that everything faster is held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from stream_detector.aggregation.cases import Case
from stream_detector.aggregation.rules import NO_KIND, Rules


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over one window.

    Attributes:
        points: thousandths. Each offence counts once, at the moment of its earliest violation and with its heaviest one's weight.
        offences: how many such there are; `Case.offence` says which violations are one.
        violations: all that were not dismissed.
        confirmed: those among them that a reviewer confirmed.
        listings: distinct listings.
        contacts: distinct contacts.
        kinds: violations by kind of evidence; one with several kinds counts for each, one without for "none".
        moments_ms: of the earliest and the latest violation, or None if there is none.
    """

    points: int
    offences: int
    violations: int
    confirmed: int
    listings: int
    contacts: int
    kinds: Mapping[str, int]
    moments_ms: tuple[int, int] | None


def totals(cases: Iterable[Case], rules: Rules, start_ms: int, end_ms: int) -> Totals:
    """Add up a partner's cases over the window from `start_ms` up to but not including `end_ms`.

    Args:
        cases: all of the partner's, in any order; those outside of the window decide which offences began before it.
        rules: the weights.
        start_ms: milliseconds since the epoch.
        end_ms: the same.
    """
    counted = [case for case in cases if case.counts]
    begun = [(moment, points) for moment, points in offences(counted, rules).values() if start_ms <= moment < end_ms]
    inside = [case for case in counted if start_ms <= case.moment_ms < end_ms]
    seen = [case.sighting for case in inside if case.sighting is not None]
    moments = [case.moment_ms for case in inside]
    return Totals(
        points=sum(points for _, points in begun),
        offences=len(begun),
        violations=len(inside),
        confirmed=sum(case.confirmed for case in inside),
        listings=len({sighting.listing for sighting in seen} - {""}),
        contacts=len({contact for sighting in seen for contact in sighting.contacts}),
        kinds=Counter(kind for case in inside for kind in case.kinds or (NO_KIND,)),
        moments_ms=(min(moments), max(moments)) if moments else None,
    )


def offences(cases: Iterable[Case], rules: Rules) -> dict[Hashable, tuple[int, int]]:
    """The moment and the points of each offence, by what makes it one. Dismissed cases take no part."""
    found: dict[Hashable, tuple[int, int]] = {}
    for case in cases:
        if case.counts:
            moment, points = found.get(case.offence, (case.moment_ms, 0))
            found[case.offence] = min(moment, case.moment_ms), max(points, case.points(rules))
    return found
