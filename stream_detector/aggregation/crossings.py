"""When a partner crosses a level, and when that was told already.

A window is hot for a level if its points reach it. An episode is a run of hot windows of one length in which each overlaps the one
before, over all that was ever hot; it is told once. So a partner that stays at a level, falls below it for less than a window's
length, or falls because a reviewer dismissed a case, and comes back is not told again; one that comes back in a window that
overlaps none of the episode's is. It follows that no two messages of one partner, length and level have windows that overlap,
whatever the order in which violations come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from stream_detector.aggregation.partner import Partner
from stream_detector.aggregation.rules import Level, Rules, Window


class Rung(NamedTuple):
    """What an episode is of: a length of windows and a level, by their names."""

    window: str
    level: str


class Span(NamedTuple):
    """Milliseconds since the epoch, half-open."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A level that was reached in `span`, one window: the one with the most points, the earliest of several."""

    window: Window
    level: Level
    span: Span


class Episodes:
    """The episodes of one partner: for each rung, spans that don't overlap, in order."""

    def __init__(self) -> None:
        self._spans: dict[Rung, tuple[Span, ...]] = {}

    @property
    def spans(self) -> Mapping[Rung, tuple[Span, ...]]:
        """All of them."""
        return self._spans

    def extend(self, rung: Rung, span: Span) -> bool:
        """Take in a span; whether it belongs to an episode that was known."""
        known = self._spans.get(rung, ())
        touched = [other for other in known if other.start_ms < span.end_ms and span.start_ms < other.end_ms]
        if touched:
            span = Span(min(span.start_ms, touched[0].start_ms), max(span.end_ms, touched[-1].end_ms))
        self._spans[rung] = tuple(sorted([span, *(other for other in known if other not in touched)]))
        return bool(touched)

    def forget(self, horizon_ms: int) -> None:
        """Forget what ended before any window that can still become hot begins."""
        kept = {rung: tuple(span for span in spans if span.end_ms > horizon_ms) for rung, spans in self._spans.items()}
        self._spans = {rung: spans for rung, spans in kept.items() if spans}

    def encode(self) -> bytes:
        """As JSON, for the program's own topics."""
        return orjson.dumps([[*rung, [[*span] for span in spans]] for rung, spans in sorted(self._spans.items())])

    def take(self, value: bytes) -> None:
        """Take in what `encode` wrote.

        Raises:
            ValueError: it isn't that.
        """
        try:
            for window, level, spans in orjson.loads(value):
                for start, end in spans:
                    self.extend(Rung(str(window), str(level)), Span(int(start), int(end)))
        except (TypeError, ValueError):
            raise ValueError("are no episodes of this program") from None


def crossings(partner: Partner, episodes: Episodes, rules: Rules, moments: Iterable[int]) -> Iterator[Crossing]:
    """What is to be told of a partner whose windows around some moments may have gained points; `episodes` take it in."""
    for moment in sorted(moments):
        for window in rules.windows:
            open_ = [start for start in window.starts(moment) if start >= partner.horizon_ms]
            points = [*partner.points(window, range(open_[0], open_[-1] + 1, window.hop_ms))] if open_ else []
            for level in window.levels:
                hot = [(total, start) for start, total in points if total >= level.points]
                if not hot:
                    break
                # All of these windows hold the moment, so each overlaps the others.
                whole = Span(hot[0][1], hot[-1][1] + window.length_ms)
                if not episodes.extend(Rung(window.name, level.name), whole):
                    start = max(hot, key=lambda item: (item[0], -item[1]))[1]
                    yield Crossing(window, level, Span(start, start + window.length_ms))
