"""The worker has events begun as it takes them, if the scorer can begin before it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError

import pytest

from stream_detector.contracts import Event, ScoringResponse, decode
from stream_detector.observability import Metrics, Readiness
from stream_detector.settings import Settings
from stream_detector.streaming import Record, Worker
from tests.kafka.stand_in import StandInScorer
from tests.kafka.traffic import event

RECORD = Record("listing-updates", 0, 0, b"L-1", event(1, text="A quiet flat"))
EVENT = decode(Event, RECORD.value or b"")


class _Early(StandInScorer):
    """Remembers what was begun."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__()
        self.seconds_left = seconds_left
        self.begun: list[Mapping[str, str]] = []

    def begin(self, texts: Mapping[str, str]) -> None:
        """Begin, or fail on what can't be read."""
        self.begun.append(texts)
        if "poison" in texts.values():
            raise ZeroDivisionError


def _worker(scorer: StandInScorer) -> Worker:
    return Worker(Settings(promise_ms=250), scorer, Metrics(), Readiness())


@pytest.mark.parametrize(("seconds_left", "begun"), [(0.0, 1), (0.24, 1), (0.25, 0), (9.0, 0)])
def test_it_begins_while_the_network_has_little_to_do(seconds_left: float, begun: int) -> None:
    """No more is begun ahead than the promise's worth: were the partition taken away, it would be for nothing."""
    scorer = _Early(seconds_left)
    _worker(scorer)._begin(RECORD, EVENT)
    assert scorer.begun == [EVENT.texts] * begun


def test_what_fails_early_is_left_to_its_batch() -> None:
    """There it becomes a dead letter; the loop must not end for it."""
    scorer = _Early(0.0)
    _worker(scorer)._begin(RECORD, decode(Event, event(2, text="poison")))
    assert len(scorer.begun) == 1


def test_a_scorer_that_can_not_begin_is_only_asked_for_verdicts() -> None:
    """Nothing but `score` is required of it."""
    scorer = StandInScorer()
    _worker(scorer)._begin(RECORD, EVENT)
    assert scorer.calls == []


class _Closed(StandInScorer):
    """A model that was closed while its network had work in hand."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """Nothing."""
        raise CancelledError


def test_work_cut_short_is_nobodys_dead_letter() -> None:
    """A model that is closed under a batch says nothing of its events: they are read again, not set aside."""
    with pytest.raises(CancelledError):
        _worker(_Closed())._judge([(RECORD, EVENT)])
