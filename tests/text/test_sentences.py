"""Where sentences end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.text.windows import sentence_ends


@pytest.mark.parametrize(
    "sentences",
    [
        ["One. ", "Two! ", "Three? ", "Four"],
        ["Really?! ", '"Yes." ', "(No.) ", "Well... ", "So"],
        ["Lines\n", "without stops\n\n \n", "are sentences\n"],
        ["你好。", "再见！", "好吗？", "好"],
        ["Привет. ", "Как дела?"],
        ["هل أنت هنا؟ ", "نعم۔ ", "شكرا."],
        ["नमस्ते। ", "धन्यवाद।"],
        ["We have: ", "• a bed ", "• a desk"],
        ["你好!", "再见?", "好"],
        ["The price is 3.50 for 2.5 km. ", "See www.sample.example or mail host@sample.example."],
        ["Approx. 5 min. walk to St. Peter by Dr. Doe, e.g. via Main rd. and so on. ", "End."],
        ["J. R. Doe lives here. ", "Yes."],
        ["It takes 5 min. ", "The bus is near."],
        ["Noisy? ", "No. ", "It is quiet."],
        ["1. Kitchen with stove\n", "2. Bath"],
        ["Check in at 3 p.m. or later. ", "Bye."],
        ["https://sample.example/?q=1 is a link! ", "Yes"],
        ["We love it...and so will you. ", "Yes"],
    ],
    ids=lambda sentences: sentences[0][:20],
)  # fmt: skip
def test_sentences(sentences: list[str]) -> None:
    """Ends stand behind the white space after each sentence, and nowhere inside one."""
    text = "".join(sentences)
    assert [text[start:end] for start, end in pairwise([0, *sentence_ends(text)])] == sentences


@given(text=st.text(st.sampled_from("ab.A1 !?\n。•…\"')"), max_size=60))
@settings(max_examples=200, deadline=None)
def test_ends_rise_and_cover_the_text(text: str) -> None:
    """Ends are strictly rising and the last is the text's, so cutting there loses nothing."""
    ends = sentence_ends(text)
    assert all(before < behind for before, behind in pairwise([0, *ends]))
    assert ends[-1:] == ([len(text)] if text else [])
