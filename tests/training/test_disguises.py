"""Disguises: what they hide can still be read, for else the label would be wrong."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.text.view import Normalizer
from stream_detector.training.corpus import disguises
from stream_detector.training.corpus.disguises import Operator
from stream_detector.training.corpus.packs import Pack, packs

_ALL = {
    operator.__name__: operator
    for table in ("NUMBER", "PART", "ADDRESS", "NAME", "BRAND", "PHRASE")
    for operator in getattr(disguises, f"{table}_OPERATORS")
}
operators = st.sampled_from([*_ALL.values()])
languages = st.sampled_from([*packs()]).map(packs().__getitem__)
seeds = st.integers(0, 2**32)
numbers = st.from_regex(r"(?:\+1 )?[2-9]\d\d[- .]555[- .]01\d\d", fullmatch=True, alphabet="+ -.0123456789")


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@pytest.mark.parametrize(
    "operator",
    [
        disguises.regrouped,
        disguises.one_by_one,
        disguises.other_digits,
        disguises.invisible,
        disguises.entities,
        disguises.in_parts,
    ],
    ids=lambda operator: operator.__name__,
)
@given(seed=seeds, number=numbers, pack=languages)
def test_digits_survive_in_the_view(normalizer: Normalizer, operator: Operator, seed: int, number: str, pack: Pack) -> None:
    """However a number is grouped or drawn, the network's view holds its digits in order (00 may stand for a plus)."""
    view = normalizer.view(operator(Random(seed), number, pack)).text
    assert re.sub(r"[^0-9]", "", view) in {_digits(number), "00" + _digits(number)}


@given(seed=seeds, number=numbers, pack=languages)
def test_digits_survive_weaving(seed: int, number: str, pack: Pack) -> None:
    """Letters and signs between the digits are no digits."""
    assert _digits(disguises.woven(Random(seed), number, pack)) == _digits(number)


@given(seed=seeds, number=numbers, pack=languages)
def test_backwards_is_backwards(seed: int, number: str, pack: Pack) -> None:
    """The digits in reverse, and a hint in words."""
    assert _digits(disguises.backwards(Random(seed), number, pack)) == _digits(number)[::-1]


@pytest.mark.parametrize("operator", [disguises.spelled, disguises.half_spelled, disguises.repeated], ids=lambda o: o.__name__)
@given(seed=seeds, number=numbers, pack=languages)
def test_words_spell_the_number(operator: Operator, seed: int, number: str, pack: Pack) -> None:
    """Digit for digit: each stands there as itself, as one of its words, or under a word that says how often."""
    often = "|".join(re.escape(word) for word, _ in pack.repeats) or "(?!)"
    runs = []
    for run in re.finditer(r"(\d)\1*", _digits(number)):
        digit = f"(?:{'|'.join(map(re.escape, sorted((run[1], *pack.digits[int(run[1])]), key=len, reverse=True)))})"
        runs.append(rf"(?:(?:(?:{often})\s)?{digit}\W*_?\W*){{1,{len(run[0])}}}")
    assert re.fullmatch(r"(?:\+|plus )?\W*" + "".join(runs), operator(Random(seed), number, pack), re.IGNORECASE)


@given(seed=seeds, digit=st.integers(0, 9), pack=languages)
def test_a_digit_is_one_of_its_words(seed: int, digit: int, pack: Pack) -> None:
    """Spelled alone, a digit is found in the pack's list of that digit and nowhere else."""
    word = disguises.spelled(Random(seed), str(digit), pack)
    forms = [{spelling for form in forms for spelling in (form, form.upper(), form.capitalize())} for forms in pack.digits]
    assert [at for at in range(10) if word in forms[at]] == [digit]


@given(seed=seeds, pair=st.integers(10, 99), pack=languages)
def test_a_pair_is_its_word(seed: int, pair: int, pack: Pack) -> None:
    """Two digits read as one number map back to it."""
    assert pack.pairs.index(disguises.compound(Random(seed), str(pair), pack)) == pair - 10


@given(seed=seeds, pack=languages)
def test_drawn_letters_survive_in_the_view(normalizer: Normalizer, seed: int, pack: Pack) -> None:
    """Mathematical, circled and other letters come back as the plain ones, in one case or the other."""
    drawn = disguises.other_letters(Random(seed), "whatsapp bkmoney", pack)
    assert normalizer.view(drawn).text.lower() == "whatsapp bkmoney"


@given(seed=seeds, pack=languages)
def test_addresses_keep_their_names(seed: int, pack: Pack) -> None:
    """Signs become words or vanish; the names between them stay, in order."""
    for operator in (disguises.worded_address, disguises.spaced_address, disguises.no_ending):
        assert re.search(r"sample.*mail.*example", operator(Random(seed), "sample@mail.example", pack), re.DOTALL)


@given(operator=operators, seed=seeds, pack=languages, text=st.text(max_size=30) | numbers)
def test_any_text_can_be_disguised(operator: Operator, seed: int, pack: Pack, text: str) -> None:
    """Harmless text, in any language and of any length, goes through the same hands; the seed alone decides how."""
    assert operator(Random(seed), text, pack) == operator(Random(seed), text, pack)


def test_choice_follows_the_weights() -> None:
    """An operator without weight is never chosen, one with all of it always."""
    table = {disguises.spelled: 0.0, disguises.woven: 1.0}
    assert {disguises.pick(Random(seed), table) for seed in range(50)} == {disguises.woven}
