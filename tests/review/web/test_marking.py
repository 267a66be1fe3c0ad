"""Texts as pages show them: nothing lost, nothing that acts, every character with its place."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.review.web.marking import Gap, Marked, Piece, mark, mark_excerpt, plain
from stream_detector.review.web.rendering import shown

TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\u200b\u202e\u2066\0\x1b<>&\"'\u0301🏠"), max_size=60)
MARKS = st.lists(st.builds(Marked, st.integers(0, 70), st.integers(0, 70), st.sampled_from(Kind)), max_size=5)


@given(TEXTS, MARKS)
def test_every_character_is_shown_once_in_its_place(text: str, marks: list[Marked]) -> None:
    """However marks overlap; an unseen character by its name, all others as they are."""
    at = 0
    for piece in mark(text, marks):
        for run in piece.runs:
            assert run.at == at
            if run.unseen:
                assert run.text == f"U+{ord(text[at]):04X}"
                at += 1
            else:
                assert text.startswith(run.text, at)
                at += len(run.text)
        inside = {one.kind for one in marks if one.start < one.end and one.start <= piece.runs[0].at < one.end}
        assert set(piece.kinds) == inside
    assert at == len(text)


@given(TEXTS)
def test_nothing_shown_acts(text: str) -> None:
    """No control, no turned direction, no markup, and what can be written as UTF-8."""
    page = str(shown(text))
    page.encode()
    rendered = page.replace("\n", "").replace("\t", "")
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in rendered)
    assert not set(rendered) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff")
    assert "<script" not in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("09\u200d9", "09⟨U+200D⟩9"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
    ],
)
def test_joiners_stay_where_they_belong(text: str, expected: str) -> None:
    """Emoji and Persian need them; between digits they only hide."""
    assert plain(text) == expected


def test_long_texts_leave_out_what_is_far_from_evidence() -> None:
    """What is left out is counted, and evidence that lies close together is shown in one piece."""
    text = "x" * 50_000
    found = mark_excerpt(text, [Marked(20_000, 20_010, Kind.PHONE), Marked(20_500, 20_510, Kind.EMAIL)])
    assert [one.characters for one in found if isinstance(one, Gap)] == [19_200, 29_090]
    shown_characters = sum(len(run.text) for one in found if isinstance(one, Piece) for run in one.runs)
    assert shown_characters + 19_200 + 29_090 == 50_000
