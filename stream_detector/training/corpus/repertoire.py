"""Which disguises are used for what, and how often; the weights follow what people do, as far as one can tell.

Numbers, parts of numbers, addresses, names, brands and whole phrases each have theirs. Harmless numbers go through the same
hands as offending ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from stream_detector.training.corpus.address_disguises import (
    cut_address,
    described_signs,
    ending_in_words,
    provider_apart,
    slashed,
    spaced_protocol,
    told_in_parts,
)
from stream_detector.training.corpus.disguises import (
    backwards,
    by_hundreds,
    compound,
    entities,
    flattened,
    half_spelled,
    homoglyphs,
    in_parts,
    invisible,
    leet_digits,
    leet_letters,
    letter_spaced,
    misspelt,
    no_ending,
    one_by_one,
    other_digits,
    other_letters,
    regrouped,
    repeated,
    run_together,
    shouted,
    spaced_address,
    spelled,
    spelled_letters,
    stretched,
    worded_address,
    woven,
)
from stream_detector.training.corpus.holdout import Part, operators_of_part
from stream_detector.training.corpus.number_disguises import (
    bracketed_notes,
    counted,
    homophones,
    in_words,
    interleaved,
    keypad,
    letter_groups,
    one_a_line,
    ordinals,
    romanised,
    second_language,
    starred,
    with_units,
)
from stream_detector.training.corpus.packs import Pack
from stream_detector.training.corpus.writing import (
    cut_in_two,
    mixed_case,
    other_script,
    unaccented,
    unpunctuated,
    vowelless,
    word_signs,
)

Operator = Callable[[Random, str, Pack], str]

NUMBER_OPERATORS: Mapping[Operator, float] = {
    spelled: 5, half_spelled: 4, compound: 2, by_hundreds: 2, repeated: 2, regrouped: 5, one_by_one: 4, leet_digits: 2, woven: 2, other_digits: 3,
    in_parts: 2, backwards: 0.6, invisible: 1, entities: 0.7, interleaved: 2, starred: 2, in_words: 1, one_a_line: 1, with_units: 0.7,
    ordinals: 0.5, bracketed_notes: 1.2, letter_groups: 1.5, second_language: 1.5, romanised: 0.7, homophones: 0.5, counted: 0.3, keypad: 0.3,
}  # fmt: skip
#: The same hands on harmless numbers: more often what a careful or playful person would write, now and then all the rest.
HARMLESS_NUMBER_OPERATORS: Mapping[Operator, float] = {
    **dict.fromkeys(NUMBER_OPERATORS, 0.5),
    spelled: 4, regrouped: 3, other_digits: 3, one_by_one: 2, half_spelled: 1, compound: 1, by_hundreds: 1, repeated: 1, leet_digits: 0.7, invisible: 0.7, starred: 0.7,
    backwards: 0.1, homophones: 0.1, counted: 0.1, keypad: 0.2,
}  # fmt: skip
PART_OPERATORS: Mapping[Operator, float] = {
    spelled: 3, half_spelled: 2, by_hundreds: 0.5, one_by_one: 2, other_digits: 1, interleaved: 0.7, second_language: 0.5, starred: 0.5, letter_groups: 0.5,
}  # fmt: skip
ADDRESS_OPERATORS: Mapping[Operator, float] = {
    worded_address: 7, spaced_address: 5, no_ending: 3, spelled_letters: 1.5, invisible: 1, homoglyphs: 1, other_letters: 1.5, entities: 0.7,
    shouted: 1.5, leet_letters: 0.7, letter_spaced: 1, told_in_parts: 2, described_signs: 1.5, provider_apart: 2.5, ending_in_words: 1.2,
    spaced_protocol: 1, cut_address: 1, slashed: 1,
}  # fmt: skip
NAME_OPERATORS: Mapping[Operator, float] = {
    letter_spaced: 2, spelled_letters: 1, invisible: 1, homoglyphs: 1, other_letters: 2, shouted: 2, leet_letters: 2, worded_address: 2,
    entities: 0.5, stretched: 0.5, described_signs: 0.7, mixed_case: 0.7, told_in_parts: 0.4, cut_address: 0.5,
}  # fmt: skip
BRAND_OPERATORS: Mapping[Operator, float] = {
    stretched: 2, leet_letters: 3, letter_spaced: 2, misspelt: 3, homoglyphs: 1, other_letters: 1.5, shouted: 2, flattened: 2, invisible: 1,
    cut_in_two: 2, vowelless: 1, mixed_case: 1, other_script: 0.7, entities: 0.3,
}  # fmt: skip
PHRASE_OPERATORS: Mapping[Operator, float] = {
    misspelt: 4, flattened: 3, shouted: 3, leet_letters: 3, letter_spaced: 0.7, homoglyphs: 1, other_letters: 1, invisible: 0.7,
    stretched: 1, run_together: 0.7, unaccented: 1.5, unpunctuated: 1, mixed_case: 1, other_script: 1, word_signs: 0.7,
}  # fmt: skip


def pick(rng: Random, operators: Mapping[Operator, float], part: Part = "train") -> Operator:
    """Choose an operator by weight, of those that belong to the part of the data."""
    choice = operators_of_part(rng, operators, part)
    return rng.choices(list(choice), weights=list(choice.values()))[0]
