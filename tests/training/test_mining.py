"""Hard examples are those on the wrong side of the threshold, and some of every sort stay."""

from __future__ import annotations

from pathlib import Path

from stream_detector.contracts import Kind
from stream_detector.training.corpus.compose import Composer, Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.mining import hardest


def test_what_a_model_gets_wrong_comes_first(shipped: Path) -> None:
    """Texts labelled against their plain meaning are the hardest; half of what is kept is a random choice of the others."""
    right = list(Composer([], seed=3).samples(60))
    harmless = "Mobile 020 7946 0123, call me any time, or write to anna@example.com."
    wrong = [Sample(f"{harmless} {number}", (), "en", (), (), "wrong") for number in range(5)]
    chosen = hardest(right + wrong, shipped, keep=20, seed=1)
    assert len(chosen) == 20
    assert {sample.text for sample in wrong} <= {sample.text for sample in chosen}
    assert len({sample.text for sample in chosen}) == 20
    assert hardest(right + wrong, shipped, keep=20, seed=1) == chosen


def test_all_are_kept_where_there_are_few(shipped: Path) -> None:
    """Asking for more than there are loses and repeats none."""
    samples = [Sample("A bright flat.", (), "en", (), (), "a"), Sample("Tel 555", (Span(0, 7, Kind.PHONE),), "en", (), (), "b")]
    assert sorted(sample.source for sample in hardest(samples, shipped, keep=10, seed=1)) == ["a", "b"]
