"""The language packs: complete in every language, and nothing that only one side of the label knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from stream_detector.contracts import Kind
from stream_detector.errors import ConfigurationError
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.packs import Pack, Segment, Template, packs, parse_template, world

_LANGUAGES = ["ar", "de", "el", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh"]
_LOOKALIKES = {"numbers", "transport", "platform", "third_party", "brands", "policy", "spelled"}
_SLOT = re.compile(r"\{([a-z_]+)\}")
_CONTACTS = {"phone", "phone_start", "phone_end", "email", "url", "account"}


@pytest.fixture(params=_LANGUAGES)
def pack(request: pytest.FixtureRequest) -> Pack:
    """Each pack in turn."""
    return packs()[request.param]


def _templates(pack: Pack) -> Iterator[Template]:
    for family in (*pack.violations.values(), *pack.lookalikes.values(), pack.clean):
        yield from family


def _slots(template: Template) -> set[str]:
    return {slot for segment in template.segments for slot in _SLOT.findall(segment.template)}


def test_sixteen_languages_load() -> None:
    """Each file is a pack under its language's code."""
    assert list(packs()) == _LANGUAGES
    assert all(pack.code == code for code, pack in packs().items())


def test_numbers_can_be_read_aloud(pack: Pack) -> None:
    """Ten digits with a word or more each, and a word for each pair from 10 to 99, no two alike."""
    assert len(pack.digits) == 10
    assert all(forms and all(form.strip() for form in forms) for forms in pack.digits)
    assert len(pack.pairs) == len(set(pack.pairs)) == 90


def test_words_of_digits_are_unambiguous(pack: Pack) -> None:
    """A word that stands for two digits would make a number that nobody can ring."""
    digit_of = {form.casefold(): digit for digit, forms in enumerate(pack.digits) for form in forms}
    assert all(digit_of[form.casefold()] == digit for digit, forms in enumerate(pack.digits) for form in forms)


def test_there_is_something_to_choose_from(pack: Pack) -> None:
    """Lists that fillers and disguises choose from; an empty one would stop the corpus halfway."""
    lists = (pack.at, pack.dot, pack.dash, pack.underscore, pack.first_names, pack.words, pack.phones, pack.domains, pack.clean)
    assert all(entries and all(entries) for entries in lists)
    assert all(times in {2, 3} for _, times in pack.repeats)


def test_made_up_words_carry_no_digits(pack: Pack) -> None:
    """They are woven through numbers, and a digit in them would change the number."""
    assert not [word for word in pack.words if re.search(r"\d", word)]


def test_phone_numbers_vary(pack: Pack) -> None:
    """Each is a pattern with open digits: a number that stands fixed could be somebody's, and would be learnt by heart."""
    assert all("#" in pattern for pattern in pack.phones)
    assert all(7 <= sum(character.isdigit() or character == "#" for character in pattern) <= 15 for pattern in pack.phones)


def test_every_family_is_there_on_both_sides(pack: Pack) -> None:
    """Each kind of violation and each family of look-alikes: a language without one would be judged by its language."""
    assert set(pack.violations) == set(Kind)
    assert set(pack.lookalikes) == _LOOKALIKES
    assert all(len(family) >= 3 for family in (*pack.violations.values(), *pack.lookalikes.values()))


def test_the_label_is_where_it_belongs(pack: Pack) -> None:
    """Every violation marks what offends; look-alikes and clean sentences mark nothing."""
    assert all(template.is_violation for family in pack.violations.values() for template in family)
    assert not any(template.is_violation for family in (*pack.lookalikes.values(), pack.clean) for template in family)


def test_only_known_slots_are_used(pack: Pack) -> None:
    """A misspelt slot would stop the corpus halfway."""
    assert not {slot for template in _templates(pack) for slot in _slots(template)} - {
        name.removeprefix("_") for name in dir(Fillers) if re.fullmatch(r"_[a-z][a-z_]*", name)
    }


def test_tags_and_braces_are_balanced(pack: Pack) -> None:
    """What is left of a template without its slots holds no braces and no tags: none was left open or misspelt."""
    plain = [_SLOT.sub("", segment.template) for template in _templates(pack) for segment in template.segments]
    assert not [text for text in plain if re.search(r"[{}]|</?[a-z]+>", text)]


def test_contacts_offend_and_look_alikes_have_their_own_slots(pack: Pack) -> None:
    """A contact outside a tag would be a violation that is called harmless (names of pages may be a third party's)."""
    loose = [
        segment.template
        for template in _templates(pack)
        for segment in template.segments
        if segment.kind is None and _CONTACTS & {*_SLOT.findall(segment.template)}
    ]
    assert loose == []


def test_others_contacts_are_harmless_in_every_language(pack: Pack) -> None:
    """A number, a site and an app name are no violation by themselves: each language has them on the harmless side too."""
    harmless = {slot for family in pack.lookalikes.values() for template in family for slot in _slots(template)}
    offending = {slot for family in pack.violations.values() for template in family for slot in _slots(template)}
    assert {"third_phone", "third_url", "app", "platform", "registration", "number"} <= harmless
    assert {"phone", "email", "url", "handle", "messenger", "transfer"} <= offending


def test_most_platforms_of_the_corpus_are_one_neutral_word(normalizer: Normalizer) -> None:
    """The model learns what is harmless about the platform from the word that the view puts for its names."""
    names = [Fillers(Random(seed), packs()["en"], world()).fill("platform") for seed in range(400)]
    assert sum(normalizer.view(f"message me on {name} please").text == "message me on Platform please" for name in names) > 200


def test_the_world_is_complete() -> None:
    """Services everywhere and in each language, by names that aren't empty."""
    brands = (*world().messengers, *world().social, *world().transfers)
    assert all(brand.names and all(brand.names) for brand in brands)
    assert {language for brand in brands for language in brand.languages} <= {*_LANGUAGES, "*"}
    assert all("*" in {language for brand in kind for language in brand.languages} for kind in (world().messengers, world().social))


def test_a_template_is_split_at_its_tags() -> None:
    """Each stretch with its kind, in order, nothing lost."""
    template = parse_template("Ring <phone>{phone}</phone> or\n<email>{email}</email>", "phone")
    assert template.segments == (
        Segment("Ring ", None),
        Segment("{phone}", Kind.PHONE),
        Segment(" or\n", None),
        Segment("{email}", Kind.EMAIL),
    )
    assert template.is_violation
    assert not parse_template("no tag", "clean").is_violation


def test_an_unknown_tag_is_refused() -> None:
    """With the template and the tags that there are."""
    with pytest.raises(ConfigurationError, match=r"<b> is no kind; use one of phone, email"):
        parse_template("Ring <b>{phone}</b>", "phone")
