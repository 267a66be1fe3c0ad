"""What the network reads of a text, with the shipped tokenizer: all of it, in windows that fit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import WindowShape
from stream_detector.inference.windowing import TokenizedView, special_tokens, view_windows
from stream_detector.text.view import Normalizer

_SPEC = WindowShape(tokens=128, overlap=32)
_NORMALIZER = Normalizer(["Airbnb"], ["airbnb.com"])

_PIECES = [
    "The flat is bright. ", "Ring +1 206 555 0101! ", "host@sample.example ", "\n", "word", " ", "。", "今天天气很好。", "Schöne Wohnung, ", "5️⃣", "a" * 90,
    "привет ", "😀", "𐎀", "[SEP]", "&amp;", "\u200b", "\ud800", "ε", "\x00", "؟", "0" * 50,
]  # fmt: skip
texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=6), max_size=60).map("".join)


def _cut(text: str, tokenizer: Tokenizer, spec: WindowShape = _SPEC) -> TokenizedView:
    return view_windows(_NORMALIZER.view(text), tokenizer, spec)


@given(text=texts, tokens=st.integers(16, 64), data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_token_is_in_a_window_that_fits(tokenizer: Tokenizer, text: str, tokens: int, data: st.DataObject) -> None:
    """Together the windows hold every token, in order; none is over budget or empty."""
    overlap = data.draw(st.integers(0, tokens - 3))
    cut = _cut(text, tokenizer, WindowShape(tokens=tokens, overlap=overlap))
    assert len(cut.ids) == len(cut.offsets)
    assert all(0 < len(window) <= tokens - 2 for window in cut.windows)
    assert {at for window in cut.windows for at in window} == set(range(len(cut.ids)))
    assert [window.start for window in cut.windows] == sorted({window.start for window in cut.windows})


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_every_letter_and_digit_is_in_a_token(tokenizer: Tokenizer, text: str) -> None:
    """Offsets lie in the view, never go back, and leave out nothing that can be read."""
    view = _NORMALIZER.view(text)
    offsets = view_windows(view, tokenizer, _SPEC).offsets
    assert all(0 <= start < end <= len(view.text) for start, end in offsets)
    assert list(offsets) == sorted(offsets)
    covered = {at for start, end in offsets for at in range(start, end)}
    assert all(at in covered for at, character in enumerate(view.text) if unicodedata.category(character)[0] in "LN")


def test_a_long_text_is_read_whole(tokenizer: Tokenizer) -> None:
    """A hundred thousand characters: the last word is in the last window."""
    text = "The flat is bright and quiet. " * 3333 + "Ring 555-0101"
    cut = _cut(text, tokenizer)
    assert len(text) > 100_000 - 10
    assert cut.windows[-1].stop == len(cut.ids)
    assert cut.offsets[-1][1] == len(text)
    assert {at for window in cut.windows for at in window} == set(range(len(cut.ids)))


@pytest.mark.parametrize("letter", ["a", "я", "α", "é"])
def test_a_word_without_end_is_read(tokenizer: Tokenizer, letter: str) -> None:
    """WordPiece makes one unknown token of a word of over 100 characters; here it is read in parts."""
    word = letter * 500
    cut = _cut(f"so {word} 555", tokenizer)
    assert tokenizer.token_to_id("[UNK]") not in cut.ids
    assert len(cut.ids) > 500 / 40


def test_a_contact_behind_a_long_run_is_read(tokenizer: Tokenizer) -> None:
    """Letters without a space before an address don't hide it."""
    tokens = [tokenizer.id_to_token(number) for number in _cut("x" * 500 + "whatsapp@sample.example", tokenizer).ids]
    assert tokens[-4:] == ["@", "sample", ".", "example"]


def test_digits_are_tokens_of_their_own(tokenizer: Tokenizer) -> None:
    """The shape of a number is plain to see: "555-0101" is seven digits and a dash, in words as well."""
    assert [tokenizer.id_to_token(number) for number in _cut("555-0101 b00k", tokenizer).ids] == [*"555-0101", "b", "0", "0", "k"]


def test_a_text_cannot_name_special_tokens(tokenizer: Tokenizer) -> None:
    """A "[SEP]" in a text is a word in brackets: a producer must not be able to end the window for the network."""
    special = {tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[MASK]", "[PAD]")}
    assert special.isdisjoint(_cut("555 [SEP] 0101 [CLS] [MASK] [PAD]", tokenizer).ids)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\n\n", "<b></b>", "\ud800"])
def test_nothing_to_read_has_no_windows(tokenizer: Tokenizer, text: str) -> None:
    """A text of which nobody sees anything isn't run through the network."""
    assert _cut(text, tokenizer).windows == []


def test_special_tokens_are_the_tokenizers(tokenizer: Tokenizer) -> None:
    """They go before and after each window."""
    first, last = special_tokens(tokenizer)
    assert (tokenizer.id_to_token(first), tokenizer.id_to_token(last)) == ("[CLS]", "[SEP]")


def test_other_families_of_tokenizers_are_refused() -> None:
    """A tokenizer without those tokens is an error that says so."""
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: has no \[CLS\] and \[SEP\]"):
        special_tokens(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
