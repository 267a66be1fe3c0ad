"""The way back from the view to the original: evidence offsets stand and fall with it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.text.mapping import Edit, MappedText
from stream_detector.text.marks import _UNSEEN
from stream_detector.text.view import Normalizer

_FRAGMENTS = [
    "call me", " ", "\r\n", "\n", "<b>", "</b>", "<br>", "&amp;", "&#53;", "&amp;amp;", "<a href='https://sample.example'>", "<", "&",
    "аirbnb", "gmаil.com", "Airbnb", "https://www.airbnb.com/rooms/1", "İ", "ａｂｃ", "５５５", "5️⃣", "📞", "👍🏽", "👩‍👩‍👧", "🇬🇧", "①", "🅰",
    "e\u0301", "o\u0336", "\u0301\u0301\u0301", "\u200b", "\u202e", "\ufeff", "한", "ﾊﾞ", "ﷺ", "ﬁ", "½", "…", "。", "·", "с", "привет", "微信", "नमस्ते", "\ud800",
]  # fmt: skip
texts = st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=4), max_size=25).map("".join)
relaxed = settings(max_examples=100, deadline=None)


@given(text=texts)
@relaxed
def test_spans_lie_in_the_original_and_never_go_back(normalizer: Normalizer, text: str) -> None:
    """Every character of the view comes from a non-empty span of the original, and later ones from no earlier spans."""
    view = normalizer.view(text)
    assert len(view.starts) == len(view.ends) == len(view.text)
    spans = [view.to_original(at, at + 1) for at in range(len(view.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)


@given(text=texts)
@relaxed
def test_only_unseen_characters_are_lost(normalizer: Normalizer, text: str) -> None:
    """What no character of the view stands for was invisible: nothing that can be read disappears from the map."""
    text = text.replace("<", "").replace("&", "")
    view = normalizer.view(text)
    kept = {at for start, end in zip(view.starts, view.ends, strict=True) for at in range(start, end)}
    assert all(_UNSEEN.match(character) or character in "™℠" for at, character in enumerate(text) if at not in kept)


@given(before=texts, behind=texts)
@relaxed
def test_an_unchanged_word_maps_to_itself(normalizer: Normalizer, before: str, behind: str) -> None:
    """A word that nothing happens to is found in the original where it stands, whatever happens around it."""
    word = "qzqzq"
    text = f"{before.replace('<', '')} {word} {behind}"
    view = normalizer.view(text)
    at = view.text.index(word)
    start, end = view.to_original(at, at + len(word))
    assert (start, end) == (text.index(word), text.index(word) + len(word))


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&<@"), max_size=200))
@relaxed
def test_plain_text_costs_no_map(text: str) -> None:
    """Text with nothing to do is returned as it is, with ranges for a map."""
    view = Normalizer([], []).view(text)
    assert view.text == text
    assert view.starts == range(len(text))
    assert view.ends == range(1, len(text) + 1)


@given(text=texts)
@relaxed
def test_the_view_of_a_view_says_the_same(normalizer: Normalizer, text: str) -> None:
    """Normalizing twice changes no letters or digits beyond the first time (escapes may be nested deeper than we go)."""
    text = text.replace("&", "").replace("<", "")
    once = normalizer.view(text).text
    assert normalizer.view(once).text == normalizer.view(normalizer.view(once).text).text
    assert not any(unicodedata.category(character) in {"Nd", "Zs"} and not character.isascii() for character in once)


@pytest.mark.parametrize(
    ("text", "piece", "span"),
    [
        ("Call \u200b５５５-0101", "555", (6, 9)),
        ("a &amp; b", "&", (2, 7)),
        ("<b>55</b>5", "555", (3, 10)),
        ("Cafe\u0301!", "é", (3, 5)),
        ("on а1rbnb now", "Platform", (3, 9)),
        ("ring 📞 me", "phone", (5, 6)),
        ("5\ufe0f\u20e35\ufe0f\u20e3", "55", (0, 6)),
        ("see https://www.airbnb.com/rooms/1", "Platform/rooms/1", (4, 34)),
    ],
)
def test_known_spans(normalizer: Normalizer, text: str, piece: str, span: tuple[int, int]) -> None:
    """A piece of the view leads to exactly the characters that it was made of."""
    view = normalizer.view(text)
    at = view.text.index(piece)
    assert view.to_original(at, at + len(piece)) == span


def test_empty_spans_are_points(normalizer: Normalizer) -> None:
    """An empty span maps to a point, at the end of the view to the end of the original."""
    view = normalizer.view("\u200ba\u200b")
    assert view.to_original(0, 0) == (1, 1)
    assert view.to_original(1, 1) == (3, 3)
    assert normalizer.view("").to_original(0, 0) == (0, 0)


@pytest.mark.parametrize("span", [(-1, 1), (0, 4), (2, 1)])
def test_spans_outside_the_view_are_refused(normalizer: Normalizer, span: tuple[int, int]) -> None:
    """A span that isn't one is an error, not a wrong offset."""
    with pytest.raises(IndexError, match="outside the view of 3 characters"):
        normalizer.view("abc").to_original(*span)


def test_maps_compose() -> None:
    """Edits of edited text lead back to the first text."""
    once = MappedText.identity("abcdef").rewrite([Edit(1, 3, "XYZ")])
    twice = once.rewrite([Edit(0, 2, "-"), Edit(5, 5 + 1, "")])
    assert twice.text == "-YZdf"
    assert [*zip(twice.starts, twice.ends, strict=True)] == [(0, 3), (1, 3), (1, 3), (3, 4), (5, 6)]
