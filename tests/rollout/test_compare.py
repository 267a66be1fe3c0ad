"""Comparing two models: the figures, and that no contact is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Label
from stream_detector.errors import DecodeError
from stream_detector.rollout.compare import Comparison, Example, compare, excerpt
from stream_detector.text.masking import MASK
from tests.detection.stand_in import StandInBackend, detector


def _compared(*lines: tuple[str, Label | None], base: float = 0.5, candidate: float = 0.99) -> Comparison:
    found = Comparison()
    batch = [(number, Example(text=text, label=label)) for number, (text, label) in enumerate(lines, 1)]
    models = (detector(StandInBackend(), threshold=threshold) for threshold in (base, candidate))
    compare(*models, batch, found)
    return found


LINES = (("the flat is bright", Label.NON_FRAUD), ("viber 0", Label.FRAUD), ("cash", Label.FRAUD), ("hint", Label.NON_FRAUD))


def test_flips_are_told_with_who_is_right() -> None:
    """The stand-in is sure of viber, less so of cash and of a hint: a stricter candidate loses a find and a false alarm."""
    found = _compared(*LINES)
    assert [(flip.line, flip.fraud_by, flip.right) for flip in found.flips] == [(3, "base", "base"), (4, "base", "candidate")]
    assert found.agreement == 0.5


def test_recall_and_wrong_calls_follow_from_the_labels() -> None:
    """Of two violations the candidate misses one; the base is wrong once. Neither is simply better, so it is worse."""
    found = _compared(*LINES)
    assert (found.base.recall, found.base.wrong, found.candidate.recall, found.candidate.wrong) == (1.0, 1, 0.5, 0)
    assert found.worse
    assert not _compared(*LINES, candidate=0.5).worse
    assert not _compared(LINES[0], LINES[1], LINES[3]).worse


def test_without_labels_there_is_no_recall() -> None:
    """And nothing to be worse by."""
    found = _compared(("viber", None))
    assert (found.labelled, found.base.recall, found.worse) == (0, None, False)


def test_nothing_at_all() -> None:
    """An empty file agrees, with quantiles of 0."""
    found = Comparison()
    assert (found.agreement, set(found.quantiles().values()), found.speed) == (1.0, {0.0}, 1.0)


def test_scores_that_move_are_told_by_quantiles() -> None:
    """The same network: nothing moves."""
    assert set(_compared(*LINES).quantiles().values()) == {0.0}
    assert list(_compared(*LINES).quantiles()) == ["0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"]


@given(st.integers(0, 30), st.sampled_from(["206 555 0101", "host@sunny.example", "https://sunny.example/x", "wa.me/12065550101"]))
def test_no_contact_is_shown(words: int, contact: str) -> None:
    """Not even one that neither model's evidence holds: who reads a comparison need not see it."""
    text = "the flat is bright " * words + f"viber {contact} the flat"
    found = _compared((text, None), base=0.5, candidate=0.9999)
    (flip,) = found.flips
    assert MASK in flip.excerpt
    assert contact not in flip.excerpt
    assert not any(part in flip.excerpt for part in ("555", "sunny", "0101"))


def test_an_excerpt_begins_near_what_offends() -> None:
    """A long text isn't shown from its beginning."""
    found = _compared(("the flat is bright . " * 60 + "viber", None), candidate=0.9999)
    assert found.flips[0].excerpt.startswith("…")
    assert "v•••" in found.flips[0].excerpt


def test_a_line_without_a_text_is_refused() -> None:
    """With the field's name and the remedy."""
    with pytest.raises(DecodeError, match="text: is required"):
        _ = Example(label=Label.FRAUD).texts
    assert Example(attributes={"a": "x", "b": None}).texts == {"a": "x"}


def test_an_excerpt_of_nothing() -> None:
    """Verdicts that name no attribute leave nothing to show."""
    (response,) = detector(StandInBackend()).score([{}])
    assert excerpt({}, response) == ""
