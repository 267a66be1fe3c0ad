"""From a template to a piece of text: slots filled, some disguised, with exact spans of what offends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from stream_detector.contracts import Kind
from stream_detector.training.corpus import disguises
from stream_detector.training.corpus.disguises import Operator
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.packs import Template

_SLOT = re.compile(r"\{([a-z_]+)\}")

#: Which operators disguise which slot, and how often where the slot offends and where it is harmless. Harmless text is
#: disguised too, by the same hands, or a disguise by itself would come to mean a violation.
_SLOT_OPERATORS: Mapping[str, tuple[Mapping[Operator, float], float, float]] = {
    "phone": (disguises.NUMBER_OPERATORS, 0.55, 0.0),
    "phone_start": (disguises.PART_OPERATORS, 0.4, 0.0),
    "phone_end": (disguises.PART_OPERATORS, 0.4, 0.0),
    "email": (disguises.ADDRESS_OPERATORS, 0.5, 0.0),
    "url": (disguises.ADDRESS_OPERATORS, 0.42, 0.0),
    "handle": (disguises.NAME_OPERATORS, 0.3, 0.0),
    "words": (disguises.NAME_OPERATORS, 0.12, 0.0),
    "id": (disguises.NAME_OPERATORS, 0.25, 0.0),
    "account": (disguises.NAME_OPERATORS, 0.15, 0.0),
    "messenger": (disguises.BRAND_OPERATORS, 0.3, 0.15),
    "social": (disguises.BRAND_OPERATORS, 0.25, 0.15),
    "transfer": (disguises.BRAND_OPERATORS, 0.2, 0.15),
    "app": (disguises.BRAND_OPERATORS, 0.2, 0.12),
    "company": (disguises.BRAND_OPERATORS, 0.2, 0.2),
    "platform": (disguises.BRAND_OPERATORS, 0.1, 0.1),
    "third_phone": ({disguises.regrouped: 1, disguises.one_by_one: 0.5, disguises.spelled: 0.3}, 0.0, 0.1),
    "third_url": ({disguises.spaced_address: 1, disguises.worded_address: 1, disguises.shouted: 1}, 0.0, 0.12),
    "third_email": ({disguises.worded_address: 1, disguises.spaced_address: 1}, 0.0, 0.08),
    "registration": (
        {disguises.regrouped: 2, disguises.other_digits: 1, disguises.one_by_one: 1, disguises.spelled: 0.5},
        0.0,
        0.08,
    ),
    "price": ({disguises.other_digits: 2}, 0.0, 0.05),
    "time": ({disguises.other_digits: 2}, 0.0, 0.04),
    "number": ({disguises.other_digits: 2, disguises.spelled: 3}, 0.0, 0.12),
    "doorcode": ({disguises.other_digits: 1, disguises.spelled: 2, disguises.one_by_one: 2}, 0.0, 0.15),
    "password": ({disguises.spelled_letters: 1, disguises.letter_spaced: 1}, 0.0, 0.06),
    "wifi": ({disguises.spelled_letters: 1, disguises.letter_spaced: 1}, 0.0, 0.05),
}

_PHRASE_SHARE = 0.14
_WHOLE_TEXT_OPERATORS = (disguises.flattened, disguises.shouted)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to but not including `end` that offend."""

    start: int
    end: int
    kind: Kind

    def shifted(self, by: int) -> Span:
        """The span in a text that this one's text was put into."""
        return Span(self.start + by, self.end + by, self.kind)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rendered text with the spans that offend and how it was made."""

    text: str
    spans: tuple[Span, ...] = ()
    families: tuple[str, ...] = ()
    disguises: tuple[str, ...] = ()


@dataclass(slots=True)
class _Builder:
    parts: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def render(template: Template, fillers: Fillers) -> Piece:
    """Fill a template once."""
    rng = fillers.rng
    phrase = disguises.pick(rng, disguises.PHRASE_OPERATORS) if rng.random() < _PHRASE_SHARE else None
    built, spans, used = _Builder(), [], [phrase.__name__] if phrase is not None else []
    for segment in template.segments:
        start = built.length
        for index, part in enumerate(_SLOT.split(segment.template)):
            if index % 2:
                text, operator = _fill(part, fillers, offends=segment.kind is not None)
                if operator:
                    used.append(operator)
                elif phrase is not None and phrase in _WHOLE_TEXT_OPERATORS:
                    text = phrase(rng, text, fillers.pack)
            else:
                text = _apply_phrase(phrase, part, fillers)
            built.add(text)
        if segment.kind:
            body = "".join(built.parts)[start:]
            left, right = len(body) - len(body.lstrip()), len(body) - len(body.rstrip())
            spans.append(Span(start + left, built.length - right, segment.kind))
    return Piece("".join(built.parts), tuple(spans), (template.family,), tuple(used))


def join(pieces: Sequence[Piece], separators: Sequence[str]) -> Piece:
    """Put pieces one after the other; `separators` has one entry fewer."""
    built, spans = _Builder(), []
    for index, piece in enumerate(pieces):
        if index:
            built.add(separators[index - 1])
        spans += [span.shifted(built.length) for span in piece.spans]
        built.add(piece.text)
    return Piece(
        "".join(built.parts),
        tuple(spans),
        tuple(family for piece in pieces for family in piece.families),
        tuple(name for piece in pieces for name in piece.disguises),
    )


def _fill(slot: str, fillers: Fillers, *, offends: bool) -> tuple[str, str | None]:
    value = fillers.fill(slot)
    if slot not in _SLOT_OPERATORS:
        return value, None
    operators, where_it_offends, elsewhere = _SLOT_OPERATORS[slot]
    if fillers.rng.random() >= (where_it_offends if offends else elsewhere):
        return value, None
    operator = disguises.pick(fillers.rng, operators)
    return operator(fillers.rng, value, fillers.pack), operator.__name__


def _apply_phrase(phrase: Operator | None, literal: str, fillers: Fillers) -> str:
    """Disguise a literal part; the space at its ends, which joins it to a slot, stays."""
    core = literal.strip()
    if phrase is None or not core:
        return literal
    left, right = literal[: len(literal) - len(literal.lstrip())], literal[len(literal.rstrip()) :]
    return left + phrase(fillers.rng, core, fillers.pack) + right


def harmless(text: str, rng: Random, fillers: Fillers) -> Piece:
    """A clean text, now and then written in the ways that disguises are."""
    if rng.random() >= 0.07 or len(text) > 400:
        return Piece(text, families=("clean",))
    operator = disguises.pick(rng, disguises.PHRASE_OPERATORS)
    return Piece(operator(rng, text, fillers.pack), families=("clean",), disguises=(operator.__name__,))
