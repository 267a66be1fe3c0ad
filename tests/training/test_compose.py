"""Composed samples: repeatable, balanced, and without a word that gives the label away."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.training.corpus import compose
from stream_detector.training.corpus.compose import Composer, Mixture, Sample
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.habits import with_habit
from stream_detector.training.corpus.holdout import HELD_OUT_DISGUISES, Part, is_held_out
from stream_detector.training.corpus.listings import ListingText
from stream_detector.training.corpus.packs import Template, packs, parse_template
from stream_detector.training.corpus.render import Piece, Span, render

_LISTING = "The flat is bright and quiet. The kitchen is new. A park is near the house. The metro stops at the door."
_SUSPECT = "You may call the owner at any time."


@cache
def _samples() -> list[Sample]:
    return list(Composer([], seed=11).samples(6000))


def _listing(text: str, key: str = "L-1/description") -> ListingText:
    return ListingText(key, "sampletown", "en", text)


def test_the_seed_decides_everything() -> None:
    """A corpus can be made anew from its seed; another seed makes another."""
    listings = [_listing(_LISTING)]
    first, again, other = (list(Composer(listings, seed=seed).samples(60)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_more_samples_begin_like_fewer() -> None:
    """The size of a corpus changes nothing about its start."""
    assert list(Composer([], seed=3).samples(30))[:10] == list(Composer([], seed=3).samples(10))


def test_spans_are_sound() -> None:
    """Inside the text, in order, apart and without space at their ends."""
    for sample in _samples():
        assert all(left.end <= right.start for left, right in zip(sample.spans, sample.spans[1:], strict=False))
        for span in sample.spans:
            assert 0 <= span.start < span.end <= len(sample.text)
            assert sample.text[span.start : span.end].strip() == sample.text[span.start : span.end]


def test_labels_follow_the_mixture() -> None:
    """The share of violations is the one that was asked for."""
    assert 0.42 < sum(sample.offends for sample in _samples()) / len(_samples()) < 0.48
    assert not any(sample.offends for sample in Composer([], seed=1, mixture=Mixture(violation=0)).samples(100))
    assert all(sample.offends for sample in Composer([], seed=1, mixture=Mixture(violation=1)).samples(100))


def test_every_kind_and_language_is_on_both_sides() -> None:
    """No language is a violation by itself, and none lacks one."""
    assert {span.kind for sample in _samples() for span in sample.spans} == set(Kind)
    for language in packs():
        labels = Counter(sample.offends for sample in _samples() if sample.language == language)
        assert min(labels.values()) > 0.3 * labels.total(), language


@pytest.mark.parametrize(
    "pattern",
    [
        "whatsapp", "instagram", "telegram", "facebook", r"\bline\b", "paypal", r"\bcash\b", "website|homepage", "airbnb", r"https?://", r"www\.",
        "@", r"\.com\b", r"\.example\b", r"(?:\d[ .()-]{0,2}){9,}", r"[０-９]", "[\u200b-\u200d\u2060\u00ad]", "phone|telefon|téléphone", "double|doppel",
    ],
)  # fmt: skip
def test_no_word_gives_the_label_away(pattern: str) -> None:
    """Apps, payments, addresses, long numbers and disguises stand in harmless texts too, and in enough of them."""
    holding = Counter(sample.offends for sample in _samples() if re.search(pattern, sample.text, re.IGNORECASE))
    assert min(holding[True], holding[False]) > 0.1 * holding.total(), holding


def test_real_texts_are_the_background() -> None:
    """Whole sentences of a listing, which the sample names as its source."""
    samples = list(
        Composer([_listing(_LISTING)], seed=2, mixture=Mixture(violation=0, plain=0, real_background=1, bare=0)).samples(40)
    )
    assert {sample.source for sample in samples} == {"L-1/description"}
    assert sum(any(part in sample.text for part in _LISTING.split(". ")) for sample in samples) > 30


def test_suspicious_texts_are_no_background() -> None:
    """A text that may hold a real contact would be a violation with the label harmless."""
    samples = Composer([_listing(_SUSPECT, "L-2/host")], seed=2, mixture=Mixture(real_background=1, bare=0)).samples(40)
    assert not any(sample.source == "L-2/host" or "call the owner" in sample.text for sample in samples)


def test_bare_pieces_stand_alone() -> None:
    """Attributes are often one line; some samples are nothing but the piece."""
    samples = list(Composer([], seed=2, mixture=Mixture(violation=1, bare=1)).samples(60))
    assert {sample.source for sample in samples} == {"bare"}
    assert any(sample.spans[0].end - sample.spans[0].start == len(sample.text) for sample in samples)


def test_a_sample_is_a_row_of_json() -> None:
    """As it is kept on disk: offsets and kinds as plain values."""
    sample = next(sample for sample in _samples() if sample.offends)
    row = json.loads(json.dumps(sample.to_row()))
    assert row["spans"] == [[span.start, span.end, span.kind.value] for span in sample.spans]
    assert (row["text"], row["language"]) == (sample.text, sample.language)


def test_plain_texts_are_left_alone() -> None:
    """In about one sample in eight nothing is inserted and nothing changed, so that clean means clean and not "no seam"."""
    samples = list(Composer([_listing(_LISTING)], seed=2).samples(2000))
    plain = [sample for sample in samples if sample.families == ("plain",)]
    assert 0.09 < len(plain) / len(samples) < 0.15
    assert all(sample.text in _LISTING and not sample.offends for sample in plain)
    assert 0.42 < sum(sample.offends for sample in samples) / len(samples) < 0.48


def test_languages_are_even() -> None:
    """English more often, the others alike."""
    shares = Counter(sample.language for sample in _samples())
    assert 0.25 < shares["en"] / shares.total() < 0.31
    assert all(0.035 < shares[language] / shares.total() < 0.065 for language in packs() if language != "en")


def test_no_disguise_gives_the_label_away() -> None:
    """Every common way of disguising is seen on harmless texts too, where it is rarer but no curiosity."""
    sides = {
        offends: Counter(name for s in _samples() if s.offends == offends for name in set(s.disguises)) for offends in (True, False)
    }
    often = [name for name, count in sides[True].items() if count >= 40]
    assert often
    assert [name for name in often if sides[False][name] < 0.03 * sides[True][name]] == []


@pytest.mark.parametrize("part", ["train", "test"])
def test_both_parts_hold_every_language(part: Part) -> None:
    """Violations, look-alikes and clean sentences of each, for else a figure by language would say nothing."""
    samples = list(Composer([], seed=5, part=part).samples(1500))
    assert {(sample.language, sample.offends) for sample in samples} == {(code, side) for code in packs() for side in (True, False)}


def test_nothing_held_out_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a template nor a disguise; the test part has only such templates, and half of its disguises, where there is a choice."""
    used: dict[Part, list[Template]] = {"train": [], "test": []}

    def _remember(template: Template, fillers: Fillers, part: Part = "train") -> Piece:
        used[part].append(template)
        return render(template, fillers, part)

    monkeypatch.setattr(compose, "render", _remember)
    names: dict[Part, Counter[str]] = {}
    parts: tuple[Part, ...] = ("train", "test")
    for part in parts:
        names[part] = Counter(name for sample in Composer([], seed=6, part=part).samples(3000) for name in sample.disguises)
    assert not any(is_held_out(template) for template in used["train"])
    assert all(is_held_out(template) for template in used["test"])
    assert not HELD_OUT_DISGUISES & set(names["train"])
    assert set(names["test"]) >= HELD_OUT_DISGUISES


def test_one_template_in_twelve_is_held_out() -> None:
    """By its text alone, so that others appended to a file move none; mere slots ("Tel {phone}") are always trained on."""
    templates = [template for pack in packs().values() for family in pack.violations.values() for template in family]
    assert 1 / 16 < sum(map(is_held_out, templates)) / len(templates) < 1 / 9
    assert not is_held_out(parse_template("<phone>{phone}</phone>", "phone"))


@given(seed=st.integers(0, 2**32))
def test_habits_carry_the_spans(seed: int) -> None:
    """Whatever becomes of case, accents and punctuation, a span frames the same letters, its own punctuation kept."""
    text = "Ça va. Écrivez à anna.flat@mail.example, merci! Großes Haus."
    start, end = text.index("anna"), text.index(", merci")
    piece = with_habit(Piece(text, (Span(start, end, Kind.EMAIL),)), Random(seed))
    (span,) = piece.spans
    assert piece.text[span.start : span.end].lower() == "anna.flat@mail.example"
    assert len(piece.disguises) == 1
