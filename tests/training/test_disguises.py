"""Disguises: what they hide can still be read, for else the label would be wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.text.view import Normalizer
from stream_detector.training.corpus import address_disguises, disguises, number_disguises, repertoire, writing
from stream_detector.training.corpus.joints import joints
from stream_detector.training.corpus.packs import Pack, packs
from stream_detector.training.corpus.repertoire import Operator

_ALL = {
    operator.__name__: operator
    for table in ("NUMBER", "HARMLESS_NUMBER", "PART", "ADDRESS", "NAME", "BRAND", "PHRASE")
    for operator in getattr(repertoire, f"{table}_OPERATORS")
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
        number_disguises.one_a_line,
        number_disguises.bracketed_notes,
    ],
    ids=lambda operator: operator.__name__,
)
@given(seed=seeds, number=numbers, pack=languages)
def test_digits_survive_in_the_view(normalizer: Normalizer, operator: Operator, seed: int, number: str, pack: Pack) -> None:
    """However a number is grouped or drawn, the network's view holds its digits in order (00 may stand for a plus)."""
    view = normalizer.view(operator(Random(seed), number, pack)).text
    assert re.sub(r"[^0-9]", "", view) in {_digits(number), "00" + _digits(number)}


@pytest.mark.parametrize(
    "operator",
    [
        disguises.woven,
        number_disguises.interleaved,
        number_disguises.starred,
        number_disguises.in_words,
        number_disguises.with_units,
        number_disguises.ordinals,
        number_disguises.one_a_line,
        number_disguises.bracketed_notes,
    ],
    ids=lambda operator: operator.__name__,
)
@given(seed=seeds, number=numbers, pack=languages)
def test_digits_survive_what_is_put_between(operator: Operator, seed: int, number: str, pack: Pack) -> None:
    """Letters, nouns, units, notes and signs around the digits are no digits: those that remain are the number's, in order."""
    assert number_disguises.digits_of(operator(Random(seed), number, pack)) == _digits(number)


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


