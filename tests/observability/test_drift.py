"""Drift: what is seen of texts, held against the reference; by chance alone nothing is found, and a shift is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.observability import Metrics
from stream_detector.observability.drift import (
    ANOTHER,
    SIGNALS,
    WATCH,
    DriftSampler,
    Judged,
    Reference,
    bins_of,
    stability_index,
    tally,
)

Draw = Callable[[Random], Judged]

_KINDS = ("phone", "email", "url", "handle", "messenger", "payment", "solicitation", "none")


def usual(rng: Random) -> Judged:
    """A text of the kind that the model was made with: one in ten offends, so that few of them say enough about kinds."""
    offends = rng.random() < 0.1
    probability = rng.betavariate(6, 2) if offends else rng.betavariate(0.3, 30)
    opening = rng.choices(("A bright flat", "Gemütliche Wohnung für fünf", "Φωτεινό διαμέρισμα"), (70, 25, 5))[0]
    kinds = rng.choices(_KINDS, (30, 15, 20, 10, 10, 5, 8, 2))[:1] if offends else ()
    return Judged(opening, int(rng.lognormvariate(5, 1)) + 1, probability, kinds)


def surer(rng: Random) -> Judged:
    """The same texts, but the model can't tell any more."""
    return usual(rng)._replace(probability=rng.betavariate(2, 2))


def longer(rng: Random) -> Judged:
    """Somebody joins the fields."""
    text = usual(rng)
    return text._replace(length=text.length * 5)


def elsewhere(rng: Random) -> Judged:
    """A new market writes in another script."""
    text = usual(rng)
    return text._replace(head="駅の近くの明るいアパートです") if rng.random() < 0.4 else text


def otherwise(rng: Random) -> Judged:
    """Whoever gave phone numbers gives handles."""
    text = usual(rng)
    return text._replace(kinds=["handle"] if text.kinds else ())


@cache
def reference(texts: int = 6_000) -> Reference:
    """Made of usual texts."""
    rng = Random(1)
    return Reference(source="drawn", counts=tally(usual(rng) for _ in range(texts)))


def indices(draw: Draw, seed: int, texts: int = 6_000) -> dict[str, float]:
    """The index of each signal, from the metrics of a process that scores such texts and is scraped now and then."""
    metrics, rng, of = Metrics(), Random(seed), reference()
    sampler = DriftSampler(metrics.drift_texts, metrics.drift_reference, random=Random(seed))
    sampler.hold_against(of)
    for number in range(texts):
        text = draw(rng)
        sampler.note(text.head.ljust(text.length), text.probability, text.kinds)
        if number % 100 == 99:
            sampler.fold()
    counts = counted(metrics)
    return {signal: stability_index(of.shares(signal), counts[signal]) for signal in SIGNALS}


def counted(metrics: Metrics) -> Mapping[str, Mapping[str, float]]:
    """What the counter says, by signal and bin."""
    (family,) = metrics.drift_texts.collect()
    found: dict[str, dict[str, float]] = {signal: {} for signal in SIGNALS}
    for sample in family.samples:
        if sample.name.endswith("_total"):
            found[sample.labels["signal"]][sample.labels["bin"]] = sample.value
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_same_texts_do_not_drift(seed: int) -> None:
    """Nothing but chance: every signal stays below the index at which somebody looks."""
    found = indices(usual, seed)
    assert all(index < WATCH for index in found.values()), found


@pytest.mark.parametrize(
    ("draw", "signal"), [(surer, "score"), (longer, "length"), (elsewhere, "writing"), (otherwise, "kind")], ids=str
)
@pytest.mark.parametrize("seed", range(3))
def test_a_shift_is_told_by_its_signal(draw: Draw, signal: str, seed: int) -> None:
    """The signal that was shifted says that it is another population, and the others don't."""
    found = indices(draw, seed)
    assert found.pop(signal) > ANOTHER
    assert all(index < WATCH for index in found.values()), found


def test_the_index_is_that_of_the_textbooks() -> None:
    """(0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5), whatever the counts; 0 for the same shares."""
    expected = {"a": 0.5, "b": 0.5}
    assert stability_index(expected, {"a": 60, "b": 40}) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    assert stability_index(expected, {"a": 7, "b": 7}) == 0
    assert stability_index(expected, {"a": 5}) == pytest.approx(0.5 * math.log(2) - 0.499 * math.log(0.002))
    assert math.isnan(stability_index(expected, {}))


def test_what_is_kept_is_a_fair_sample() -> None:
    """Of 2,000 texts between two scrapes 64 are kept, from the beginning, the middle and the end alike; they count for all."""
    metrics = Metrics()
    sampler = DriftSampler(metrics.drift_texts, metrics.drift_reference, kept=64, random=Random(3))
    for _ in range(20):
        for number in range(2_000):
            sampler.note("x" * (20, 40, 80, 150)[number // 500], 0.5, ())
        sampler.fold()
    lengths = counted(metrics)["length"]
    totals = [lengths[edge] for edge in ("25", "50", "100", "200")]
    assert sum(totals) == pytest.approx(40_000)
    # Each is a quarter of 1,280 draws: within five standard deviations.
    assert all(abs(total / 40_000 - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 1_280) for total in totals)


def test_a_reference_that_is_missing_or_foreign_breaks_nothing() -> None:
    """Texts are counted, and the gauge has no series: no index, no alert."""
    for missing in (
        None,
        Reference(source="", counts={}),
        Reference(source="", counts={"score": {"low": 3, "high": 4}, "taste": {}}),
    ):
        metrics = Metrics()
        metrics.drift.hold_against(missing)
        metrics.drift.note("A bright flat", 0.01, ())
        text = metrics.render().decode()
        assert 'stream_detector_drift_texts_total{bin="25",signal="length"} 1.0' in text
        assert "stream_detector_drift_reference_share{" not in text


def test_another_model_brings_its_own_reference() -> None:
    """A swap to a model without one takes the old one's shares away."""
    metrics = Metrics()
    metrics.drift.hold_against(reference(1000))
    assert 'drift_reference_share{bin="latin",signal="writing"} 0.' in metrics.render().decode()
    metrics.drift.hold_against(None)
    assert "drift_reference_share{" not in metrics.render().decode()


def test_every_bin_is_told_from_the_beginning() -> None:
    """A bin whose first text makes its series would have that text lost to Prometheus's increase()."""
    metrics = Metrics()
    metrics.drift.hold_against(reference(1000))
    assert {signal: set(bins) for signal, bins in counted(metrics).items()} == {
        signal: set(bins) for signal, bins in SIGNALS.items()
    }


@given(
    text=st.text(max_size=50),
    length=st.integers(0, 10**7),
    probability=st.floats(0, 1),
    kinds=st.lists(st.sampled_from(_KINDS), unique=True),
)
def test_any_text_falls_into_known_bins(text: str, length: int, probability: float, kinds: Sequence[str]) -> None:
    """Labels are bounded whatever comes."""
    pairs = bins_of(Judged(text, length, probability, kinds))
    assert [signal for signal, _ in pairs] == ["score", "length", "writing", *["kind"] * len(kinds)]
    assert all(each in SIGNALS[signal] for signal, each in pairs)
