"""What the worker needs of whatever gives verdicts: the detector, several of them, or a stand-in in tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol, runtime_checkable

from stream_detector.contracts import Event, ScoringResponse
from stream_detector.streaming.records import Record


class Scorer(Protocol):
    """Gives verdicts."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response for each mapping of attribute name to text, in order."""
        ...


@runtime_checkable
class EarlyScorer(Protocol):
    """A scorer that can begin before it is asked for the verdict: so the network works while records are still being taken."""

    @property
    def seconds_left(self) -> float:
        """How long it is expected to be busy with what was begun so far."""
        ...

    def begin(self, texts: Mapping[str, str]) -> None:
        """Begin; return at once."""
        ...


class Share(NamedTuple):
    """A part of a batch: who decides, and the places of its events."""

    scorer: Scorer
    places: Sequence[int]


@runtime_checkable
class Scorers(Protocol):
    """Models that share the keys, or that may be replaced while the worker runs: who decides is settled a batch at a time."""

    @property
    def seconds_left(self) -> float:
        """How long they are expected to be busy with what was begun so far."""
        ...

    def begin_event(self, record: Record, event: Event) -> None:
        """Begin; return at once."""
        ...

    def divide(self, events: Sequence[tuple[Record, Event]]) -> AbstractContextManager[Sequence[Share]]:
        """Who decides which events; until it is left the same models do, whatever replaces them meanwhile."""
        ...


class Alone:
    """One scorer that decides everything, for as long as the worker runs."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._early = scorer if isinstance(scorer, EarlyScorer) else None

    @property
    def seconds_left(self) -> float:
        """As the scorer says; without an end if it can't begin early."""
        return math.inf if self._early is None else self._early.seconds_left

    def begin_event(self, record: Record, event: Event) -> None:  # noqa: ARG002 - others choose by the record
        """Begin, if the scorer can."""
        if self._early is not None:
            self._early.begin(event.texts)

    def divide(self, events: Sequence[tuple[Record, Event]]) -> AbstractContextManager[Sequence[Share]]:
        """All of it is one share."""
        return nullcontext([Share(self._scorer, range(len(events)))])
