"""The worst examples: said why, and shown without the contact."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer

from stream_detector.contracts import Evidence, Kind, Label, ScoreDetails, ScoringResponse, format_probability
from stream_detector.inference.artefact import WindowShape
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.evaluate import Judged, summarize
from stream_detector.training.worst import explain_worst, window_cuts

_TEXT = "Flat 12 by the sea. Ring us on +1 206 555 0101 any day. The view is wide."
_SPAN = Span(31, 46, Kind.PHONE)


def _judged(probability: float, *, spans: Sequence[Span] = (), disguises: tuple[str, ...] = (), language: str = "en") -> Judged:
    evidence = (Evidence(attribute="text", start=5, end=7, kind=Kind.PHONE, surface="•"),) if probability >= 0.5 else ()
    details = ScoreDetails(
        label=Label.FRAUD if probability >= 0.5 else Label.NON_FRAUD,
        threshold=0.5,
        evidence=evidence,
        windows=1,
        backend="sample",
        latency_ms=1,
    )
    response = ScoringResponse(
        model_code="SAMPLE",
        model_version="1.0",
        refresh_version="v0",
        probability_score=format_probability(probability),
        model_segment="SUPPLY",
        top_contributor="text",
        score_details=details,
    )
    return Judged(Sample(_TEXT, tuple(spans), language, ("numbers",), disguises, "sample"), response)


_MISSED = _judged(0.001, spans=[_SPAN], disguises=("vowelless",))
_FLAGGED = _judged(0.9)


def _explain(judged: Sequence[Judged], cuts: Sequence[int] = ()) -> list[str]:
    return [example.line() for example in explain_worst(judged, summarize(judged), lambda _: cuts)]


def test_a_miss_is_explained() -> None:
    """What it is, what it was never trained on, and what it has in common with other misses."""
    others = [_judged(0.9, spans=[_SPAN], language="de") for _ in range(20)]
    line = _explain([*others, *[_MISSED] * 10])[0]
    assert "violation en: missed: phone; vowelless is kept from training" in line
    assert "weakest group" in line
    assert "0% of 10 found" in line


def test_a_wrong_flag_is_explained() -> None:
    """As what it was flagged."""
    assert "harmless en: flagged as phone" in _explain([_FLAGGED])[0]


def test_contacts_are_masked() -> None:
    """The place, and every number around it; what is kept holds no text at all."""
    for judged in (_MISSED, _FLAGGED):
        example = explain_worst([judged], summarize([judged]), lambda _: [])[0]
        assert "0101" not in example.excerpt
        assert "12" not in example.excerpt
        assert "sea" in example.excerpt
        assert not any("sea" in str(value) for value in example.to_row().values())


@pytest.mark.parametrize(
    ("cuts", "nearest", "words"),
    [
        ((), None, ""),
        ((40,), 0, "a window is cut inside it"),
        ((20, 70), 11, "nearest cut 11 characters away"),
        ((46,), 0, "at its edge"),
    ],
)
def test_the_nearest_cut_is_named(cuts: tuple[int, ...], nearest: int | None, words: str) -> None:
    """A contact that two windows share is seen whole by neither."""
    (example,) = explain_worst([_MISSED], summarize([_MISSED]), lambda _: cuts)
    assert example.nearest_cut == nearest
    assert words in example.reason


def test_cuts_are_the_detectors(tokenizer: Tokenizer, normalizer: Normalizer) -> None:
    """Offsets of the text as it was sent, one fewer than windows."""
    cuts = window_cuts(normalizer, tokenizer, WindowShape(tokens=16, overlap=4))
    assert cuts("Short.") == []
    found = cuts(_TEXT)
    assert found
    assert all(0 < cut < len(_TEXT) for cut in found)
