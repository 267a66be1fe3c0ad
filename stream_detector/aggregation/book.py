"""All partners of this process, partition by partition, and what each record means for them."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stream_detector.aggregation.cases import Case
from stream_detector.aggregation.crossings import Crossing, Episodes, Rung, Span, crossings
from stream_detector.aggregation.partner import Change, Partner
from stream_detector.aggregation.rules import Rules, Window
from stream_detector.aggregation.totals import Totals


@dataclass(frozen=True, slots=True)
class Entry:
    """What one case led to.

    Attributes:
        change: of the partner's cases.
        crossings: levels to tell.
        episodes: the partner's, encoded, if they changed.
        repeats: for a violation that is new and counts, by length of window: whether the partner had another one before it.
    """

    change: Change
    crossings: tuple[Crossing, ...]
    episodes: bytes | None
    repeats: Mapping[str, bool]


class Rank(NamedTuple):
    """A partner and its sums, for the page."""

    partner_id: str
    totals: Totals


@dataclass(slots=True)
class _Page:
    partner: Partner
    episodes: Episodes = field(default_factory=Episodes)
    #: What followed from its last cases may have been lost in a crash: everything is looked at once more.
    loaded: bool = False


class Book:
    """Partners by partition; what belongs to a partition that went to another process is dropped with it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._partitions: dict[int, dict[str, _Page]] = {}

    @property
    def rules(self) -> Rules:
        """How it adds up."""
        return self._rules

    @property
    def partners(self) -> int:
        """How many partners there are."""
        return sum(map(len, self._partitions.values()))

    @property
    def cases(self) -> int:
        """How many cases there are, reviews of violations that weren't seen yet included."""
        return sum(len(page.partner) for pages in self._partitions.values() for page in pages.values())

    @property
    def partitions(self) -> Collection[int]:
        """The partitions that partners are of."""
        return self._partitions.keys()

    def enter(self, partition: int, partner_id: str, case: Case) -> Entry:
        """Take in what a record tells of a partner's case."""
        page = self._page(partition, partner_id)
        change = page.partner.put(case)
        moments = page.partner.moments if page.loaded else change.moments
        page.loaded = False
        before = page.episodes.encode()
        page.episodes.forget(page.partner.horizon_ms)
        told = tuple(crossings(page.partner, page.episodes, self._rules, moments))
        after = page.episodes.encode()
        if not page.partner and not page.episodes.spans:
            del self._partitions[partition][partner_id]
        counted = change.case if change.is_first_sight and change.case is not None and change.case.counts else None
        repeats = {window.name: page.partner.is_repeat(counted, window) for window in self._rules.windows} if counted else {}
        return Entry(change, told, after if after != before else None, repeats)

    def totals(self, partition: int, partner_id: str, span: Span) -> Totals:
        """A partner's sums over a window."""
        return self._page(partition, partner_id).partner.totals(*span)

    def case(self, partition: int, partner_id: str, violation_id: str) -> Case | None:
        """A case, if it is known."""
        page = self._partitions.get(partition, {}).get(partner_id)
        return page.partner.cases.get(violation_id) if page else None

    def cases_in(self, partition: int, partner_id: str, span: Span) -> list[Case]:
        """A partner's cases that count in a window, the latest first."""
        cases = self._page(partition, partner_id).partner.cases.values()
        inside = [case for case in cases if case.counts and span.start_ms <= case.moment_ms < span.end_ms]
        return sorted(inside, key=lambda case: (-case.moment_ms, case.violation_id))

    def load_case(self, partition: int, partner_id: str, case: Case) -> None:
        """Take in a case that was kept."""
        page = self._page(partition, partner_id)
        page.partner.put(case)
        page.loaded = True

    def load_episodes(self, partition: int, partner_id: str, value: bytes) -> None:
        """Take in episodes that were kept. Raises ValueError if they aren't that."""
        self._page(partition, partner_id).episodes.take(value)

    def load_told(self, partition: int, partner_id: str, rung: Rung, span: Span) -> None:
        """Take in that a level was told."""
        self._page(partition, partner_id).episodes.extend(rung, span)

    def clear(self) -> None:
        """Forget everything: what is kept will be loaded again."""
        self._partitions.clear()

    def forget_before(self, partition: int, moment_ms: int) -> Iterator[tuple[str, list[str]]]:
        """Forget partners of a partition of whom nothing was heard since a moment; their ids, with their cases' ids."""
        pages = self._partitions.get(partition, {})
        for partner_id in [name for name, page in pages.items() if page.partner.newest_ms < moment_ms]:
            yield partner_id, list(pages.pop(partner_id).partner.cases)

    def top(self, window: Window, now_ms: int, count: int) -> list[Rank]:
        """The partners with the most points in the window of a length that ends next."""
        start = window.latest(now_ms)
        heaviest = heapq.nlargest(
            count,
            (
                (points, partner_id, page.partner)
                for pages in self._partitions.values()
                for partner_id, page in pages.items()
                for _, points in page.partner.points(window, range(start, start + 1))
                if points
            ),
            key=lambda item: (item[0], item[1]),
        )
        return [Rank(partner_id, partner.totals(start, start + window.length_ms)) for _, partner_id, partner in heaviest]

    def _page(self, partition: int, partner_id: str) -> _Page:
        pages = self._partitions.setdefault(partition, {})
        page = pages.get(partner_id)
        if page is None:
            page = pages[partner_id] = _Page(Partner(self._rules))
        return page
