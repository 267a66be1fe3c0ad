"""Redaction: texts without what made them Fraud, proved by scoring them again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Evidence, Kind, Label, ScoringResponse
from stream_detector.detection import Detector
from stream_detector.detection.redaction import PLACEHOLDER, Redaction, redact
from stream_detector.settings import Settings
from tests.detection.stand_in import OFFENDING, StandInBackend, detector

WORDS = st.lists(st.sampled_from([*OFFENDING, "the", "flat", "is", "bright.", "\n", "é", "Platform!"]), max_size=40).map(" ".join)


@pytest.fixture(scope="module")
def shipped_detector(shipped: Path) -> Iterator[Detector]:
    """The shipped artefact under default settings."""
    with Detector.load(Settings(model=str(shipped), inference_threads=1)) as loaded:
        yield loaded


def _put_back(texts: Mapping[str, str], redaction: Redaction) -> dict[str, str]:
    """Undo a redaction by what it says of itself."""
    restored = dict(redaction.texts)
    for removal in reversed(redaction.removals):
        text = restored[removal.attribute]
        assert text[removal.at : removal.at + len(PLACEHOLDER)] == PLACEHOLDER
        taken = texts[removal.attribute][removal.start : removal.end]
        restored[removal.attribute] = text[: removal.at] + taken + text[removal.at + len(PLACEHOLDER) :]
    return restored


@given(st.dictionaries(st.sampled_from(["title", "description", "rules"]), WORDS, max_size=3))
def test_what_was_changed_is_said_exactly(texts: dict[str, str]) -> None:
    """Removals in order, apart, inside their texts; put back they give the texts as sent; nothing else was touched."""
    scorer = detector(StandInBackend())
    found = redact(scorer, texts)
    assert _put_back(texts, found) == texts
    for attribute in texts:
        ends = [(removal.start, removal.end) for removal in found.removals if removal.attribute == attribute]
        assert all(start < end for start, end in ends)
        assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))


@given(st.dictionaries(st.sampled_from(["title", "description", "rules"]), WORDS, max_size=3))
def test_clean_means_non_fraud(texts: dict[str, str]) -> None:
    """What is called clean is, by another detector that never saw it; and texts that offend nobody stay as they are."""
    scorer = detector(StandInBackend())
    found = redact(scorer, texts)
    (before,), (after,) = detector(StandInBackend()).score([texts]), detector(StandInBackend()).score([found.texts])
    assert found.clean == (after.score_details.label is Label.NON_FRAUD)
    assert found.clean
    if before.score_details.label is Label.NON_FRAUD:
        assert (found.texts, found.removals, found.rounds) == (texts, (), 1)


@pytest.mark.parametrize(
    ("text", "gone", "kept"),
    [
        ("Lovely flat near the park. My number is 206-555-0142, ring me. Two bedrooms.", "0142", ("Lovely flat near the park.",)),
        ("Write to anna.sample@mail.example before you book. The garden is quiet.", "anna", ("The garden is quiet.",)),
        ("A bright flat. Book on our own website www.sample-stay.example and save the fee.", "sample-stay", ("A bright flat.",)),
        ("Add me on WhatsApp before you book: +1 206 555 0123. The garden is lovely.", "WhatsApp", ("The garden is lovely.",)),
        ("Zwei helle Zimmer. Rufen Sie mich an: +1 206 555 0101.", "0101", ("Zwei helle Zimmer.",)),
        ("Quiet street. Call four one five, five five five, zero one three two, day or night.", "zero one", ("Quiet street.",)),
        ("Welcome! Find us on insta: ｓａｍｐｌｅ．ｓｔａｙ", "ｓａｍｐｌｅ", ("Welcome!",)),
    ],
)
def test_the_shipped_model_is_content_with_the_rest(shipped_detector: Detector, text: str, gone: str, kept: Sequence[str]) -> None:
    """Contacts of every kind are gone, harmless sentences are still there, and the model says NonFraud."""
    found = redact(shipped_detector, {"description": text})
    assert found.clean
    assert gone not in found.texts["description"]
    assert all(sentence in found.texts["description"] for sentence in kept)
    assert shipped_detector.score([found.texts])[0].score_details.label is Label.NON_FRAUD
    assert _put_back({"description": text}, found) == {"description": text}


def test_a_number_split_across_fields_goes_from_both(shipped_detector: Detector) -> None:
    """Neither half may be left behind."""
    texts = {"title": "Sunny flat, ring me: 206 555", "rules": "0123 is how my number ends. No parties."}
    found = redact(shipped_detector, texts)
    assert found.clean
    assert {removal.attribute for removal in found.removals} <= {"title", "rules"}
    assert "555" not in found.texts["title"] or "0123" not in found.texts["rules"]
    assert "No parties." in found.texts["rules"]


class _Stubborn:
    """A scorer that finds everything Fraud and points to the first character, whatever it is given."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Fraud."""
        self.asked += 1
        (response,) = detector(StandInBackend()).score([{"a": "viber"}])
        item = Evidence(attribute="a", start=0, end=1, kind=Kind.HANDLE, surface="x")
        details = response.score_details.model_copy(update={"evidence": (item,) if texts[0]["a"] else ()})
        return [response.model_copy(update={"score_details": details})]


@pytest.mark.parametrize("text", ["The flat is bright. It has a garden. " * 5, "x", ""])
def test_it_says_that_it_could_not(text: str) -> None:
    """Bounded tries, and no claim that the text is clean."""
    scorer = _Stubborn()
    found = redact(scorer, {"a": text})
    assert not found.clean
    assert found.rounds == scorer.asked <= 8
    assert _put_back({"a": text}, found) == {"a": text}


def test_a_sentence_goes_where_its_evidence_is_not_enough() -> None:
    """What is left around a placeholder and still offends takes its sentence along, and no other."""

    class Wary(_Stubborn):
        def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
            text = texts[0]["a"]
            if "Ring" not in text:
                return detector(StandInBackend()).score([{"a": "the flat"}])
            (response,) = super().score(texts)
            at = text.index(PLACEHOLDER) if PLACEHOLDER in text else text.index("77")
            item = Evidence(attribute="a", start=at, end=at + 2, kind=Kind.PHONE, surface="77")
            return [response.model_copy(update={"score_details": response.score_details.model_copy(update={"evidence": (item,)})})]

    found = redact(Wary(), {"a": "A bright flat. Ring 7700 now. A garden."})
    assert found.texts == {"a": f"A bright flat. {PLACEHOLDER} A garden."}
    assert [(removal.start, removal.end, removal.kind) for removal in found.removals] == [(15, 29, Kind.PHONE)]
    assert found.clean
