"""Seams between attributes: what is read across them, and where a finding there belongs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind, Label
from stream_detector.detection.evidence import Finding
from stream_detector.detection.seams import seams
from tests.detection.stand_in import StandInBackend, detector


def test_a_number_split_over_two_attributes_is_evidence_in_both(backend: StandInBackend) -> None:
    """A contact begun in one field and ended in the next is found, and each field shows its half."""
    group = {"description": "the flat is bright 0 7 7 0 0", "rules": "9 0 0 1 2 3 the flat"}
    (response,) = detector(backend).score([group])
    assert response.score_details.label is Label.FRAUD
    pieces = {e.attribute: group[e.attribute][e.start : e.end] for e in response.score_details.evidence}
    assert pieces == {"description": "0 7 7 0 0", "rules": "9 0 0 1 2 3"}


def test_ordinary_neighbours_are_not_read_twice(backend: StandInBackend) -> None:
    """Most events have no trace at a seam, and must not pay for one."""
    (response,) = detector(backend).score([{"a": "the flat is bright.", "b": "the flat"}])
    assert response.score_details.windows == 2


def test_empty_attributes_between_do_not_hide_a_seam() -> None:
    """An empty field between the halves is no hiding place."""
    (seam,) = seams({"a": "call 0770", "b": " \n", "c": "0900 123"})
    assert (seam.left, seam.right, seam.text) == ("a", "c", "call 0770 0900 123")


@given(st.text(max_size=300), st.text(max_size=300), st.data())
def test_a_finding_goes_back_to_exactly_its_characters(left: str, right: str, data: st.DataObject) -> None:
    """Offsets count in the text as sent, on both sides, whatever the texts hold."""
    texts = {"a": left + " 12 34", "b": "56 78 " + right}
    for seam in seams(texts):
        start = data.draw(st.integers(0, len(seam.text) - 1))
        end = data.draw(st.integers(start + 1, len(seam.text)))
        pieces = {name: texts[name][f.start : f.end] for name, f in seam.divide(Finding(start, end, Kind.PHONE, 1.0))}
        joint = seam.cut - 1
        without_joint = seam.text[start : min(end, joint)] + seam.text[max(start, seam.cut) : end]
        assert "".join(pieces.values()) == without_joint
