"""What counts how much, over which windows, and from where on it is told: the settings' [aggregation] table, read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from stream_detector.contracts import Kind
from stream_detector.errors import ConfigurationError
from stream_detector.settings import AggregationSettings

DAY_MS: Final = 24 * 60 * 60 * 1000
#: The name under which violations without evidence are weighted.
NO_KIND: Final = "none"
#: Points are whole thousandths: their sums don't depend on the order, as those of floating-point numbers would.
POINT: Final = 1000

_UNITS: Final = {"h": 60 * 60 * 1000, "d": DAY_MS}
_WINDOW: Final = re.compile(r"(\d{1,4}[hd])/(\d{1,4}[hd])")
_LEVEL: Final = re.compile(r"([a-z][a-z0-9_-]{0,31})=(\d{1,6}(?:\.\d{1,3})?)")
_WEIGHT: Final = re.compile(r"([a-z]+)=(\d{1,3}(?:\.\d{1,3})?)")
_MOST_WINDOWS: Final = 8
_MOST_LEVELS: Final = 8
#: A violation lies in so many windows of one length at most; each is looked at when it comes.
_MOST_HOPS: Final = 200


@dataclass(frozen=True, slots=True)
class Level:
    """A number of points that is told when a partner reaches it in a window; `points` are thousandths."""

    name: str
    points: int


@dataclass(frozen=True, slots=True)
class Window:
    """Hopping windows of one length: one begins at every multiple of `hop_ms` since the epoch, and lasts `length_ms`.

    Attributes:
        name: as the settings write the length, such as "7d".
        levels: rising.
    """

    name: str
    length_ms: int
    hop_ms: int
    levels: tuple[Level, ...]

    def starts(self, moment_ms: int) -> range:
        """The beginnings of the windows that a moment lies in, the oldest first."""
        last = moment_ms // self.hop_ms * self.hop_ms
        return range(last - self.length_ms + self.hop_ms, last + 1, self.hop_ms)

    def latest(self, moment_ms: int) -> int:
        """The beginning of the window that a moment lies in the last hop of: the one that ends next."""
        return self.starts(moment_ms)[0]


@dataclass(frozen=True, slots=True)
class Rules:
    """How violations are weighted and added up.

    Attributes:
        windows: the shortest first.
        weights: thousandths by kind of evidence, and by "none" for violations without.
        keep_ms: how far a violation may lie behind its partner's newest one; what is older is forgotten.
    """

    windows: tuple[Window, ...]
    weights: Mapping[str, int]
    keep_ms: int

    @classmethod
    def of(cls, settings: AggregationSettings) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: naming the setting, what is wrong with it and how it is written.
        """
        windows = sorted(map(_window, settings.windows), key=lambda window: window.length_ms)
        if not 0 < len(windows) <= _MOST_WINDOWS:
            raise ConfigurationError(f"aggregation.windows: {len(windows)} windows; give 1 to {_MOST_WINDOWS}")
        _require_distinct("aggregation.windows", (window.length_ms for window in windows))
        keep_ms = settings.keep_days * DAY_MS
        if keep_ms < windows[-1].length_ms + DAY_MS:
            raise ConfigurationError(
                f"aggregation.keep_days: {settings.keep_days} days are too few for windows of {windows[-1].name};"
                " give a day more than the longest at least"
            )
        return cls(tuple(windows), _weights(settings.weights), keep_ms)

    def weight(self, kinds: Iterable[str]) -> int:
        """Thousandths for a violation with such evidence: the heaviest kind counts."""
        return max((self.weights[kind] for kind in kinds), default=self.weights[NO_KIND])

    def horizon(self, newest_ms: int) -> int:
        """From when on violations are kept, if the partner's newest one is of that moment: the beginning of a day (UTC)."""
        return (newest_ms - self.keep_ms) // DAY_MS * DAY_MS


def _window(text: str) -> Window:
    how = 'write it as "7d/6h notice=3 warning=8": length, hop, and levels with their points'
    head, *tail = text.split() or [""]
    found = _WINDOW.fullmatch(head)
    if found is None:
        raise ConfigurationError(f"aggregation.windows: {head!r} is no length and hop; {how}")
    length, hop = (int(part[:-1]) * _UNITS[part[-1]] for part in found.groups())
    if not hop or length % hop or not 0 < length // hop <= _MOST_HOPS:
        raise ConfigurationError(
            f"aggregation.windows: {head}: the length must be the hop, or up to {_MOST_HOPS} times as long; {how}"
        )
    if not 0 < len(tail) <= _MOST_LEVELS:
        raise ConfigurationError(f"aggregation.windows: {head}: {len(tail)} levels; give 1 to {_MOST_LEVELS}; {how}")
    levels = sorted((_level(head, item, how) for item in tail), key=lambda level: level.points)
    _require_distinct(f"aggregation.windows: {head}", (level.name for level in levels))
    _require_distinct(f"aggregation.windows: {head}", (level.points for level in levels))
    return Window(found[1], length, hop, tuple(levels))


def _level(head: str, text: str, how: str) -> Level:
    found = _LEVEL.fullmatch(text)
    if found is None or not _thousandths(found[2]):
        raise ConfigurationError(f"aggregation.windows: {head}: {text!r} is no level with points above 0; {how}")
    return Level(found[1], _thousandths(found[2]))


def _weights(texts: Iterable[str]) -> dict[str, int]:
    known = {*(kind.value for kind in Kind), NO_KIND}
    weights = dict.fromkeys(known, POINT)
    for text in texts:
        found = _WEIGHT.fullmatch(text)
        if found is None or found[1] not in known:
            raise ConfigurationError(
                f'aggregation.weights: {text!r} is no weight; write it as "phone=1.5", for one of {", ".join(sorted(known))}'
            )
        weights[found[1]] = _thousandths(found[2])
    return weights


def _thousandths(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * POINT + int(part.ljust(3, "0"))


def _require_distinct(where: str, values: Iterator[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ConfigurationError(f"{where}: two are the same; remove one")
        seen.add(value)