@given(pack=languages.filter(lambda pack: bool(pack.hundreds)), number=st.integers(100, 999), seed=seeds)
def test_three_digits_are_read_as_hundreds(pack: Pack, number: int, seed: int) -> None:
    """A group of three is its hundred and the word for the rest, joined as the language does."""
    said = disguises.by_hundreds(Random(seed), str(number), pack)
    hundred = pack.hundreds[number // 100 - 1]
    assert said.startswith(hundred)
    rest = said.removeprefix(hundred).removeprefix(pack.hundreds_joiner) if number % 100 else ""
    small = pack.pairs[number % 100 - 10 :][:1] if number % 100 >= 10 else pack.digits[number % 100]
    assert rest in small if number % 100 else said == hundred


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
    table: Mapping[Operator, float] = {disguises.spelled: 0.0, disguises.woven: 1.0}
    assert {repertoire.pick(Random(seed), table) for seed in range(50)} == {disguises.woven}


@given(seed=seeds, number=numbers, pack=languages)
def test_letter_groups_stand_for_their_digits(seed: int, number: str, pack: Pack) -> None:
    """Each letter looks like one digit only."""
    looks = {letter: digit for digit, letters in number_disguises.LETTERS.items() for letter in letters}
    written = number_disguises.letter_groups(Random(seed), number, pack)
    assert _digits("".join(looks.get(character, character) for character in written)) == _digits(number)


@given(seed=seeds, number=numbers, pack=languages)
def test_another_languages_words_spell_the_number(seed: int, number: str, pack: Pack) -> None:
    """Digit for digit in one language, which isn't the text's."""
    written = number_disguises.second_language(Random(seed), number, pack)
    patterns = [
        r"[\s,.-]+".join(f"(?:{'|'.join(map(re.escape, other.digits[int(digit)]))})" for digit in _digits(number))
        for other in packs().values()
        if other.code != pack.code
    ]
    assert any(re.fullmatch(pattern, written) for pattern in patterns)


@given(seed=seeds, number=numbers, pack=languages)
def test_romanised_and_sounding_words_map_back(seed: int, number: str, pack: Pack) -> None:
    """A word stands for one digit in its language, by its sound or by its transcription."""
    tables = [list(map(set, number_disguises.HOMOPHONES.values()))]
    tables += [[{word} for word in words] for words in number_disguises.ROMANISED.values()]
    for operator in (number_disguises.homophones, number_disguises.romanised):
        words = re.split(r"[ ,-]+", operator(Random(seed), number, pack))
        assert any(all(word in table[int(digit)] for word, digit in zip(words, _digits(number), strict=True)) for table in tables)


@pytest.mark.parametrize("words", [*number_disguises.ROMANISED.values()], ids=[*number_disguises.ROMANISED])
def test_transcriptions_are_ten(words: tuple[str, ...]) -> None:
    """No two digits are written alike."""
    assert len(set(words)) == 10


@given(seed=seeds, number=numbers, pack=languages)
def test_emoji_can_be_counted(seed: int, number: str, pack: Pack) -> None:
    """As many as the digit says."""
    groups = number_disguises.counted(Random(seed), number, pack).split(" ")
    assert "".join(group if group.isdigit() else str(len(group)) for group in groups) == _digits(number)


@given(seed=seeds, number=numbers, pack=languages)
def test_keypad_letters_are_on_their_keys(seed: int, number: str, pack: Pack) -> None:
    """Typed on a telephone, the letters dial the number."""
    keys = {letter: digit for digit, letters in number_disguises.KEYPAD.items() for letter in letters}
    assert _digits("".join(keys.get(c, c) for c in number_disguises.keypad(Random(seed), number, pack))) == _digits(number)


@pytest.mark.parametrize(
    "operator",
    [
        address_disguises.told_in_parts,
        address_disguises.described_signs,
        address_disguises.slashed,
        address_disguises.provider_apart,
    ],
    ids=lambda operator: operator.__name__,
)
@given(seed=seeds, pack=languages)
def test_told_addresses_keep_their_names(operator: Operator, seed: int, pack: Pack) -> None:
    """User and provider, in order, whatever describes the signs between (a provider may be cut or capitalised)."""
    assert re.search(r"sample.*m\W{0,2}ail", operator(Random(seed), "sample@mail.example", pack), re.DOTALL | re.IGNORECASE)


@pytest.mark.parametrize(
    "operator",
    [
        address_disguises.spaced_protocol,
        address_disguises.ending_in_words,
        address_disguises.told_in_parts,
        address_disguises.slashed,
    ],
    ids=lambda operator: operator.__name__,
)
@given(seed=seeds, pack=languages)
def test_told_sites_keep_their_names(operator: Operator, seed: int, pack: Pack) -> None:
    """Host and ending, in order; the protocol may be left out or drawn apart."""
    told = operator(Random(seed), "https://www.sample.org", pack)
    assert re.search(r"sample.*o ?r ?g", told, re.DOTALL | re.IGNORECASE)


@given(seed=seeds, pack=languages)
def test_a_cut_address_is_whole_without_its_cuts(seed: int, pack: Pack) -> None:
    """Only spaces, line ends and dashes are added."""
    assert re.sub(r"[\s-]", "", address_disguises.cut_address(Random(seed), "sample@mail.example", pack)) == "sample@mail.example"


def test_accents_go_and_letters_stay() -> None:
    """Letters of every script remain, and one that only looks accented is a letter of its own."""
    bare = writing.unaccented(Random(1), "Réservez à Málaga, Βούλα, мой дом, がん, 카톡, größer", packs()["fr"])
    assert bare == "Reservez a Malaga, Βουλα, мой дом, がん, 카톡, großer"


@given(seed=seeds, pack=languages)
def test_habits_keep_the_words(seed: int, pack: Pack) -> None:
    """No letter is lost but vowels, and those only where they are meant to be."""
    text = "Book with us, sunny flat."
    for operator in (writing.mixed_case, writing.word_signs, writing.unpunctuated, writing.cut_in_two):
        written = operator(Random(seed), text, pack)
        assert "".join(filter(str.isalpha, written)).lower() == "".join(filter(str.isalpha, text)).lower()
    assert re.sub("[aeiou]", "", writing.vowelless(Random(seed), "whatsapp", pack)) == "whtspp"


@given(seed=seeds, pack=languages)
def test_twins_look_the_same_to_the_view(normalizer: Normalizer, seed: int, pack: Pack) -> None:
    """Letters of another script inside a word are read as what they look like."""
    assert normalizer.view(writing.other_script(Random(seed), "watch flats", pack)).text == "watch flats"


@given(pack=languages)
def test_every_language_has_its_joints(pack: Pack) -> None:
    """Words of its own for telling a contact in pieces, none with a digit in it, which would change a number."""
    words = joints(pack)
    assert pack.code == "en" or words is not joints(packs()["en"])
    between = (*words.then, *words.backwards, *words.remove, *words.collect, *words.nouns)
    assert all(between)
    assert not any(character.isdigit() for text in between for character in text)
    assert all(text.count("{}") == 1 for text in (*words.steps, *words.ends, *words.provider))
