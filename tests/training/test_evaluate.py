"""The figures that a model card rests on, counted by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from stream_detector.contracts import Evidence, Kind, Label, ScoreDetails, ScoringResponse, format_probability
from stream_detector.detection import Detector
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.evaluate import Judged, judge, reliability, summarize, worst


def _response(probability: float, *evidence: tuple[int, int, Kind]) -> ScoringResponse:
    return ScoringResponse(
        model_code="SAMPLE",
        model_version="1.0",
        refresh_version="v0",
        probability_score=format_probability(probability),
        model_segment="SUPPLY",
        top_contributor="text",
        score_details=ScoreDetails(
            label=Label.FRAUD if probability >= 0.5 else Label.NON_FRAUD,
            threshold=0.5,
            evidence=tuple(Evidence(attribute="text", start=s, end=e, kind=kind, surface="•") for s, e, kind in evidence),
            windows=1,
            backend="sample",
            latency_ms=1,
        ),
    )


def _judged(
    probability: float,
    *evidence: tuple[int, int, Kind],
    span: tuple[int, int, Kind] | None = None,
    language: str = "en",
    disguises: tuple[str, ...] = (),
    families: tuple[str, ...] = ("numbers",),
) -> Judged:
    spans = (Span(*span),) if span else ()
    return Judged(Sample("x" * 20, spans, language, families, disguises, "sample"), _response(probability, *evidence))


_CASES = [
    _judged(0.9, (5, 12, Kind.PHONE), span=(5, 12, Kind.PHONE)),  # found, in place, of its kind
    _judged(0.8, (0, 6, Kind.URL), span=(5, 12, Kind.PHONE), disguises=("spelled", "spelled"), language="de"),  # another kind
    _judged(0.7, (0, 5, Kind.EMAIL), span=(5, 12, Kind.EMAIL), disguises=("woven",)),  # beside the span
    _judged(0.2, span=(5, 12, Kind.EMAIL)),  # missed
    _judged(0.6, (0, 5, Kind.PHONE)),  # harmless, flagged
    _judged(0.1, families=("numbers", "numbers", "policy")),
    _judged(0.3, families=(), language="de"),
]


def test_figures_are_shares_with_their_counts() -> None:
    """Recall over violations, wrong flags over harmless texts, evidence over the violations that were found."""
    summary = summarize(_CASES)
    assert summary["violationsFound"] == {"share": 0.75, "n": 4}
    assert summary["harmlessWrong"] == {"share": 0.3333, "n": 3}
    assert summary["spanOverlaps"] == {"share": 0.6667, "n": 3}
    assert summary["kindRight"] == {"share": 0.3333, "n": 3}


def test_groups_count_each_sample_once() -> None:
    """A sample with a family or disguise twice is one sample of it; one with several is in each; one with none under none."""
    summary = summarize(_CASES)
    assert summary["foundByKind"] == {"email": {"share": 0.5, "n": 2}, "phone": {"share": 1.0, "n": 2}}
    assert summary["foundByLanguage"] == {"de": {"share": 1.0, "n": 1}, "en": {"share": 0.6667, "n": 3}}
    assert summary["foundByDisguise"] == {
        "none": {"share": 0.5, "n": 2},
        "spelled": {"share": 1.0, "n": 1},
        "woven": {"share": 1.0, "n": 1},
    }
    assert summary["wrongByFamily"] == {
        "none": {"share": 0.0, "n": 1},
        "numbers": {"share": 0.5, "n": 2},
        "policy": {"share": 0.0, "n": 1},
    }
    assert summary["wrongByLanguage"] == {"de": {"share": 0.0, "n": 1}, "en": {"share": 0.5, "n": 2}}


def test_evidence_is_counted_by_group() -> None:
    """Of the violations that were found."""
    summary = summarize(_CASES)
    assert summary["evidenceByKind"] == {
        "email": {"spanOverlaps": 0.0, "kindRight": 0.0, "n": 1},
        "phone": {"spanOverlaps": 1.0, "kindRight": 0.5, "n": 2},
    }
    assert summary["evidenceByLanguage"]["de"] == {"spanOverlaps": 1.0, "kindRight": 0.0, "n": 1}
    assert summary["foundByFamily"] == {"numbers": {"share": 0.75, "n": 4}}


def test_reliability_weighs_for_the_streams_rate() -> None:
    """By hand: two bins of two; at even odds a violation weighs 2 and a harmless text 2/3 of the four."""
    cases = [_judged(0.9, span=(0, 5, Kind.PHONE)), _judged(0.1), _judged(0.1), _judged(0.1)]
    even, rare = (reliability(cases, prior=prior, bins=2) for prior in (0.5, 0.01))
    assert even["expectedCalibrationError"] == pytest.approx((2 / 3 * 0.2 + abs(2 / 3 * 0.1 - 2 * 0.1)) / 4, abs=1e-4)
    assert [row["n"] for row in rare["bins"]] == [2, 2]
    assert rare["bins"][0] == {"n": 2, "probability": 0.1, "violations": 0.0}
    assert reliability(cases[:1], prior=0.5)["expectedCalibrationError"] is None


def test_no_samples_no_share() -> None:
    """A group of nothing has no share rather than a wrong one."""
    assert summarize([])["violationsFound"] == {"share": None, "n": 0}


@pytest.mark.parametrize(
    ("evidence", "found"), [((0, 5), False), ((0, 6), True), ((11, 20), True), ((12, 20), False), ((6, 7), True)], ids=str
)
def test_evidence_counts_where_it_overlaps(evidence: tuple[int, int], found: bool) -> None:  # noqa: FBT001 - a table's column
    """Half-open spans: touching isn't overlapping."""
    assert _judged(0.9, (*evidence, Kind.PHONE), span=(5, 12, Kind.PHONE)).span_found is found


def test_the_worst_are_farthest_from_their_label() -> None:
    """A sure miss and a sure wrong flag come first."""
    assert worst(_CASES, 2) == [_CASES[3], _CASES[4]]
    assert worst(_CASES, 0) == []


def test_judging_keeps_samples_and_responses_together() -> None:
    """Over several calls to the detector, in order."""

    class StandIn:
        """Says the length of each text."""

        calls = 0

        def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
            self.calls += 1
            return [_response(len(group["text"]) / 1000) for group in texts]

    detector: Any = StandIn()
    samples = [Sample("x" * length, (), "en", (), (), "sample") for length in range(600)]
    judged = judge(cast("Detector", detector), samples)
    assert [j.sample for j in judged] == samples
    assert all(j.probability == pytest.approx(len(j.sample.text) / 1000, abs=0.001) for j in judged)
    assert detector.calls == 3
