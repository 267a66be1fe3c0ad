"""Rendering: spans are exactly what was filled in, whatever was disguised on the way."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.training.corpus import render as rendering
from stream_detector.training.corpus import repertoire
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.holdout import Part
from stream_detector.training.corpus.packs import Template, packs, parse_template, world
from stream_detector.training.corpus.render import Piece, Span, cut, harmless, join, render

_WHOLE_TEXT = {"flattened", "shouted", "unaccented", "mixed_case"}
_TEMPLATES = [(code, template) for code, pack in packs().items() for family in pack.violations.values() for template in family]


def _fillers(seed: int, language: str = "en") -> Fillers:
    return Fillers(Random(seed), packs()[language], world())


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was put into slots, in order."""
    values: list[str] = []
    fill = rendering._fill

    def _remember(slot: str, fillers: Fillers, part: Part, *, offends: bool) -> tuple[str, str | None]:
        value, operator = fill(slot, fillers, part, offends=offends)
        values.append(value)
        return value, operator

    monkeypatch.setattr(rendering, "_fill", _remember)
    return values


@pytest.mark.parametrize("seed", range(120))
def test_the_span_is_what_was_filled(filled: list[str], seed: int) -> None:
    """The text of each span is its slot's value, disguised as it is; the text between is no part of it."""
    template = parse_template(
        "Ring <phone>{phone}</phone> or write to <email>{email}</email>, ask for <handle>{handle}</handle>", "phone"
    )
    piece = render(template, _fillers(seed))
    if _WHOLE_TEXT.isdisjoint(piece.disguises):
        assert [piece.text[span.start : span.end] for span in piece.spans] == [value.strip() for value in filled]
    assert [span.kind for span in piece.spans] == [Kind.PHONE, Kind.EMAIL, Kind.HANDLE]


@given(chosen=st.sampled_from(_TEMPLATES), seed=st.integers(0, 2**32))
def test_spans_are_sound_for_every_template(chosen: tuple[str, Template], seed: int) -> None:
    """One span a tag, of its kind, in order, apart, inside the text, and without space at its ends."""
    language, template = chosen
    piece = render(template, _fillers(seed, language))
    assert [span.kind for span in piece.spans] == [segment.kind for segment in template.segments if segment.kind]
    assert all(left.end <= right.start for left, right in zip(piece.spans, piece.spans[1:], strict=False))
    for span in piece.spans:
        surface = piece.text[span.start : span.end]
        assert surface
        assert surface == surface.strip()


def test_every_violation_of_every_pack_renders() -> None:
    """Once each, so that no sentence in sixteen files stops the corpus; look-alikes and clean ones come without spans."""
    for seed, (language, template) in enumerate(_TEMPLATES):
        assert render(template, _fillers(seed, language)).spans
    for language, pack in packs().items():
        for seed, template in enumerate([*pack.clean, *(t for family in pack.lookalikes.values() for t in family)]):
            assert render(template, _fillers(seed, language)).spans == ()


def test_rendering_repeats_by_seed() -> None:
    """The same seed writes the same text."""
    template = parse_template("Ring <phone>{phone}</phone>", "phone")
    assert render(template, _fillers(5)) == render(template, _fillers(5))
    assert len({render(template, _fillers(seed)).text for seed in range(20)}) > 15


def test_joined_pieces_shift_their_spans() -> None:
    """Each span still frames its own text behind whatever was put in front."""
    pieces = [
        Piece("a bright flat", families=("clean",)),
        Piece("ring 555-0101", (Span(5, 13, Kind.PHONE),), ("phone",), ("spelled",)),
    ]
    whole = join([*pieces, pieces[1]], [". ", "\n"])
    assert whole.text == "a bright flat. ring 555-0101\nring 555-0101"
    assert [whole.text[span.start : span.end] for span in whole.spans] == ["555-0101", "555-0101"]
    assert (whole.families, whole.disguises) == (("clean", "phone", "phone"), ("spelled", "spelled"))
    assert join([], []) == Piece("")


def test_harmless_text_is_disguised_too() -> None:
    """Now and then, so that a disguise alone says nothing; long texts stay as people wrote them."""
    text = "a bright flat near the station"
    pieces = [harmless(text, Random(seed), _fillers(seed)) for seed in range(400)]
    assert 5 < sum(bool(piece.disguises) for piece in pieces) < 80
    assert all(piece.spans == () for piece in pieces)
    assert all(harmless(text * 20, Random(seed), _fillers(seed)).text == text * 20 for seed in range(50))


@pytest.mark.parametrize(
    ("slot", "kind"), [("messenger", "messenger"), ("social", "handle"), ("transfer", "payment"), ("words", "handle"), ("handle", "handle"), ("id", "messenger")]
)  # fmt: skip
def test_slots_of_contacts_can_be_harmless(slot: str, kind: str) -> None:
    """Outside a tag they are filled and disguised by the same hands, less often, and make no span."""
    harmless_side, offending = (
        parse_template(f"see {{{slot}}} there", "brands"),
        parse_template(f"see <{kind}>{{{slot}}}</{kind}>", kind),
    )
    shares = []
    for template in (harmless_side, offending):
        pieces = [render(template, _fillers(seed)) for seed in range(600)]
        assert all(bool(piece.spans) == template.is_violation for piece in pieces)
        slots = [name for piece in pieces for name in piece.disguises if name in _SLOT_DISGUISES]
        shares.append(len(slots) / len(pieces))
    assert 0 < shares[0] < shares[1]


_SLOT_DISGUISES = {
    operator.__name__
    for table in (repertoire.NAME_OPERATORS, repertoire.BRAND_OPERATORS)
    for operator in table
    if operator not in repertoire.PHRASE_OPERATORS
}


def test_a_piece_is_cut_between_its_sentences() -> None:
    """What is told in two places can stand in two places of a text, each half with its own span."""
    piece = Piece("Starts 0770. Then ends 900", (Span(7, 11, Kind.PHONE), Span(23, 26, Kind.PHONE)), ("phone",), ("spelled",))
    first, second = cut(piece)
    assert (first.text, second.text) == ("Starts 0770.", "Then ends 900")
    assert [half.text[span.start : span.end] for half in (first, second) for span in half.spans] == ["0770", "900"]
    assert cut(Piece("0770 and 900", (Span(0, 4, Kind.PHONE), Span(9, 12, Kind.PHONE))))[1:] == []
