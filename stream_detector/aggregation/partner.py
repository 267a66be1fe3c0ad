"""One partner's cases, and the points of each hop of each window, kept up to date as cases come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

from stream_detector.aggregation.cases import Case, merge
from stream_detector.aggregation.rules import Rules, Window
from stream_detector.aggregation.totals import Totals, offences, totals


@dataclass(frozen=True, slots=True)
class Change:
    """What a case changed.

    Attributes:
        case: what is known of it now, or None if it lies too far back to be kept.
        is_news: whether it told anything that wasn't known.
        is_first_sight: whether it is a violation that wasn't known.
        forgotten: ids of cases that lie too far back now, this one among them if it was kept before.
        moments: those whose windows may have gained points. A repetition names them again: what followed from the first time
            may have been lost in a crash.
    """

    case: Case | None
    is_news: bool
    is_first_sight: bool = False
    forgotten: tuple[str, ...] = ()
    moments: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Offence:
    """Violations that count as one: at the earliest moment, with the most points."""

    cases: dict[str, Case]
    moment_ms: int
    points: int


class Partner:
    """The cases of one partner.

    Whatever the order in which cases come, and however often, the same are kept: those that lie within `Rules.keep_ms` of the
    newest violation.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._cases: dict[str, Case] = {}
        self._offences: dict[Hashable, _Offence] = {}
        self._points: dict[str, defaultdict[int, int]] = {window.name: defaultdict(int) for window in rules.windows}
        self._forgotten_before = 0
        self.newest_ms = 0

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self._cases)

    @property
    def cases(self) -> Mapping[str, Case]:
        """All cases, by their violation's id."""
        return self._cases

    @property
    def horizon_ms(self) -> int:
        """Windows that begin before it are closed: what was in them may be forgotten."""
        return self._rules.horizon(self.newest_ms)

    def put(self, case: Case) -> Change:
        """Take in what a case tells."""
        known = self._cases.get(case.violation_id)
        merged = case if known is None else merge(known, case)
        if case.sighting is not None:
            self.newest_ms = max(self.newest_ms, case.sighting.moment_ms)
        if merged != known and known is not None:
            self._remove(known)
        forgotten = self._forget()
        if merged.moment_ms < self.horizon_ms:
            return Change(None, is_news=False, forgotten=forgotten if known is None else tuple({*forgotten, case.violation_id}))
        if merged != known:
            self._add(merged)
        touched: set[int] = set()
        if merged.counts:
            touched.add(self._offences[merged.offence].moment_ms)
        if known is not None and known.counts and known.offence in self._offences:
            # Its offence may go on without it, from another moment.
            touched.add(self._offences[known.offence].moment_ms)
        first = merged.sighting is not None and (known is None or known.sighting is None)
        return Change(merged, is_news=merged != known, is_first_sight=first, forgotten=forgotten, moments=frozenset(touched))

    @property
    def moments(self) -> frozenset[int]:
        """The moments of all offences."""
        return frozenset(offence.moment_ms for offence in self._offences.values())

    def points(self, window: Window, starts: range) -> Iterator[tuple[int, int]]:
        """Beginning and points (thousandths) of windows of one length; `starts` are beginnings, one hop apart."""
        if not starts:
            return
        by_hop = self._points[window.name]
        hops = window.length_ms // window.hop_ms
        first = starts[0] // window.hop_ms
        total = sum(by_hop.get(first + hop, 0) for hop in range(hops))
        for number, start in enumerate(starts, first):
            yield start, total
            total += by_hop.get(number + hops, 0) - by_hop.get(number, 0)

    def is_repeat(self, case: Case, window: Window) -> bool:
        """Whether another violation of the partner lies less than the window's length before a case."""
        after = case.moment_ms - window.length_ms
        return any(
            other.counts and after < other.moment_ms <= case.moment_ms and other.violation_id != case.violation_id
            for other in self._cases.values()
        )

    def totals(self, start_ms: int, end_ms: int) -> Totals:
        """All sums of a window."""
        return totals(self._cases.values(), self._rules, start_ms, end_ms)

    def _add(self, case: Case) -> None:
        self._cases[case.violation_id] = case
        if not case.counts:
            return
        points = case.points(self._rules)
        offence = self._offences.get(case.offence)
        if offence is None:
            self._offences[case.offence] = offence = _Offence({}, case.moment_ms, points)
        else:
            # Without a look at the others: a listing's text comes again with each of thousands of bookings.
            self._tally(offence, -1)
            offence.moment_ms, offence.points = min(offence.moment_ms, case.moment_ms), max(offence.points, points)
        offence.cases[case.violation_id] = case
        self._tally(offence, +1)

    def _remove(self, case: Case) -> None:
        del self._cases[case.violation_id]
        if not case.counts:
            return
        offence = self._offences[case.offence]
        self._tally(offence, -1)
        del offence.cases[case.violation_id]
        if offence.cases:
            ((offence.moment_ms, offence.points),) = offences(offence.cases.values(), self._rules).values()
            self._tally(offence, +1)
        else:
            del self._offences[case.offence]

    def _tally(self, offence: _Offence, sign: int) -> None:
        for window in self._rules.windows:
            by_hop = self._points[window.name]
            hop = offence.moment_ms // window.hop_ms
            by_hop[hop] += sign * offence.points
            if not by_hop[hop]:
                del by_hop[hop]

    def _forget(self) -> tuple[str, ...]:
        horizon = self.horizon_ms
        if horizon <= self._forgotten_before:
            return ()
        self._forgotten_before = horizon
        old = [case for case in self._cases.values() if case.moment_ms < horizon]
        for case in old:
            self._remove(case)
        return tuple(case.violation_id for case in old)
