"""Texts made to be slow: time and size must grow with the length of a text and nothing else.

At these lengths anything quadratic would run into the time limit by hours.
"""

from __future__ import annotations

import pytest

from stream_detector.text.view import Normalizer
from stream_detector.text.windows import sentence_ends, windows

_PIECES = [
    "<", "&", "&#", "&#0", "<!--", "<!-- -->", "<a ", "<a href=", "<b ", "</", "&amp;", "&lt;", " ", "\n", " \n", ".", "…", "a.", "a. ", '!"', "a-",
    "a@", "a。", "a·", "\u0301", "\u0336", "a\u0301\u0301\u0301", "\u200b", "\u202e", "\ufe0f", "😀", "📞", "🇦", "👍🏽", "ﷺ", "½", "аb", "а", "а ", "5О",
    "airbnb", "airbnb-", "airbnb.", "airbnb.com ", "a.airbnb.com@", "http://", "b00king", "ᄒ", "ᄒ\u1161", "ﾊ\uff9e", "\ud800", "href=", "=", "\x00",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", _PIECES, ids=ascii)
def test_repetition_is_read_once(normalizer: Normalizer, piece: str) -> None:
    """A hundred thousand characters of any one thing come back, bounded in size and with every sentence found."""
    text = piece * (100_000 // len(piece))
    view = normalizer.view(text)
    assert len(view.text) <= 10 * len(text)
    ends = sentence_ends(view.text)
    assert ends[-1:] == ([len(view.text)] if view.text else [])


@pytest.mark.timeout(30)
@pytest.mark.parametrize("opening", ["<!--", "<a href='", "&#", "airbnb", "https://", "a.", "«", "а"], ids=ascii)
def test_nothing_looks_ahead_without_end(normalizer: Normalizer, opening: str) -> None:
    """Things that open and never close, each before a long tail."""
    text = (opening + "x" * 50 + " ") * 2000
    assert len(normalizer.view(text).text) >= len(text) // 2


def test_marks_without_end_leave_one_letter(normalizer: Normalizer) -> None:
    """A hundred thousand marks on a letter are the letter, and the map still holds all of them."""
    view = normalizer.view("a" + "\u0301" * 100_000 + "b")
    assert view.text == "ab"
    assert view.to_original(0, 1) == (0, 100_001)


def test_numbers_of_any_length_in_entities(normalizer: Normalizer) -> None:
    """Python refuses to read integers of more than 4,300 digits; a text must not bring that error about."""
    assert normalizer.view("&#" + "0" * 50 + "53;").text == "5"
    assert normalizer.view("&#" + "1" * 10_000 + ";").text.endswith("1;")
    assert normalizer.view("&#99999999;&#xFFFFFF;&#xD800;").text == "\ufffd" * 3


def test_long_texts_are_windowed_whole(normalizer: Normalizer) -> None:
    """A text of 100,000 characters keeps every token: nothing is silently cut off."""
    text = normalizer.view("The flat is bright. Ring the bell! " * 3000).text
    spans = [(at, at + 1) for at, character in enumerate(text) if not character.isspace()]
    covered = [token for window in windows(text, spans, budget=126, overlap=32) for token in window]
    assert covered == [*range(len(spans))]
